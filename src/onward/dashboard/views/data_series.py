"""What the page of one stored series shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from onward.dashboard.views.data import SeriesRow, series_address
from onward.server.coverage import bar_length

if TYPE_CHECKING:
    import numpy as np

    from onward.types import FloatArray

__all__ = ["SeriesView", "thinned"]

SPANS = (100, 1000, 10_000)
"""Bars that buttons of the chart show; it begins with the first."""


@dataclass(frozen=True)
class SeriesView:
    """One stored series.

    Attributes
    ----------
    row
        As in the list, its bar on an axis of its own.
    timeframes
        In which candles of the symbol are stored.
    beside
        Side series that stand beside its candles.
    longest_gap
        Longest distance between neighbouring rows, seconds.
    """

    row: SeriesRow
    timeframes: Sequence[str]
    beside: Sequence[str]
    longest_gap: float

    @property
    def source(self) -> str:
        """Where its values come from; of candles as far as a chart looks."""
        if self.row.kind != "candles":
            return "/ui/series/values?" + urlencode({"kind": self.row.kind, "symbol": self.row.symbol})
        named = [("symbol", self.row.symbol), ("timeframe", self.row.timeframe)]
        return "/ui/series/candles?" + urlencode([*named, *(("side", name) for name in self.beside)])

    @property
    def bar_seconds(self) -> float:
        """Length of a bar."""
        return bar_length(self.row.timeframe).total_seconds()

    @property
    def first_view(self) -> tuple[float, float]:
        """Unix seconds between which the chart begins to look."""
        end = self.row.last.timestamp()
        return max(self.row.first.timestamp(), end - SPANS[0] * self.bar_seconds), end

    @property
    def spans(self) -> tuple[int, ...]:
        """Numbers of bars that buttons of the chart show, besides all of them."""
        return tuple(n for n in SPANS if n < self.row.rows)

    @property
    def chart(self) -> dict[str, Any]:
        """What the script needs to know."""
        begin, end = self.first_view
        return {
            "from": begin,
            "to": end,
            "bar": self.bar_seconds,
            "panes": list(self.beside),
            "first": self.row.first.timestamp(),
            "end": end,
        }

    def address(self, timeframe: str) -> str:
        """Return the address of the same symbol in another timeframe."""
        return series_address("candles", self.row.symbol, timeframe)


def thinned(time: np.ndarray[Any, np.dtype[np.int64]], value: FloatArray, most: int) -> dict[str, Any]:
    """Return a line with at most about ``most`` points that looks the same: extremes of stretches stay.

    Parameters
    ----------
    time
        Unix seconds, sorted, shape (n,).
    value
        Shape (n,); NaN is None.
    most
        Points.
    """
    import numpy as np

    n = len(time)
    if n > most:
        edges = np.linspace(0, n, most // 2 + 1).astype(np.int64)
        kept = {0, n - 1}
        for begin, end in pairwise(edges):
            stretch = value[begin:end]
            if np.isfinite(stretch).any():
                kept |= {int(begin + np.nanargmin(stretch)), int(begin + np.nanargmax(stretch))}
        rows = np.array(sorted(kept))
        time, value = time[rows], value[rows]
    values = [one if np.isfinite(one) else None for one in value.tolist()]
    return {"time": time.tolist(), "value": values}
