"""Putting values on a scale that does not move with the price: ratios, log ratios, true range.

A feature that carries the price level teaches a model the level: learnt at 3,000 it means nothing
at 60,000. Everything here returns NaN, never an infinity, where a ratio has no value.
"""

from __future__ import annotations

import numpy as np

from onward.kernels.rolling import lag
from onward.types import FloatArray

__all__ = ["log_change", "log_ratio", "ratio", "relative_gap", "true_range", "typical_price"]


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return ``numerator / denominator``; NaN where the denominator is zero or the ratio overflows."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        out: FloatArray = np.divide(numerator, denominator)
    return np.where(np.isfinite(out), out, np.nan)


def relative_gap(value: FloatArray, base: FloatArray) -> FloatArray:
    """Return ``value / base - 1``: how far a price lies above another, as a fraction."""
    return ratio(value, base) - 1.0


def log_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return ``log(numerator / denominator)``; NaN unless both are positive."""
    positive = (numerator > 0.0) & (denominator > 0.0)
    out = ratio(numerator, denominator)
    return np.log(out, out=np.full(len(out), np.nan), where=positive & (out > 0.0))


def log_change(values: FloatArray, bars: int = 1) -> FloatArray:
    """Return the log change over some bars; NaN unless both ends are positive."""
    return log_ratio(values, lag(values, bars))


def true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Return Wilder's true range, NaN at the first row (it needs the previous close)."""
    before = lag(close, 1)
    out: FloatArray = np.maximum(high, before) - np.minimum(low, before)
    return out


def typical_price(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Return ``(high + low + close) / 3``."""
    out: FloatArray = (high + low + close) / 3.0
    return out
