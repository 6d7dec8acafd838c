"""Bars of a higher timeframe for one symbol, the same whatever the first base bar is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.data.availability import as_of
from onward.data.resample import closed_bars
from onward.data.timeframe import format_timeframe
from onward.features.manual.family import Bars
from onward.types import INDEX_NAMES, OHLCV, FloatArray, Market, SideSeries, from_ns, to_ns

__all__ = ["HigherBars", "higher_lookback", "higher_timeframes", "label", "session_timeframe"]

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

LADDER = (
    5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, WEEK,
)  # fmt: skip
"""Timeframes that traders look at, ns."""


def higher_timeframes(timeframe: int) -> tuple[int, ...]:
    """Return up to two higher timeframes (ns): the first ones of at least 4 and 24 bars.

    Examples
    --------
    >>> [label(t) for t in higher_timeframes(HOUR)]
    ['4h', '1d']
    """
    chosen: list[int] = []
    for factor in (4, 24):
        found = [t for t in LADDER if t >= factor * timeframe and t % timeframe == 0]
        if found and found[0] not in chosen:
            chosen.append(found[0])
    return tuple(chosen)


def session_timeframe(timeframe: int) -> int | None:
    """Return the timeframe (ns) of the bar before which pivots are taken: day, for days the week."""
    return next((t for t in (DAY, WEEK) if t > timeframe and t % timeframe == 0), None)


def label(timeframe: int) -> str:
    """Return the short spelling of a timeframe given in ns."""
    return format_timeframe(pd.Timedelta(timeframe, unit="ns"))


def higher_lookback(n_bars: int, higher: int, timeframe: int) -> int:
    """Return how many base bars always hold the ``n_bars`` newest closed higher bars, whole.

    At most ``r - 1`` bars belong to the higher bar that is still open and ``r`` to each closed
    one; one bar more proves that the oldest of them is not cut. Gaps only make bars fewer, so
    the same number of base bars then reaches further back.
    """
    factor = higher // timeframe
    return factor * (n_bars + 1) + 1


@dataclass(frozen=True, eq=False)
class HigherBars:
    """Closed bars of a higher timeframe beside the base bars they were made from.

    Build one with `HigherBars.of`. The first higher bar is left out unless it is seen from its
    beginning: whether earlier base bars are missing or merely were not given must not matter.

    Attributes
    ----------
    open, high, low, close, volume
        float64, one value a higher bar.
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    _base: Market
    _closed: SideSeries

    @classmethod
    def of(cls, bars: Bars, timeframe: int) -> HigherBars:
        """Return the closed bars of a timeframe (ns) that is a multiple of the base one."""
        n = len(bars)
        levels: Any = [pd.Index([""], dtype=object), from_ns(bars.open_time)]
        codes: Any = [np.zeros(n, np.int64), np.arange(n)]
        index = pd.MultiIndex(levels=levels, codes=codes, names=INDEX_NAMES, verify_integrity=False)
        columns = {name: getattr(bars, name) for name in OHLCV}
        base = Market(pd.DataFrame(columns, index=index, copy=False), pd.Timedelta(bars.timeframe, unit="ns"))
        closed = closed_bars(base, pd.Timedelta(timeframe, unit="ns"))
        frame = closed.frame
        if len(frame):
            missing = int(bars.open_time[0] - to_ns(frame["timestamp"].iloc[:1])[0])
            frame = frame.iloc[int(missing >= bars.timeframe) :].reset_index(drop=True)
        values = {name: frame[name].to_numpy(np.float64) for name in OHLCV}
        return cls(**values, _base=base, _closed=SideSeries(closed.name, frame))

    def on_base(self, values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return values of higher bars as each base row may see them: those of closed bars only."""
        frame = self._closed.frame[["symbol", "timestamp", "available_at"]]
        side = SideSeries("higher", pd.concat([frame, pd.DataFrame(dict(values), index=frame.index)], axis=1))
        joined = as_of(self._base.replace(series={"higher": side}), "higher")
        return {name: joined[name].to_numpy() for name in values}
