"""Naive momentum and mean reversion on the very rows that a model was scored on.

Both look at closes known at the decision time only. A model that does not beat them has found
nothing that a line of arithmetic does not know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.kernels.rolling import rolling_mean, rolling_moments
from onward.models.rules import signal_frequencies, signal_probabilities
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = [
    "mean_reversion_signal",
    "momentum_signal",
    "rule_probabilities",
    "rule_signals",
    "trailing_returns",
]

MOVED = 0.43
"""Deviations of the horizon return beyond which a Gaussian return lies two times in three."""
STRETCHED = 1.0
"""Deviations from the trailing mean beyond which mean reversion speaks."""


def rule_signals(market: Market, rows: IntArray, spans: Spans) -> dict[str, FloatArray]:
    """Return each naive rule's signal on labelled rows: -1, 0 or 1, NaN where not known yet.

    Parameters
    ----------
    market
        The bars.
    rows
        Position of each labelled row among the bars, shape (n,).
    spans
        Their spans; the rules look back as far as a typical label looks ahead.
    """
    horizon = max(2, round(float(np.median(spans.end - spans.start)) / market.timeframe_ns))
    return {
        "momentum": momentum_signal(market, horizon)[rows],
        "mean_reversion": mean_reversion_signal(market, horizon)[rows],
    }


def rule_probabilities(train_signal: FloatArray, train_y: npt.NDArray[Any], signal: FloatArray) -> FloatArray:
    """Return probabilities that belong to signals: the training rows' class frequencies given them.

    Parameters
    ----------
    train_signal, train_y
        Signals and classes (-1, 0, 1) of the training rows.
    signal
        Signals of the rows to score, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, 3); where a signal is not known, the plain class frequencies.
    """
    frequencies = signal_frequencies(train_signal, np.asarray(train_y, dtype=np.int64) + 1)
    return signal_probabilities(signal, frequencies)


def trailing_returns(market: Market, n_bars: int) -> FloatArray:
    """Return the log return over the last ``n_bars`` bars of each row's symbol, NaN before."""
    return _by_symbol(market, lambda log_close: _difference(log_close, n_bars))


def momentum_signal(market: Market, n_bars: int) -> FloatArray:
    """Return the direction of the trailing return, 0 when it is small for its own volatility."""

    def signal(log_close: FloatArray) -> FloatArray:
        step = _difference(log_close, 1)
        scale = rolling_mean(step * step, n_bars)
        return _beyond(_difference(log_close, n_bars), MOVED * np.sqrt(n_bars * scale))

    return _by_symbol(market, signal)


def mean_reversion_signal(market: Market, n_bars: int) -> FloatArray:
    """Return the direction back to the trailing mean, 0 when the close is not stretched from it."""

    def signal(log_close: FloatArray) -> FloatArray:
        mean, deviation = rolling_moments(log_close, n_bars, ddof=0)
        return -_beyond(log_close - mean, STRETCHED * deviation)

    return _by_symbol(market, signal)


def _by_symbol(market: Market, function: Any) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        log_close = np.log(market.bars["close"].to_numpy(dtype=np.float64))
        result = np.full(len(market), np.nan)
        for rows in market.rows.values():
            result[rows] = function(log_close[rows])
    return result


def _difference(values: FloatArray, n_bars: int) -> FloatArray:
    result = np.full(len(values), np.nan)
    if len(values) > n_bars:
        result[n_bars:] = values[n_bars:] - values[:-n_bars]
    return result


def _beyond(value: FloatArray, limit: FloatArray) -> FloatArray:
    """Return the sign of values beyond plus or minus a limit, else 0; NaN stays NaN."""
    sign = np.where(np.abs(value) > limit, np.sign(value), 0.0)
    return np.where(np.isnan(value) | np.isnan(limit), np.nan, sign)
