"""When a trading session opens: a time of day on the clock of a place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from onward.errors import StageError
from onward.types import IntArray, to_ns

__all__ = ["Opening"]

MINUTE = 60_000_000_000
DAY = 24 * 60 * MINUTE
WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?: +(\S+))?")


@dataclass(frozen=True)
class Opening:
    """The moment at which a session opens every day; it lasts until the next opening.

    Attributes
    ----------
    minute
        Minutes after midnight, on the clock of the zone.
    zone
        Time zone; daylight saving moves the opening in UTC, and makes two sessions a year 23 and
        25 hours long.
    """

    minute: int
    zone: str = "UTC"

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read ``"HH:MM"`` (UTC) or ``"HH:MM Area/City"``.

        Raises
        ------
        StageError
            If it is written otherwise, or nobody knows the zone.
        """
        match = WRITTEN.fullmatch(text) if isinstance(text, str) else None
        zone = (match.group(3) or "UTC") if match else "UTC"
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):  # as the zone is written, ZoneInfo varies
            match = None
        if match is None:
            raise StageError(
                "this is no opening of a session",
                got=repr(text),
                allowed='"13:30" (UTC), or a time and its zone: "09:30 America/New_York"',
                remedy="Correct it in features.options.sessions.openings.",
            )
        return cls(60 * int(match.group(1)) + int(match.group(2)), zone)

    def __str__(self) -> str:
        return f"{self.minute // 60:02d}:{self.minute % 60:02d} {self.zone}"

    def first_rows(self, open_time: pd.DatetimeIndex) -> IntArray:
        """Return, for each bar, the row of the first bar of its session.

        Parameters
        ----------
        open_time
            Open times of one symbol's bars, UTC, sorted. A bar belongs to the session in which
            it opens.
        """
        clock = to_ns(open_time.tz_convert(self.zone).tz_localize(None))
        day = (clock - self.minute * MINUTE) // DAY
        # Where the clock is set back over the opening, the first passage counts.
        day = np.maximum.accumulate(day)
        begins = np.diff(day, prepend=day[:1] - 1) > 0
        return np.maximum.accumulate(np.where(begins, np.arange(len(day)), 0))
