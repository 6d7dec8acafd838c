"""Rolling statistics written as their definitions, one window at a time.

Sums are taken with `math.fsum`, which is exact up to the final rounding, so a difference from the
fast kernels is the kernels' error.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from onward.kernels.rolling_input import FloatArray

__all__ = [
    "argmax",
    "argmin",
    "correlation",
    "each_window",
    "mean",
    "quantile",
    "rank",
    "recursive_mean",
    "regression",
    "shape",
    "std",
    "streak",
]


def each_window(values: FloatArray, window: int, function: Callable[[FloatArray], float]) -> FloatArray:
    """Apply a function to every full window without NaN."""
    out = np.full(len(values), np.nan)
    for row in range(window - 1, len(values)):
        part = values[row - window + 1 : row + 1]
        if not np.isnan(part).any():
            out[row] = function(part)
    return out


def mean(part: FloatArray) -> float:
    """Return the mean."""
    return math.fsum(part) / len(part)


def std(part: FloatArray, ddof: int = 1) -> float:
    """Return the standard deviation."""
    centre = mean(part)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in part) / (len(part) - ddof))


def shape(part: FloatArray) -> tuple[float, float, float]:
    """Return population variance, skewness and excess kurtosis."""
    centre = mean(part)
    second, third, fourth = (math.fsum((x - centre) ** k for x in part) / len(part) for k in (2, 3, 4))
    if second <= 1e-150:
        return second, math.nan, math.nan
    return second, third / second**1.5, fourth / second**2 - 3.0


def argmax(part: FloatArray) -> float:
    """Return the position of the first maximum."""
    return float(np.argmax(part))


def argmin(part: FloatArray) -> float:
    """Return the position of the first minimum."""
    return float(np.argmin(part))


def rank(part: FloatArray) -> float:
    """Return the newest value's percentile rank, ties averaged."""
    below = sum(x < part[-1] for x in part)
    equal = sum(x == part[-1] for x in part)
    return float((below + 0.5 * (equal + 1)) / len(part))


def quantile(part: FloatArray, probability: float) -> float:
    """Return a linearly interpolated quantile."""
    return float(np.quantile(part, probability))


def regression(part: FloatArray) -> tuple[float, float, float]:
    """Return slope, coefficient of determination and the newest residual of a line against time."""
    times = np.arange(len(part)) - 0.5 * (len(part) - 1)
    centre = mean(part)
    slope = math.fsum(times * (part - centre)) / math.fsum(times**2)
    spread = math.fsum((part - centre) ** 2)
    explained = slope**2 * math.fsum(times**2)
    determination = explained / spread if spread > 0.0 else math.nan
    return slope, determination, float(part[-1] - centre - slope * times[-1])


def correlation(x: FloatArray, y: FloatArray) -> float:
    """Return Pearson's correlation of two windows; NaN when one is flat."""
    dx, dy = x - mean(x), y - mean(y)
    xx, yy = math.fsum(dx**2), math.fsum(dy**2)
    return math.fsum(dx * dy) / math.sqrt(xx * yy) if xx > 0.0 and yy > 0.0 else math.nan


def streak(part: FloatArray) -> float:
    """Return for how many rows up to the newest a condition holds."""
    broken = np.flatnonzero(part == 0.0)
    return float(len(part) - 1 - broken[-1]) if len(broken) else float(len(part))


def recursive_mean(values: FloatArray, window: int, alpha: float) -> FloatArray:
    """Return an exponential average seeded by the simple mean of its first ``window`` values."""
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        out[window - 1] = mean(values[:window])
        for row in range(window, len(values)):
            out[row] = (1.0 - alpha) * out[row - 1] + alpha * values[row]
    return out
