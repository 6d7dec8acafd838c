"""Whether data are fresh enough to act on: bars symbol by symbol, side series against their own rhythm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.errors import PredictionError
from onward.types import Market, from_ns, to_ns

__all__ = ["require_fresh", "series_cautions"]

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
            "another moment (--at).",
        )


def series_cautions(market: Market) -> list[str]:
    """Name the side series whose newest value is old for their own rhythm; it is still carried on."""
    newest_bar = int(market.decision_time_ns.max())
    sentences = []
    for name, series in market.series.items():
        known = np.unique(to_ns(series.frame["available_at"]))
        known = known[known <= newest_bar]
        if len(known) == 0:
            sentences.append(f"no value of {name} was known yet: its features are empty")
            continue
        usual = int(np.median(np.diff(known))) if len(known) > 1 else market.timeframe_ns
        if newest_bar - int(known[-1]) > LATE * max(usual, market.timeframe_ns):
            last = from_ns(known[-1:])[0].isoformat()
            sentences.append(f"the newest value of {name} is of {last} and may be stale")
    return sentences
