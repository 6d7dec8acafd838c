"""Settings written as text: what ``.env``, the environment and ``--set`` hand over.

TOML knows numbers and lists; an environment variable knows text alone. One reader turns text into
what a field takes, so that every source means the same by the same words.
"""

from __future__ import annotations

import json
import types
import typing
from typing import Any

from onward.errors import ConfigError

__all__ = ["DURATION", "NOTHING", "options_of", "parse_text", "scalar"]

DURATION = r"^[1-9][0-9]*(s|m|h|d|w)$"
"""A length of time: a whole number and a unit (seconds, minutes, hours, days, weeks)."""

NOTHING = ("none", "null")
"""Words for "no value", in fields that may be empty (TOML has no null, hence words there too)."""


def parse_text(text: str, annotation: Any) -> Any:
    """Return text as the kind of value that a field's annotation asks for.

    Lists are ``a, b`` or JSON ``["a", "b"]``; tables are ``key=value, key=value`` or JSON;
    ``none`` and ``null`` empty a field that may be empty. Numbers and switches are left to
    pydantic, which reads them with their bounds.

    Raises
    ------
    ConfigError
        If text that begins like JSON is none.
    """
    stripped = text.strip()
    options = options_of(annotation)
    if type(None) in options and stripped.lower() in NOTHING:
        return None
    kinds = {typing.get_origin(option) or option for option in options}
    if kinds & {tuple, list}:
        if stripped.startswith("["):
            return _json(stripped)
        return [part.strip() for part in stripped.split(",") if part.strip()]
    if dict in kinds:
        return _json(stripped) if stripped.startswith("{") else _pairs(stripped)
    if {int, str} <= kinds and stripped.isdecimal():
        return int(stripped)
    return stripped if kinds - {str} else text


def scalar(text: str) -> Any:
    """Return text of a free-form table: a JSON value where it is one, else the text."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def options_of(annotation: Any) -> list[Any]:
    """Return the members of a union, ``Annotated`` peeled off."""
    if typing.get_origin(annotation) is typing.Annotated:
        return options_of(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [o for member in typing.get_args(annotation) for o in options_of(member)]
    return [annotation]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(
            f"this value begins like JSON but is none ({getattr(error, 'msg', error)})",
            got=text[:200],
            allowed='["a", "b"] or plain a, b; {"key": 1} or plain key=1',
            remedy="Quote it for your shell, or write it without brackets.",
        ) from error


def _pairs(text: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(
                "a table written as text needs key=value pairs",
                got=part,
                allowed='key=value, key=value or {"key": value}',
                remedy="Put an equals sign between each name and its value.",
            )
        pairs[key.strip()] = scalar(value.strip())
    return pairs
