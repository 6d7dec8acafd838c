"""Values as TOML, so that what can be read can be written (Python reads TOML and writes none)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from onward.config.names import key_text
from onward.errors import ConfigError

__all__ = ["to_toml", "toml_value"]


def to_toml(tables: Mapping[str, Any]) -> str:
    """Return nested tables of plain values as TOML text, one key a line.

    ``None`` has no TOML spelling: it is written as the word ``"none"``, which every field that
    may be empty understands. Tables inside tables get a heading of their own; empty ones vanish.
    """
    return "\n\n".join(_table(name, table) for name, table in tables.items() if table).strip() + "\n"


def toml_value(value: Any) -> str:
    """Return one plain value as TOML."""
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise ConfigError(
        "this value cannot be written to a settings file",
        got=f"{value!r} ({type(value).__name__})",
        allowed="numbers, text, true or false, lists and tables of these",
        remedy="Use plain values.",
    )


def _table(path: str, table: Mapping[str, Any]) -> str:
    values = {k: v for k, v in table.items() if not isinstance(v, Mapping)}
    tables = {k: v for k, v in table.items() if isinstance(v, Mapping) and v}
    parts = []
    if values or not tables:
        lines = [f"{key_text(k)} = {toml_value(v)}" for k, v in values.items()]
        parts.append("\n".join([f"[{path}]", *lines]))
    parts += [_table(f"{path}.{key_text(k)}", v) for k, v in tables.items()]
    return "\n\n".join(parts)
