"""Where a page ended, as text that a client hands back."""

from __future__ import annotations

import re
from datetime import datetime

from onward.database.moments import from_microseconds, to_microseconds
from onward.errors import JobError

__all__ = ["decode_cursor", "encode_cursor"]

CURSOR = re.compile(r"([0-9]{1,17})-([0-9a-z]{1,32})", re.ASCII)


def encode_cursor(queued_at: datetime, job_id: str) -> str:
    """Return the cursor that continues after a job."""
    return f"{to_microseconds(queued_at)}-{job_id}"


def decode_cursor(cursor: object) -> tuple[datetime, str]:
    """Return moment and id of the job after which a page begins.

    Raises
    ------
    JobError
        When it is none that we gave.
    """
    match = CURSOR.fullmatch(cursor) if isinstance(cursor, str) else None
    if match is not None:
        return from_microseconds(int(match[1])), match[2]
    raise JobError(
        "The cursor is not understood",
        got=ascii(cursor)[:80],
        allowed="the cursor of the page before, as it was given",
        remedy="Begin again without a cursor.",
    )
