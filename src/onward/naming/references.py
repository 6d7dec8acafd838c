"""How people name a model version: ``models:/btc-1h@champion``, ``btc-1h/3``, ``btc-1h/latest``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onward.errors import RegistryError
from onward.naming.names import LATEST, NAME, check_alias, check_name

__all__ = ["Reference", "parse_reference"]

PREFIX = "models:/"
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Reference:
    """One version, named by number or by alias, or the newest when both are None."""

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        if self.alias is not None:
            return f"{PREFIX}{self.name}@{self.alias}"
        return f"{PREFIX}{self.name}/{self.version or LATEST}"


def parse_reference(text: object) -> Reference:
    """Read a reference, with or without ``models:/`` in front.

    Raises
    ------
    RegistryError
        When it has another shape, or a name in it is not allowed.
    """
    rest = text.strip() if isinstance(text, str) else ""
    rest = rest.removeprefix(PREFIX)
    name, at, alias = rest.partition("@")
    if at:
        return Reference(check_name(name), alias=check_alias(alias))
    name, slash, version = rest.partition("/")
    if slash and version == LATEST:
        return Reference(check_name(name))
    if slash and NUMBER.fullmatch(version):
        return Reference(check_name(name), version=int(version))
    raise RegistryError(
        "This does not name a model version",
        got=repr(text),
        allowed="models:/NAME@ALIAS, models:/NAME/NUMBER or models:/NAME/latest ('models:/' may be left out)",
        remedy=f"Write {rest}/{LATEST} for its newest version; `onward models list {rest}` shows all."
        if NAME.fullmatch(rest)
        else "`onward models list` shows what there is.",
    )
