"""Funding rates by bar: every settlement falls into the one interval in which it is paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.types import FloatArray, IntArray, Market, to_ns

__all__ = ["Funding", "funding_by_bar", "settlements"]

SERIES = "funding"
COLUMN = "funding_rate"


@dataclass(frozen=True, eq=False)
class Funding:
    """Sums of funding rates of one symbol's bars; positive: longs pay, shorts receive.

    Attributes
    ----------
    gap
        Rates settled after the close of the bar before and not after the bar's open: settlements
        in a gap of the data. Shape (n,).
    bar
        Rates settled after the bar's open and not after its close. Shape (n,).
    n_settlements, n_unknown
        Settlements within the bars, and how many of them have no known rate (paid as 0).
    """

    gap: FloatArray
    bar: FloatArray
    n_settlements: int
    n_unknown: int


def settlements(market: Market, symbol: str) -> tuple[IntArray, FloatArray]:
    """Return times (ns UTC) and rates of a symbol's settlements, in order of time.

    A settlement is stamped with its time; of several prints of one the newest counts, for that is
    what was paid, and a symbol's own print wins over one for every symbol.
    """
    series = market.series.get(SERIES)
    if series is None or COLUMN not in series.frame.columns:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    names = series.frame["symbol"].to_numpy(object)
    mine = np.flatnonzero((names == symbol) | (names == ""))
    stamp = to_ns(series.frame["timestamp"])[mine]
    known = to_ns(series.frame["available_at"])[mine]
    order = np.lexsort((known, names[mine] == symbol, stamp))
    stamp, mine = stamp[order], mine[order]
    last = np.append(stamp[1:] != stamp[:-1], True) if len(stamp) else np.zeros(0, dtype=bool)
    rates = series.frame[COLUMN].to_numpy(np.float64)[mine[last]]
    return stamp[last], rates


def funding_by_bar(market: Market, symbol: str, open_time: IntArray) -> Funding:
    """Return the funding of a run of one symbol's bars.

    A settlement at the very moment at which one bar closes and the next opens belongs to the
    closing bar: whoever decides at that moment knows the rate already, so his order must come
    after it.

    Parameters
    ----------
    market
        Market with or without a series ``funding``.
    symbol
        The symbol.
    open_time
        Open times of its bars, ns UTC, ascending, shape (n,).
    """
    gap, bar = np.zeros(len(open_time)), np.zeros(len(open_time))
    time, rate = settlements(market, symbol)
    place = np.searchsorted(open_time, time, side="left") - 1  # last bar that opened before
    within = place >= 0
    place, time, rate = place[within], time[within], rate[within]
    in_bar = time <= open_time[place] + market.timeframe_ns
    in_gap = ~in_bar & (place + 1 < len(open_time))
    unknown = np.isnan(rate) & (in_bar | in_gap)
    paid = np.nan_to_num(rate)
    np.add.at(bar, place[in_bar], paid[in_bar])
    np.add.at(gap, place[in_gap] + 1, paid[in_gap])
    n_settlements = int(np.count_nonzero(in_bar) + np.count_nonzero(in_gap))
    return Funding(gap, bar, n_settlements, int(np.count_nonzero(unknown)))
