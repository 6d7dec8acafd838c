"""Which bars a model learnt from: on those it looks better than it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
import pandas as pd

from onward.data.timeframe import parse_timeframe
from onward.registry import Manifest
from onward.types import BoolArray, IntArray, Market

__all__ = ["LearntBars", "learnt_cautions"]

AMONG = "among those the model was trained on: judge it by its out-of-fold scores"


@dataclass(frozen=True)
class LearntBars:
    """The stretch of bars that a model was fitted on.

    Attributes
    ----------
    symbols
        Those of training; bars of others are none of it.
    first_ns, last_ns
        First and last open time of bars that had a label, ns UTC.
    """

    symbols: frozenset[str]
    first_ns: int
    last_ns: int

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """Return what a manifest knows of it; None where it does not say.

        The newest bars of a training have no outcome yet, so nothing was learnt from them: those of
        one horizon are left out. A rolling window leaves out the oldest.
        """
        labels, validation = (manifest.plan.get(name) for name in ("labels", "validation"))
        try:
            first, last = (_ns(str(manifest.data.get(name))) for name in ("first_open", "last_open"))
        except ValueError:
            return None
        bar = parse_timeframe(manifest.timeframe).value
        horizon = labels.get("horizon_bars") if isinstance(labels, dict) else None
        last -= bar * horizon if isinstance(horizon, int) else 0
        if isinstance(validation, dict):
            window = _window_ns(validation.get("window"), validation.get("window_bars"), bar)
            first = max(first, last - window)
        return cls(frozenset(manifest.symbols), first, last)

    def contains(self, symbol: str, open_time_ns: IntArray) -> BoolArray:
        """Return which bars of a symbol were learnt from, by their open times, ns UTC, shape (n,)."""
        if symbol not in self.symbols:
            return np.zeros(len(open_time_ns), dtype=np.bool_)
        return (open_time_ns >= self.first_ns) & (open_time_ns <= self.last_ns)

    def among(self, market: Market, start: pd.Timestamp | None = None) -> int:
        """Return how many bars of a market, or of those from a moment on, were learnt from."""
        since = np.iinfo(np.int64).min if start is None else start.as_unit("ns").value
        found = 0
        for symbol, rows in market.rows.items():
            opens = market.open_time_ns[rows]
            found += int(np.count_nonzero(self.contains(symbol, opens[opens >= since])))
        return found

    def newest_among(self, market: Market) -> int:
        """Return how many of the symbols' newest bars were learnt from."""
        newest = ((symbol, market.open_time_ns[rows][-1:]) for symbol, rows in market.rows.items())
        return sum(bool(self.contains(symbol, opens).any()) for symbol, opens in newest)


def learnt_cautions(n_bars: int) -> list[str]:
    """Return what is to be said of predicting bars that were learnt from; nothing when none was."""
    if n_bars < 1:
        return []
    return [f"{n_bars:,} of these bars {'is' if n_bars == 1 else 'are'} {AMONG}"]


def _window_ns(window: object, bars: object, bar: int) -> int:
    """Return the reach of a rolling window before its newest bar; further than any bars when it expands."""
    if window == "rolling" and isinstance(bars, int):
        return (bars - 1) * bar
    if isinstance(window, int):
        return (window - 1) * bar
    if isinstance(window, str) and window not in ("rolling", "expanding"):
        return int(parse_timeframe(window).value)
    return np.iinfo(np.int64).max // 2


def _ns(text: str) -> int:
    return int(pd.Timestamp(datetime.fromisoformat(text)).as_unit("ns").value)
