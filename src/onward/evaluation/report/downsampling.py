"""Fewer points for the same picture, without hiding what matters."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from onward.types import FloatArray, IntArray

__all__ = ["Bars", "bucket_edges", "calendar_step", "merge_bars", "run_lengths", "short_floats"]

MINUTE = 60_000_000_000
STEPS = tuple(
    MINUTE * n
    for n in (1, 5, 15, 30, 60, 120, 240, 360, 720, 1_440, 2_880, 4_320, 7 * 1_440, 14 * 1_440, 28 * 1_440)
)


@dataclass(frozen=True, eq=False)
class Bars:
    """Candles of one symbol with the position held in them.

    Attributes
    ----------
    time
        Open times, ns UTC, shape (n,).
    open, high, low, close
        Prices, shape (n,).
    position
        Mean position held, -1 to 1; NaN where nothing was simulated. Shape (n,).
    """

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    position: FloatArray

    def __len__(self) -> int:
        return len(self.time)


def calendar_step(first: int, last: int, n_most: int, at_least: int) -> int:
    """Return the shortest usual candle length (ns) with which a period takes at most ``n_most`` candles."""
    for step in STEPS:
        if step >= at_least and (last - first) // step + 2 <= n_most:
            return step
    weeks = 7 * 1_440 * MINUTE
    needed = max(at_least, (last - first) // max(n_most - 2, 1) + 1)
    return weeks * -(-needed // weeks)


def merge_bars(bars: Bars, step: int) -> Bars:
    """Return candles of ``step`` ns: first open, highest high, lowest low, last close, mean position."""
    if len(bars) == 0:
        return bars
    opened = bars.time // step * step
    starts = np.flatnonzero(np.diff(opened, prepend=opened[0] - 1))
    ends = np.append(starts[1:], len(bars)) - 1
    known = ~np.isnan(bars.position)
    n_known = np.add.reduceat(known.astype(np.float64), starts)
    total = np.add.reduceat(np.where(known, bars.position, 0.0), starts)
    mean = np.divide(total, n_known, out=np.full(len(starts), np.nan), where=n_known > 0)
    return Bars(
        time=opened[starts],
        open=bars.open[starts],
        high=np.maximum.reduceat(bars.high, starts),
        low=np.minimum.reduceat(bars.low, starts),
        close=bars.close[ends],
        position=mean,
    )


def bucket_edges(n_points: int, n_most: int) -> IntArray:
    """Return where each of at most ``n_most`` nearly equal buckets of points starts."""
    n_buckets = min(n_points, n_most)
    return np.unique(np.linspace(0, n_points, n_buckets, endpoint=False).astype(np.int64))


def run_lengths(time: IntArray) -> dict[str, Any]:
    """Return times (ns) as start and runs of equal steps, in seconds: compact, since gaps are few."""
    seconds = time // 1_000_000_000
    if len(seconds) == 0:
        return {"start": 0, "runs": []}
    steps = np.diff(seconds)
    if len(steps) == 0:
        return {"start": int(seconds[0]), "runs": []}
    heads = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
    lengths = np.diff(np.append(heads, len(steps)))
    runs = [[int(steps[h]), int(n)] for h, n in zip(heads, lengths, strict=True)]
    return {"start": int(seconds[0]), "runs": runs}


def short_floats(values: FloatArray, digits: int = 6) -> list[float | None]:
    """Return values with a number of significant digits; unknown ones become None."""
    return [None if not isfinite(v) else float(f"{v:.{digits}g}") for v in values.tolist()]
