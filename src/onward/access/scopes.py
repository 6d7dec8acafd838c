"""What a key may do: read, run, or everything."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from onward.errors import AccessError, nearest

__all__ = ["SCOPES", "Scope", "allows", "check_scope"]

Scope: TypeAlias = Literal["read", "run", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""From the smallest; each allows what those before it allow."""


def allows(held: Scope | None, needed: Scope) -> bool:
    """Return whether whoever holds a scope may do what needs another; None holds nothing."""
    return held is not None and SCOPES.index(held) >= SCOPES.index(needed)


def check_scope(text: str) -> Scope:
    """Return a scope by its name.

    Raises
    ------
    AccessError
        When there is none of that name.
    """
    for scope in SCOPES:
        if scope == text:
            return scope
    guess = nearest(text, SCOPES)
    raise AccessError(
        "there is no such scope",
        got=ascii(text)[:50],
        allowed=", ".join(SCOPES),
        remedy=f"Did you mean {guess}?" if guess else "Name one of these.",
    )
