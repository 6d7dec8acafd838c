"""What bars are grouped by: the UTC day, trading session and week in which they open, and their moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from onward.types import FloatArray, IntArray, Market

__all__ = ["PARENTS", "Parent", "Windows", "windows"]

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
WEEK = 7 * DAY


@dataclass(frozen=True)
class Parent:
    """A parent dataframe of the bars.

    Attributes
    ----------
    option
        Name in the option ``parents``.
    frame
        Name of the dataframe in the entity set.
    span
        Longest time between the opens of its bars, ns, exclusive; 0 for one moment.
    offset
        Added to the open time, ns, so that groups begin at multiples of the span.
    """

    option: str
    frame: str
    span: int
    offset: int = 0

    @property
    def cross_section(self) -> bool:
        """Whether it joins symbols rather than moments."""
        return self.span == 0

    def numbers(self, market: Market) -> IntArray:
        """Return the number of each bar's group within its symbol; for a moment, over all symbols."""
        if self.cross_section:
            return market.open_time_ns
        return (market.open_time_ns + self.offset) // self.span


PARENTS: Mapping[str, Parent] = MappingProxyType(
    {
        "session": Parent("session", "sessions", 8 * HOUR),
        "day": Parent("day", "days", DAY),
        "week": Parent("week", "weeks", WEEK, 3 * DAY),  # 1970-01-01 was a Thursday; weeks begin on Monday
        "moment": Parent("moment", "moments", 0),
    }
)
"""By the name used in options, shortest first. Sessions are 00 to 08, 08 to 16 and 16 to 24 h UTC."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The rows that a parent's aggregations see, for every row of a market.

    Attributes
    ----------
    order
        Positions of the market's rows in the order in which kernels walk; None: as they are.
    start
        First position, in that order, of each position's window.
    result
        Position, in that order, whose prefix is each market row's value; None: its own.
    """

    order: IntArray | None
    start: IntArray
    result: IntArray | None

    def arrange(self, values: Any) -> Any:
        """Return values of the market's rows in the order in which kernels walk."""
        return values if self.order is None else np.ascontiguousarray(values[self.order])

    def restore(self, values: FloatArray) -> FloatArray:
        """Return what a kernel gave, in the order of the market's rows."""
        return values if self.result is None else values[self.result]


def windows(market: Market, parent: Parent, window_ns: int) -> Windows:
    """Return the windows of a parent: rows of the same group in ``(decision time - window, decision time]``.

    This is featuretools' training window with data at the cutoff included: open at its beginning,
    closed at its end. A moment's window is the moment itself, all its symbols.
    """
    numbers = parent.numbers(market)
    n = len(market)
    rows = np.arange(n, dtype=np.int64)
    if parent.cross_section:
        order = np.argsort(numbers, kind="stable").astype(np.int64)
        first = np.flatnonzero(np.diff(numbers[order], prepend=np.iinfo(np.int64).min))
        group = np.searchsorted(first, rows, side="right") - 1
        last = np.append(first[1:], n) - 1
        result = np.empty(n, dtype=np.int64)
        result[order] = last[group]
        return Windows(order, first[group].astype(np.int64), result)
    start = np.empty(n, dtype=np.int64)
    for part in market.rows.values():
        own = numbers[part]
        edges = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
        begins = edges[np.searchsorted(edges, np.arange(len(own)), side="right") - 1]
        times = market.decision_time_ns[part]
        oldest = np.searchsorted(times, times - window_ns, side="right")
        start[part] = part.start + np.maximum(begins, oldest)
    return Windows(None, start, None)
