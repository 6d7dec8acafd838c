"""Statistics of trailing windows: one value a row, over the ``window`` newest rows.

Rules that all of them keep:

- windows count rows and end at the row itself; the first ``window - 1`` rows are NaN;
- a window that contains NaN has no value; windows after it are not affected;
- a window's value depends on its own rows alone: it is the same, up to a few roundings, wherever
  the series begins and whatever was seen before (no running sums);
- the cost is linear in rows, and for all but `rolling_shape` hardly grows with the window;
- what is undefined (the correlation of a constant) is NaN.

Input is one-dimensional and finite or NaN; output is float64 of the same length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, SupportsIndex

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError
from onward.kernels.jit import kernel
from onward.kernels.rolling_blocks import block_comoments, block_moments, block_regression, block_sum
from onward.kernels.rolling_input import FloatArray, as_series, as_window
from onward.kernels.rolling_order import queue_extreme, sorted_window
from onward.kernels.rolling_shape import window_shape

__all__ = [
    "Regression",
    "Shape",
    "difference",
    "lag",
    "rolling_argmax",
    "rolling_argmin",
    "rolling_beta",
    "rolling_correlation",
    "rolling_count",
    "rolling_max",
    "rolling_maximum",
    "rolling_mean",
    "rolling_median",
    "rolling_min",
    "rolling_minimum",
    "rolling_moments",
    "rolling_quantile",
    "rolling_rank",
    "rolling_rank_and_quantiles",
    "rolling_regression",
    "rolling_residual",
    "rolling_rsquared",
    "rolling_shape",
    "rolling_slope",
    "rolling_std",
    "rolling_sum",
    "rolling_zscore",
    "streak",
]


class Regression(NamedTuple):
    """A straight line fitted by least squares to each window, time counted in rows.

    Attributes
    ----------
    mean
        Mean of the window.
    spread
        Sum of squared deviations from the mean.
    slope
        Change a row.
    rsquared
        Share of the spread that the line explains, 0 to 1; NaN in a flat window.
    residual
        Newest value minus the line at the newest row.
    """

    mean: FloatArray
    spread: FloatArray
    slope: FloatArray
    rsquared: FloatArray
    residual: FloatArray


class Shape(NamedTuple):
    """Population moments of each window; skewness and excess kurtosis are NaN when it is flat."""

    variance: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray


def rolling_sum(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the sum of each window."""
    return block_sum(as_series(values), as_window(window))


