"""How models, their versions and symbols are named: the same in stores, in requests and in clients."""

from onward.naming.names import LATEST, NAME, check_alias, check_name, check_number
from onward.naming.references import Reference, parse_reference
from onward.naming.symbols import check_symbol, stand_ins

__all__ = [
    "LATEST",
    "NAME",
    "Reference",
    "check_alias",
    "check_name",
    "check_number",
    "check_symbol",
    "parse_reference",
    "stand_ins",
]
