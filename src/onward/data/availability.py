"""The one as-of join: which side values a bar may see.

Nothing else in Onward joins a side series to bars, so a leak through a join has one place to
hide, and that place is tested. How values come by their moment of availability is written in
`onward.data.rules` and done in `onward.data.series`; both are offered here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.data.rules import RULES, SeriesRule
from onward.data.series import make_series
from onward.errors import SeriesError, nearest
from onward.types import IntArray, Market, to_ns

__all__ = ["RULES", "SeriesRule", "as_of", "make_series"]


def as_of(market: Market, name: str) -> pd.DataFrame:
    """Return, for every bar, the newest side values known at its decision time.

    Of the prints with ``available_at <= decision_time`` the one with the newest timestamp
    counts, and of that timestamp the newest print: a revision replaces the first print from its
    own availability on, and a late correction of an older period never hides a newer one. Rows
    whose symbol is empty count for every symbol; a symbol's own row wins a tie.

    Parameters
    ----------
    market
        Bars and series.
    name
        Name of one of the market's series.

    Returns
    -------
    DataFrame
        Index ``market.bars.index``, the series' value columns, float64; NaN before the first
        known value and where the publisher gave NaN.

    Raises
    ------
    SeriesError
        When the market has no such series.
    """
    if name not in market.series:
        guess = nearest(name, market.series)
        raise SeriesError(
            f"The market has no series {name!r}" + (f"; did you mean {guess!r}?" if guess else ""),
            got=", ".join(market.series) or "a market without side series",
            remedy=f"Read it with the bars: series={{{name!r}: ...}}.",
        )
    series = market.series[name]
    values = series.frame[list(series.values)].to_numpy(np.float64)
    prints = _Prints(
        series.frame["symbol"].to_numpy(object),
        to_ns(series.frame["timestamp"]),
        to_ns(series.frame["available_at"]),
    )
    out = np.full((len(market), values.shape[1]), np.nan)
    for symbol, rows in market.rows.items():
        order = prints.effective(symbol)
        if not len(order):
            continue
        newest = np.searchsorted(prints.available[order], market.decision_time_ns[rows], side="right") - 1
        seen = newest >= 0
        block = out[rows]
        block[seen] = values[order[newest[seen]]]
    return pd.DataFrame(out, index=market.bars.index, columns=list(series.values))


@dataclass(frozen=True, eq=False)
class _Prints:
    """Symbol, timestamp and availability of every print of a series."""

    symbol: np.ndarray[Any, Any]
    timestamp: IntArray
    available: IntArray

    def effective(self, symbol: str) -> IntArray:
        """Return the prints that ever are the newest for a symbol, in order of availability."""
        mine = np.flatnonzero((self.symbol == symbol) | (self.symbol == ""))
        own = self.symbol[mine] == symbol
        mine = mine[np.lexsort((own, self.timestamp[mine], self.available[mine]))]
        stamps = self.timestamp[mine]
        return mine[stamps >= np.maximum.accumulate(stamps)] if len(mine) else mine
