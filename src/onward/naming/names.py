"""Names of models and aliases: safe as directory names on every system."""

from __future__ import annotations

import re

from onward.errors import RegistryError

__all__ = ["LATEST", "NAME", "check_alias", "check_name", "check_number"]

LATEST = "latest"
"""Not an alias: it always means the newest version."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Shape of a model's name; `check_name` knows what is not allowed besides."""
ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
# Windows keeps these for devices, with and without an ending.
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def check_name(name: object) -> str:
    """Return a model's name.

    Raises
    ------
    RegistryError
        When it could not be a directory's name everywhere.
    """
    if isinstance(name, str) and NAME.fullmatch(name) and name[-1] != "." and not DEVICES.fullmatch(name):
        return name
    raise RegistryError(
        "A model cannot have this name",
        got=_shown(name),
        allowed="1 to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit",
        remedy="Choose a name such as btc-1h.",
    )


def check_alias(alias: object) -> str:
    """Return an alias.

    Raises
    ------
    RegistryError
        When it could be mistaken for a version number, or is ``latest``.
    """
    if isinstance(alias, str) and ALIAS.fullmatch(alias) and alias.lower() != LATEST:
        return alias
    raise RegistryError(
        "An alias cannot have this name",
        got=_shown(alias),
        allowed="1 to 64 letters, digits, '.', '_' and '-', beginning with a letter; not 'latest'",
        remedy="Choose a name such as champion.",
    )


def check_number(number: object) -> int:
    """Return a version's number.

    Raises
    ------
    RegistryError
        When it is no positive integer.
    """
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number < 2**31:
        return number
    raise RegistryError(
        "This is not the number of a version",
        got=_shown(number),
        allowed="1, 2, 3, ...",
        remedy="`onward models list` shows what there is.",
    )


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= 80 else f"{text[:77]}..."
