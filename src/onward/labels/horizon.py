"""What happens a fixed number of bars after each row, and what was known of it at the row.

Everything goes symbol by symbol and counts bars: a gap is one step like any other, and no window
crosses from one symbol into the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onward.kernels.forward import UNKNOWN_TIME, forward_log_return, forward_time
from onward.labels.remembering import remembered
from onward.types import FloatArray, IntArray, Market

__all__ = [
    "NEVER",
    "by_symbol",
    "outcome_time",
    "outcomes",
    "trailing_absolute_quantile",
    "trailing_volatility",
]

NEVER = UNKNOWN_TIME
"""Outcome time of a row whose outcome lies beyond the data."""


@remembered
def outcomes(market: Market, horizon_bars: int) -> FloatArray:
    """Return the log return of the close over the next ``horizon_bars`` bars, NaN when not known.

    This looks ahead: it is what a label is made of, and never a feature.
    """
    return by_symbol(market, lambda close: forward_log_return(close, horizon_bars))


@remembered
def outcome_time(market: Market, horizon_bars: int) -> IntArray:
    """Return the decision time of the bar ``horizon_bars`` bars later, ns UTC, else `NEVER`."""
    times = market.decision_time_ns
    out = np.full(len(market), NEVER, dtype=np.int64)
    for rows in market.rows.values():
        out[rows] = forward_time(times[rows], horizon_bars)
    return out


@remembered
def trailing_volatility(market: Market, window_bars: int) -> FloatArray:
    """Return the sample deviation of the last ``window_bars`` one-bar log returns.

    Known at the row's decision time; NaN until ``window_bars`` + 1 closes are known, and while a
    NaN close is in the window.
    """
    from onward.kernels.rolling import rolling_std

    return by_symbol(market, lambda close: rolling_std(_past_return(close, 1), window_bars))


@remembered
def trailing_absolute_quantile(
    market: Market, horizon_bars: int, window_bars: int, quantile: float
) -> FloatArray:
    """Return a quantile of the last ``window_bars`` absolute horizon returns that are known.

    The newest return in the window *ends* at the row's own close, so it began ``horizon_bars``
    bars earlier: nothing in the window was unknown at the row's decision time. NaN until
    ``window_bars + horizon_bars`` closes are known, and while a NaN return is in the window.
    Linear interpolation between order statistics.
    """
    from onward.kernels.rolling import rolling_quantile

    return by_symbol(
        market,
        lambda close: rolling_quantile(np.abs(_past_return(close, horizon_bars)), window_bars, quantile),
    )


def _past_return(close: FloatArray, bars: int) -> FloatArray:
    usable = np.isfinite(close) & (close > 0.0)
    logarithm = np.log(close, out=np.full(len(close), np.nan), where=usable)
    out = np.full(len(close), np.nan)
    out[bars:] = logarithm[bars:] - logarithm[: len(close) - bars] if bars < len(close) else np.nan
    return out


def by_symbol(market: Market, compute: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return what a function makes of each symbol's closes, shape (n,), in the market's order."""
    close = market.bars["close"].to_numpy(np.float64)
    out = np.full(len(market), np.nan)
    for rows in market.rows.values():
        out[rows] = compute(np.ascontiguousarray(close[rows]))
    return out
