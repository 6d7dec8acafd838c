"""What is left of the names that clients give their files: a hint for recognition, never a path."""

from __future__ import annotations

import re

__all__ = ["kept_name", "shown_name"]

LONGEST = 100
UNKNOWN = "upload"
LONGEST_SHOWN = 200
PARTS = re.compile(r"[/\\\0]")
NOT_KEPT = re.compile(r"[^A-Za-z0-9._-]+")


def shown_name(given: str) -> str:
    """Return how a client's file is called when something is said of it: as it came, without directories."""
    last = PARTS.split(given)[-1][:LONGEST_SHOWN]
    return "".join(one if one.isprintable() else "?" for one in last) or UNKNOWN


def kept_name(given: str) -> str:
    """Return a name for a file in a directory of our own.

    Formats are told by suffixes, symbols and timeframes by names such as ``BTC_USDT-1h.csv``, so
    letters, digits, dots, dashes and underscores of the last part stay. What would be a path, a
    hidden file or a name of a device does not.
    """
    last = PARTS.split(given)[-1]
    plain = NOT_KEPT.sub("_", last).lstrip("._-")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        return plain[:LONGEST] or UNKNOWN
    suffix = suffix[:20]
    return f"{stem[: LONGEST - len(suffix)] or UNKNOWN}.{suffix}"
