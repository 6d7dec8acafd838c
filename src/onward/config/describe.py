"""Words for what a field takes: one text for errors, ``config show`` and the reference page."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from onward.config.text import DURATION, options_of

__all__ = ["allowed", "choices", "default_text", "shown"]

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "a table",
    Path: "a path",
    SecretStr: "text (kept secret)",
}
_BOUNDS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


def choices(annotation: Any) -> tuple[str, ...]:
    """Return the words that a field takes, where it takes certain words only."""
    found: list[str] = []
    for option in options_of(annotation):
        if typing.get_origin(option) is typing.Literal:
            found += [str(word) for word in typing.get_args(option)]
    return tuple(found)


def allowed(field: FieldInfo) -> str:
    """Return what a field takes, in a few words: kind, choices, bounds."""
    words = choices(field.annotation)
    options = [o for o in options_of(field.annotation) if o is not type(None)]
    parts = ["one of " + ", ".join(words)] if words else []
    parts += [_kind(option, field) for option in options if typing.get_origin(option) is not typing.Literal]
    if type(None) in options_of(field.annotation):
        parts.append("none")
    return ", or ".join(parts)


def default_text(value: Any) -> str:
    """Return a value the way a settings file would write it; secrets are masked."""
    shown_value = shown(value)
    if shown_value is None:
        return "none"
    if isinstance(shown_value, bool):
        return str(shown_value).lower()
    if isinstance(shown_value, list | tuple):
        return "[" + ", ".join(default_text(v) for v in shown_value) + "]"
    if isinstance(shown_value, dict):
        return "{" + ", ".join(f"{k} = {default_text(v)}" for k, v in shown_value.items()) + "}"
    return f'"{shown_value}"' if isinstance(shown_value, str) else repr(shown_value)


def shown(value: Any) -> Any:
    """Return a value as plain JSON for people's eyes: secrets masked, paths as text.

    Of a secret address (``scheme://user:password@host/name``) only the password is masked.
    """
    if isinstance(value, SecretStr):
        return _masked(value.get_secret_value())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [shown(v) for v in value]
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    return value


def _kind(option: Any, field: FieldInfo) -> str:
    origin = typing.get_origin(option) or option
    if origin is tuple:
        inner = _WORDS.get(typing.get_args(option)[0], "text").removeprefix("a ")
        least = _constraint(field, "min_length")
        return f"a list of {inner}" + (f" (at least {least})" if least else "")
    pattern = _constraint(field, "pattern")
    if origin is str and pattern == DURATION:
        return "a length of time such as 90m, 36h or 3d"
    if origin is str and isinstance(note := _note(field), str):
        return note
    bounds = " and ".join(
        f"{sign} {bound}" for name, sign in _BOUNDS if (bound := _constraint(field, name)) is not None
    )
    word = _WORDS.get(origin, getattr(origin, "__name__", str(origin)))
    return f"{word} {bounds}" if bounds and origin in (int, float) else word


def _constraint(field: FieldInfo, name: str) -> Any:
    """Return a bound of a field, wherever pydantic keeps it (field or annotated member)."""
    pending = list(field.metadata)
    for member in typing.get_args(field.annotation):
        if typing.get_origin(member) is typing.Annotated:
            pending += typing.get_args(member)[1:]
    for metadata in pending:
        nested = metadata.metadata if isinstance(metadata, FieldInfo) else [metadata]
        for constraint in nested:
            value = getattr(constraint, name, None)
            if value is not None:
                return value
    return None


def _note(field: FieldInfo) -> object:
    extra = field.json_schema_extra
    return extra.get("allowed") if isinstance(extra, dict) else None


def _masked(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    user, at, host = rest.rpartition("@")
    if not (separator and at):
        return "***" if not separator else text
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{':***' if colon else ''}@{host}"