def rolling_count(condition: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return in how many rows of each window a condition (True, 1.0; False, 0.0; NaN) holds."""
    return block_sum(as_series(condition), as_window(window))


def rolling_mean(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the mean of each window; exactly the value when the window is constant."""
    return block_moments(as_series(values), as_window(window), 0)[0]


def rolling_moments(
    values: npt.ArrayLike, window: SupportsIndex, ddof: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation (divisor ``window - ddof``) of each window."""
    length = as_window(window, ddof + 1)
    mean, variance = block_moments(as_series(values), length, ddof)
    return mean, np.sqrt(variance, out=variance)


def rolling_std(values: npt.ArrayLike, window: SupportsIndex, ddof: int = 1) -> FloatArray:
    """Return the standard deviation (divisor ``window - ddof``) of each window."""
    return rolling_moments(values, window, ddof)[1]


def rolling_zscore(values: npt.ArrayLike, window: SupportsIndex, ddof: int = 1) -> FloatArray:
    """Return how many deviations the newest value lies above its window's mean; NaN when flat."""
    series = as_series(values)
    mean, deviation = rolling_moments(series, window, ddof)
    return _divide(series - mean, deviation)


def rolling_shape(values: npt.ArrayLike, window: SupportsIndex) -> Shape:
    """Return variance, skewness and excess kurtosis, equal to the last bit from any start.

    Use it, rather than `rolling_std`, for a deviation that is ranked or compared afterwards. The
    cost grows with the window.
    """
    return Shape(*window_shape(as_series(values), as_window(window)))


def rolling_maximum(values: npt.ArrayLike, window: SupportsIndex) -> tuple[FloatArray, FloatArray]:
    """Return the maximum of each window and its position (0 = oldest row; the oldest of equals)."""
    return queue_extreme(as_series(values), as_window(window), 1.0)


def rolling_minimum(values: npt.ArrayLike, window: SupportsIndex) -> tuple[FloatArray, FloatArray]:
    """Return the minimum of each window and its position (0 = oldest row; the oldest of equals)."""
    return queue_extreme(as_series(values), as_window(window), -1.0)


def rolling_max(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the maximum of each window."""
    return rolling_maximum(values, window)[0]


def rolling_min(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the minimum of each window."""
    return rolling_minimum(values, window)[0]


def rolling_argmax(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the position of each window's maximum (0 = oldest row; the oldest of equals)."""
    return rolling_maximum(values, window)[1]


def rolling_argmin(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the position of each window's minimum (0 = oldest row; the oldest of equals)."""
    return rolling_minimum(values, window)[1]


def rolling_rank_and_quantiles(
    values: npt.ArrayLike, window: SupportsIndex, probabilities: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Return the newest row's percentile rank, and quantiles, shape (probabilities, n).

    The rank lies in (0, 1], ties averaged, as pandas' ``rank(pct=True)``; quantiles interpolate
    linearly (Hyndman and Fan 1996, type 7).

    Raises
    ------
    ConfigError
        When a probability lies outside 0 .. 1.
    """
    wanted = as_series(probabilities, "probabilities")
    if not np.all((wanted >= 0.0) & (wanted <= 1.0)):
        raise ConfigError(
            "A quantile's probability is out of range",
            got=list(probabilities),
            allowed="0 to 1",
            remedy="Give the share of rows below the quantile, such as 0.8.",
        )
    return sorted_window(as_series(values), as_window(window), wanted)


def rolling_rank(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the percentile rank of the newest row in its window: (0, 1], ties averaged."""
    return rolling_rank_and_quantiles(values, window, ())[0]


def rolling_quantile(values: npt.ArrayLike, window: SupportsIndex, probability: float) -> FloatArray:
    """Return a quantile of each window, linearly interpolated."""
    out: FloatArray = rolling_rank_and_quantiles(values, window, (probability,))[1][0]
    return out


def rolling_median(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the median of each window."""
    return rolling_quantile(values, window, 0.5)


def rolling_regression(values: npt.ArrayLike, window: SupportsIndex) -> Regression:
    """Fit a line against time in each window (at least two rows)."""
    return Regression(*block_regression(as_series(values), as_window(window, 2)))


def rolling_slope(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the least-squares change a row of each window."""
    return rolling_regression(values, window).slope


def rolling_rsquared(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return how much of each window's spread a straight line explains; NaN when flat."""
    return rolling_regression(values, window).rsquared


def rolling_residual(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the newest value minus its window's fitted line."""
    return rolling_regression(values, window).residual


def rolling_correlation(x: npt.ArrayLike, y: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return Pearson's correlation in each window; NaN when either side is flat."""
    xx, yy, xy = _comoments(x, y, window)
    out = _divide(xy, np.sqrt(xx) * np.sqrt(yy))
    np.clip(out, -1.0, 1.0, out=out)
    return out


def rolling_beta(y: npt.ArrayLike, x: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the least-squares slope of ``y`` on ``x`` in each window; NaN when ``x`` is flat."""
    xx, _, xy = _comoments(x, y, window)
    return _divide(xy, xx)


def _divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    out: FloatArray = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0.0)
    return out


def _comoments(
    x: npt.ArrayLike, y: npt.ArrayLike, window: SupportsIndex
) -> tuple[FloatArray, FloatArray, FloatArray]:
    first, second = as_series(x, "x"), as_series(y, "y")
    if len(first) != len(second):
        raise DataError(
            "Two series that are compared row by row differ in length",
            got=f"{len(first)} and {len(second)} rows",
            allowed="equal lengths",
            remedy="Align them on the same bars first.",
        )
    return block_comoments(first, second, as_window(window, 2))


def lag(values: npt.ArrayLike, bars: SupportsIndex) -> FloatArray:
    """Return the value ``bars`` rows earlier, NaN before the first."""
    series = as_series(values)
    length = as_window(bars, 0, "bars")
    out = np.full(len(series), np.nan)
    out[length:] = series[: max(0, len(series) - length)]
    return out


def difference(values: npt.ArrayLike, bars: SupportsIndex) -> FloatArray:
    """Return the change over ``bars`` rows, NaN before the first."""
    series = as_series(values)
    out: FloatArray = series - lag(series, bars)
    return out


@kernel
def _streak(condition: FloatArray, window: int) -> FloatArray:
    n = len(condition)
    out = np.full(n, np.nan)
    run, known = 0, 0
    for row in range(n):
        if np.isnan(condition[row]):
            run, known = 0, 0
            continue
        known += 1
        run = run + 1 if condition[row] != 0.0 else 0
        if known >= window:
            out[row] = min(run, window)
    return out


def streak(condition: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return for how many rows up to this one a condition has held, counted up to ``window``.

    The cap makes the count a window like any other: without it the answer would depend on rows
    of any age.
    """
    return _streak(as_series(condition), as_window(window))
