"""Rows that lie far from all others: a wrong stamp makes a gap of years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.types import to_ns

__all__ = ["Stray", "stray_values", "strays"]

FAR_STEPS = 1000
"""Usual steps between rows and all others from which on they count as far."""
FEW_ROWS = 3
FEW_SHARE = 0.01
MOST = 5


@dataclass(frozen=True)
class Stray:
    """A few rows in a row that lie far from all others; UTC."""

    first: pd.Timestamp
    last: pd.Timestamp
    rows: int

    @property
    def timerange(self) -> str:
        """Return the range that holds these rows alone, as removals take it."""
        end = self.last.floor("min") + pd.Timedelta(1, unit="min")
        return f"{self.first:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}"


def strays(times: pd.DatetimeIndex | pd.Series) -> tuple[Stray, ...]:
    """Return rows that probably carry a wrong stamp: few, and far from all others.

    Far are 1,000 usual steps (their median) or more to the neighbours on both sides; few are three
    rows, and one in a hundred of all. A series that begins anew after a long pause has no strays.

    Parameters
    ----------
    times
        Of one symbol, UTC, in any order.

    Returns
    -------
    tuple of Stray
        In order of time, five at most.
    """
    moments = np.unique(to_ns(times))
    if len(moments) < FEW_ROWS / FEW_SHARE:
        return ()
    steps = np.diff(moments)
    cuts = np.flatnonzero(steps >= FAR_STEPS * np.median(steps)) + 1
    if not len(cuts):
        return ()
    begins, ends = np.r_[0, cuts], np.r_[cuts, len(moments)]
    few = ends - begins <= FEW_ROWS
    if (ends - begins)[few].sum() > FEW_SHARE * len(moments):
        return ()  # such gaps are how this series is
    return tuple(
        Stray(
            pd.Timestamp(int(moments[begin]), tz="UTC"),
            pd.Timestamp(int(moments[end - 1]), tz="UTC"),
            int(end - begin),
        )
        for begin, end in list(zip(begins[few], ends[few], strict=True))[:MOST]
    )


def stray_values(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the strays of each symbol of a table with ``symbol`` and ``timestamp``, as plain JSON values."""
    return [
        {
            "symbol": str(symbol),
            "first": stray.first.isoformat(),
            "last": stray.last.isoformat(),
            "rows": stray.rows,
            "timerange": stray.timerange,
        }
        for symbol, rows in frame.groupby("symbol", sort=True)
        for stray in strays(rows["timestamp"])
    ]
