"""What a key may be called, and how long it may last."""

from __future__ import annotations

import re
from datetime import datetime

from onward.database.moments import require_utc
from onward.errors import AccessError

__all__ = ["check_expiry", "check_name"]

LONGEST_NAME = 100
ID = re.compile(r"[0-9a-f]{10}", re.ASCII)
LAST_YEAR = 2200


def check_name(name: str) -> str:
    """Return a name for a key.

    Raises
    ------
    AccessError
        When it is empty or long, holds what cannot be printed, or looks like the id of a key.
    """
    printable = name.isprintable() and name.strip() == name
    if printable and 0 < len(name) <= LONGEST_NAME and not ID.fullmatch(name):
        return name
    raise AccessError(
        "the key cannot be called that",
        got=ascii(name)[:100],
        allowed=f"1 to {LONGEST_NAME} printable characters, no space around them, not ten hexadecimal digits",
        remedy="Name whoever or whatever will use it: dashboard, trading-bot.",
    )


def check_expiry(moment: datetime, now: datetime) -> datetime:
    """Return when a key ends, UTC.

    Raises
    ------
    AccessError
        Unless it lies ahead, and within reason.
    """
    moment = require_utc(moment, "expiry")
    if now < moment and moment.year < LAST_YEAR:
        return moment
    raise AccessError(
        "the key cannot end then",
        got=moment.isoformat(),
        allowed=f"after {now:%Y-%m-%d %H:%M} UTC and before {LAST_YEAR}",
        remedy="Name a moment that lies ahead, or none: then the key lasts until it is revoked.",
    )
