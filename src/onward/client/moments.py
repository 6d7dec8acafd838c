"""Moments as a person gives them, on their way into a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias

from onward.errors import UserError

__all__ = ["MomentLike", "told_moment"]

MomentLike: TypeAlias = datetime | str
"""A moment, or its ISO 8601 text; without a zone it is UTC, as every moment of a market is."""


def told_moment(moment: MomentLike, *, name: str) -> str:
    """Return a moment as requests tell it: ISO 8601, with its zone.

    Parameters
    ----------
    moment
        A moment or its ISO 8601 text; UTC where it has no zone.
    name
        What it is called, for the refusal.

    Raises
    ------
    UserError
        When it is neither, or no moment of the calendar.
    """
    try:
        # What has no ISO form is no moment; NaT is a datetime whose text is none.
        known = datetime.fromisoformat(moment.strip() if isinstance(moment, str) else moment.isoformat())
    except (ValueError, AttributeError):
        raise UserError(
            f"{name} takes a moment",
            got=repr(moment),
            allowed="a datetime, or ISO 8601 text such as 2026-01-31T12:00; without a zone it is UTC",
            remedy="Correct it.",
        ) from None
    return (known.replace(tzinfo=UTC) if known.tzinfo is None else known).isoformat()
