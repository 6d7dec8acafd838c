"""From pydantic's findings to one error that teaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from onward.config.describe import allowed, choices
from onward.errors import ConfigError, nearest

__all__ = ["explained", "unknown"]


def unknown(
    name: str, known: list[str], *, origin: str = "", kind: str = "setting", separator: str = "."
) -> ConfigError:
    """Return the error for a name that does not exist: where it came from, the nearest one that does.

    ``separator`` stands between the levels of a name: a dot, two underscores in a variable.
    """
    close = _nearest(name, known, separator)
    return ConfigError(
        f"there is no {kind} {name}" + (f" (from {origin})" if origin else ""),
        got=name,
        allowed=_listing(name, known, separator),
        remedy=f"Did you mean {close}?" if close else "See `onward config show` for every name.",
        settings=(name,),
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
        settings=(dotted, *others) if name else (),
    )


def _nearest(name: str, known: list[str], separator: str) -> str | None:
    """Return the nearest name; a misspelt section is repaired first, the rest is kept."""
    section, joint, rest = name.partition(separator)
    sections = {k.partition(separator)[0] for k in known}
    if joint and section not in sections and (close := nearest(section, sections)):
        repaired = f"{close}{separator}{rest}"
        same = [k for k in known if k.startswith(f"{close}{separator}")]
        return nearest(repaired, same) or close
    return (None if joint else nearest(name, sections)) or nearest(name, known)


def _listing(name: str, known: list[str], separator: str) -> str:
    """Return the names of the same section when there is one, else the sections."""
    section, joint, _ = name.rpartition(separator)
    same = [k for k in known if k.startswith(name + separator)] or [
        k for k in known if joint and k.startswith(section + separator)
    ]
    sections = sorted({k.partition(separator)[0] for k in known})
    return ", ".join(same or [s + separator + "…" if separator != "." else s for s in sections])


def _short(value: Any, limit: int = 80) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
