"""Dotted names of settings: the levels of tables, with dots inside quotes left alone, as in TOML.

``model.extra.leaves`` has three levels, ``features.tsfresh.parameters."package.module:function"``
has four. Every name has one spelling here (`canonical`), so that the same key is the same setting
wherever it was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from onward.errors import ConfigError

__all__ = ["canonical", "join_name", "key_text", "split_assignment", "split_name"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DOUBLE = r'"(?:[^"\\]|\\.)*"'
_SINGLE = r"'[^']*'"
_LEVEL = re.compile(rf"(?P<double>{_DOUBLE})|(?P<single>{_SINGLE})|(?P<bare>[^.\"']*)", re.DOTALL)
_ASSIGNMENT = re.compile(rf"(?P<name>(?:{_DOUBLE}|{_SINGLE}|[^=\"'])*)=(?P<value>.*)", re.DOTALL)


def key_text(key: str) -> str:
    """Return one level of a name as it is written: bare where it may be, else in double quotes."""
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def join_name(levels: Iterable[str]) -> str:
    """Return levels as a dotted name: the inverse of `split_name`."""
    return ".".join(map(key_text, levels))


def split_name(name: str) -> list[str]:
    """Return the levels of a dotted name, quotes taken off.

    What stands between single quotes is taken as it is; double quotes know JSON's escapes.

    Raises
    ------
    ConfigError
        If a quote is not closed, or does not enclose a whole level.
    """
    levels: list[str] = []
    place = 0
    while True:
        found = _LEVEL.match(name, place)
        assert found is not None  # the bare alternative takes nothing at all as well
        place = found.end()
        if place < len(name) and name[place] != ".":
            raise _unbalanced(name)
        levels.append(_unquoted(found, name))
        if place == len(name):
            return levels
        place += 1


def canonical(name: str) -> str:
    """Return the one spelling of a dotted name; raises as `split_name` does."""
    return join_name(split_name(name))


def split_assignment(text: str) -> tuple[str, str] | None:
    """Return name and value of ``name=value``; None when it is none. Quotes may enclose equals signs."""
    found = _ASSIGNMENT.fullmatch(text)
    if found is None or not found["name"].strip():
        return None
    return found["name"].strip(), found["value"]


def _unquoted(level: re.Match[str], name: str) -> str:
    if level["bare"] is not None:
        return level["bare"]
    if level["single"] is not None:
        return level["single"][1:-1]
    try:
        return str(json.loads(level["double"], strict=False))
    except ValueError:
        raise _unbalanced(name) from None


def _unbalanced(name: str) -> ConfigError:
    return ConfigError(
        "the quotes in the name of a setting do not enclose a whole level",
        got=name,
        allowed='levels with dots between them; around a level that holds dots, quotes: a."b.c:d".e',
        remedy="Close the quote, and let a dot or the end of the name follow it.",
    )
