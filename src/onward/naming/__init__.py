"""How models, their aliases and versions are named: the same in the registry, in requests and in clients."""

from onward.naming.names import LATEST, NAME, check_alias, check_name, check_number
from onward.naming.references import Reference, parse_reference

__all__ = ["LATEST", "NAME", "Reference", "check_alias", "check_name", "check_number", "parse_reference"]
