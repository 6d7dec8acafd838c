"""Whose code a request may run: stages named as ``module:name`` import a module of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onward.errors import UserError

__all__ = ["refuse_own_code"]


def refuse_own_code(plan: object, *, allowed: bool) -> None:
    """Refuse a plan that names code by its address, unless the server allows it.

    Raises
    ------
    UserError
        Naming the address. Every text of the plan with a colon between words counts, wherever it
        stands: a new field that takes addresses must not open a door.
    """
    if allowed:
        return
    for text in _texts(plan):
        module, colon, name = text.partition(":")
        if colon and _dotted(module) and _dotted(name):
            raise UserError(
                "requests may not name code of their own",
                got=ascii(text)[:100],
                allowed="stages by the names that GET /features/stages lists",
                remedy="Set server.own_code = true where everybody who reaches the server is trusted.",
            )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if str(key).rpartition(".")[2] != "symbols":  # venue:symbol, also as a change of "data.symbols"
                yield from _texts(item)
            yield str(key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))
