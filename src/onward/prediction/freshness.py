"""Whether data are fresh enough to act on: bars symbol by symbol, side series against their own rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from onward.data.timeframe import parse_timerange
from onward.errors import PredictionError, told_bars
from onward.prediction.lateness import LATE
from onward.types import IntArray, Market, from_ns, to_ns

__all__ = [
    "LateSeries",
    "bars_missed",
    "batch_moment",
    "late_at",
    "late_series",
    "require_fresh",
    "series_cautions",
    "stale_cautions",
]


def require_fresh(market: Market, now: pd.Timestamp, max_staleness_bars: int) -> None:
    """Refuse a market of which a symbol's newest bar closed too long ago.

    Parameters
    ----------
    market
        Bars known at ``now``.
    now
        UTC.
    max_staleness_bars
        Bars that may have closed since.

    Raises
    ------
    PredictionError
        Naming the stalest symbol.
    """
    newest = {s: market.decision_time[rows.stop - 1] for s, rows in market.rows.items()}
    symbol = min(newest, key=lambda s: newest[s])
    missed = int((now - newest[symbol]) // market.timeframe)
    if missed > max_staleness_bars:
        raise PredictionError(
            f"the newest bar of {symbol} is stale: a signal from it would be acted on too late",
            got=f"last bar closed {newest[symbol].isoformat()}, {missed} bars before {now.isoformat()}",
            allowed=f"at most {max_staleness_bars} bars (prediction.max_staleness_bars)",
            remedy="Import the bars since then, leave the symbol out with data.symbols, or predict as of "
            "another moment (--at; in Python and in requests: at).",
        )


def bars_missed(market: Market, now: pd.Timestamp) -> int:
    """Return how many bars closed since the newest one of the symbol that is furthest behind."""
    newest = min(market.decision_time[rows.stop - 1] for rows in market.rows.values())
    return int((now - newest) // market.timeframe)


def stale_cautions(market: Market, now: pd.Timestamp, max_staleness_bars: int | None) -> list[str]:
    """Return what a batch is told of old bars; it is not refused, since it may be about the past alone.

    Parameters
    ----------
    market, now, max_staleness_bars
        As of `require_fresh`; nothing is said where no number of bars is set.
    """
    missed = bars_missed(market, now)
    if max_staleness_bars is None or missed <= max_staleness_bars:
        return []
    said = f"the newest bar is stale: {told_bars(missed)} closed since it did, before {now.isoformat()}"
    allowed = f"prediction.max_staleness_bars allows {max_staleness_bars}"
    return [f"{said}, and {allowed}; do not act on its signal"]


def batch_moment(timerange: str | None, now: pd.Timestamp) -> pd.Timestamp:
    """Return the moment as of which a batch of stored bars is taken: the end of its range, at most now."""
    end = parse_timerange(timerange).end
    return now if end is None else min(end, now)


@dataclass(frozen=True)
class LateSeries:
    """A side series whose newest value is old for its own rhythm; the value is still carried on.

    Attributes
    ----------
    name
        Of the series.
    newest
        Moment at which its newest value became known, UTC; None when none was known yet.
    """

    name: str
    newest: pd.Timestamp | None

    def __str__(self) -> str:
        if self.newest is None:
            return f"no value of {self.name} was known yet: its features are empty"
        return f"the newest value of {self.name} is of {self.newest.isoformat()} and may be stale"


def late_series(market: Market) -> list[LateSeries]:
    """Return the side series that are late at the newest bar of a market."""
    newest_bar = int(market.decision_time_ns.max())
    found = []
    for name, series in market.series.items():
        known = np.unique(to_ns(series.frame["available_at"]))
        known = known[known <= newest_bar]
        if len(known) == 0:
            found.append(LateSeries(name, None))
        elif late_at(known, market.decision_time_ns.max(keepdims=True), market.timeframe_ns)[0]:
            found.append(LateSeries(name, from_ns(known[-1:])[0]))
    return found


def late_at(known: IntArray, moments: IntArray, bar: int) -> NDArray[np.bool_]:
    """Return at which moments a side series is late: `LATE` of its usual steps without a new value.

    Parameters
    ----------
    known
        Moments at which its values became known, each once, in order; nanoseconds.
    moments
        At which it is looked at, in order; nanoseconds.
    bar
        Length of a bar, nanoseconds: what comes more often is not late before so many bars.

    Returns
    -------
    ndarray
        Shape of ``moments``; also where no value was known yet.
    """
    newest = np.searchsorted(known, moments, side="right") - 1
    before = known[: newest.max(initial=-1) + 1]
    usual = int(np.median(np.diff(before))) if len(before) > 1 else bar
    late: NDArray[np.bool_] = newest < 0
    late[~late] = moments[~late] - known[newest[~late]] > LATE * max(usual, bar)
    return late


def series_cautions(market: Market) -> list[str]:
    """Name the side series whose newest value is old for their own rhythm; it is still carried on."""
    return [str(late) for late in late_series(market)]
