"""Whether data are fresh enough to act on: bars symbol by symbol, side series against their own rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.errors import PredictionError
from onward.types import Market, from_ns, to_ns

__all__ = ["LateSeries", "late_series", "require_fresh", "series_cautions"]

LATE = 3
"""Usual steps of a side series without a new value after which it is worth a sentence."""


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
            continue
        usual = int(np.median(np.diff(known))) if len(known) > 1 else market.timeframe_ns
        if newest_bar - int(known[-1]) > LATE * max(usual, market.timeframe_ns):
            found.append(LateSeries(name, from_ns(known[-1:])[0]))
    return found


def series_cautions(market: Market) -> list[str]:
    """Name the side series whose newest value is old for their own rhythm; it is still carried on."""
    return [str(late) for late in late_series(market)]
