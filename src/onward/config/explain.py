"""From pydantic's findings to one error that teaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from onward.config.describe import allowed, choices
from onward.errors import ConfigError, nearest

__all__ = ["explained", "unknown"]


def unknown(name: str, known: list[str], *, origin: str = "", kind: str = "setting") -> ConfigError:
    """Return the error for a name that does not exist: where it came from, the nearest one that does."""
    close = nearest(name, known)
    return ConfigError(
        f"there is no {kind} {name}" + (f" (from {origin})" if origin else ""),
        got=name,
        allowed=_listing(name, known),
        remedy=f"Did you mean {close}?" if close else "See `onward config show` for every name.",
    )


def explained(error: ValidationError, fields: Mapping[str, FieldInfo], path: str = "") -> ConfigError:
    """Return a `ConfigError` that names field, value, what is allowed and the nearest valid choice."""
    findings = error.errors(include_url=False)
    first = findings[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    dotted = f"{path}.{name}".strip(".")
    if first["type"] == "extra_forbidden":
        return unknown(dotted, [f"{path}.{known}".strip(".") for known in fields])
    field = fields.get(name)
    others = sorted({f"{path}.{f['loc'][0]}".strip(".") for f in findings[1:] if f["loc"]} - {dotted})
    reason = str(first["msg"]).removeprefix("Value error, ")
    own_words = first["type"] == "value_error"
    what = f"{dotted}: {reason}" if own_words else f"{dotted} does not take this value"
    if others:
        what += f" (and so: {', '.join(others)})"
    got = first["input"]
    words = choices(field.annotation) if field is not None else ()
    close = nearest(str(got), words) if words else None
    return ConfigError(
        what,
        got=_short(got),
        allowed=allowed(field) if field is not None else reason,
        remedy=f"Did you mean {close}?" if close else f"Change {dotted}.",
    )


def _listing(name: str, known: list[str]) -> str:
    """Return the names of the same section when there is one, else the sections."""
    section, dot, _ = name.rpartition(".")
    same = [k for k in known if dot and k.startswith(section + ".")]
    listed = same or sorted({k.partition(".")[0] for k in known})
    return ", ".join(listed)


def _short(value: Any, limit: int = 80) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
