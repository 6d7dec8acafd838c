"""How many independent values an autocorrelated column is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onward.kernels.statistics import centred_ranks
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["autocorrelation_time", "crossing_time", "occupancy_times", "sorted_quantiles"]

QUARTILES = (0.25, 0.5, 0.75)


def autocorrelation_time(values: FloatArray, step: IntArray, symbol: IntArray) -> float:
    """Return the integrated autocorrelation time of a column's ranks, in time steps.

    ``1 + 2 * (sum of autocorrelations)``: n rows carry as much about a mean, or about the share
    of rows below a value, as n / time independent ones. The sum ends where the sum of two
    neighbouring autocorrelations is no longer positive, and those sums may not rise again (initial
    monotone sequence, Geyer 1992, Practical Markov chain Monte Carlo). Ranks, because distributions
    are compared and one outlier should not pass for independence.

    Parameters
    ----------
    values
        Shape (n,); NaN where not known.
    step
        Number of each row's decision time among the distinct ones, holes counted in, shape (n,).
        Pairs of moments of which one is missing are left out.
    symbol
        Number of each row's symbol, shape (n,); autocovariances are pooled over the symbols, each
        around its own mean.

    Returns
    -------
    float
        At least 1; NaN when fewer than two distinct values are known.
    """
    ranks = centred_ranks(values).astype(np.float64)
    if not ranks.any():
        return float("nan")
    return float(_times(ranks[None], ~np.isnan(values), step, symbol)[0])


def occupancy_times(place: IntArray, step: IntArray, symbol: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the places that rows take, and the autocorrelation time of being in each.

    Parameters
    ----------
    place
        Number of each row's place (a bin), not negative, shape (n,).
    step, symbol
        As for `autocorrelation_time`.
    """
    places = np.flatnonzero(np.bincount(place)).astype(np.int64)
    inside = (place[None, :] == places[:, None]).astype(np.float64)
    return places, _times(inside, np.ones(len(place), dtype=np.bool_), step, symbol)


def crossing_time(values: FloatArray, step: IntArray, symbol: IntArray) -> float:
    """Return the autocorrelation time of lying below a threshold, in time steps.

    What the comparison of distribution functions needs: the mean of `autocorrelation_time` of "at
    most the quartile" over the three quartiles, weighted by the variance ``q (1 - q)``. A value
    crosses a threshold sooner than it forgets its level, so this is shorter than the time of the
    values themselves, about two thirds of it for a slow Gaussian series.

    Parameters
    ----------
    values, step, symbol
        As for `autocorrelation_time`.

    Returns
    -------
    float
        At least 1; NaN when fewer than two distinct values are known.
    """
    known = ~np.isnan(values)
    ordered = np.sort(values[known])
    if not len(ordered) or ordered[0] == ordered[-1]:
        return float("nan")
    thresholds = np.unique(sorted_quantiles(ordered, QUARTILES))
    if thresholds[-1] == ordered[-1]:  # many ties at the top: below it is what can be told
        top = ordered[np.searchsorted(ordered, ordered[-1]) - 1]
        thresholds = np.unique(np.append(thresholds[:-1], top))
    below = (values[None, :] <= thresholds[:, None]).astype(np.float64)
    share = np.searchsorted(ordered, thresholds, side="right") / len(ordered)
    weight = share * (1.0 - share)
    return float((weight * _times(below, known, step, symbol)).sum() / weight.sum())


def sorted_quantiles(ordered: FloatArray, shares: Sequence[float] | FloatArray) -> FloatArray:
    """Return the smallest values that at least these shares of sorted values do not exceed.

    What ``np.quantile(..., method="inverted_cdf")`` finds, without sorting again.
    """
    places = np.ceil(np.asarray(shares, dtype=np.float64) * len(ordered)).astype(np.int64) - 1
    return ordered[np.maximum(places, 0)]


def _times(series: FloatArray, known: BoolArray, step: IntArray, symbol: IntArray) -> FloatArray:
    """Return the time of each of several series that are known at the same rows, shape (k,)."""
    from scipy.fft import next_fast_len

    step = step - step.min()
    length = int(step.max()) + 1
    n_lags = max(2, length // 2)  # longer lags rest on few pairs
    size = next_fast_len(length + n_lags, real=True)
    products, counts = np.zeros((len(series), n_lags)), np.zeros(n_lags)
    for number in np.unique(symbol[known]):
        rows = known & (symbol == number)
        grid = np.zeros((len(series) + 1, length))
        held = series[:, rows]
        grid[:-1, step[rows]] = held - held.mean(axis=1, keepdims=True)
        grid[-1, step[rows]] = 1.0
        lagged = _lagged(grid, size, n_lags)
        products += lagged[:-1]
        counts += lagged[-1]
    pairs = np.round(counts)
    return _integrated(products, pairs)


def _integrated(products: FloatArray, pairs: FloatArray) -> FloatArray:
    """Return the times from sums of products, one row a series, and numbers of pairs at each lag.

    NaN for a series that is constant.
    """
    varies = products[:, 0] > 1e-12 * pairs[0]
    even = products.shape[1] // 2 * 2
    covariance = np.where(pairs[:even] > 0, products[:, :even] / np.maximum(pairs[:even], 1.0), 0.0)
    sums = covariance[:, ::2] + covariance[:, 1::2]
    positive = sums > 0
    until = int(np.where(positive.all(axis=1), sums.shape[1], positive.argmin(axis=1)).max(initial=0))
    held = np.logical_and.accumulate(positive[:, :until], axis=1)
    summed = np.where(held, np.minimum.accumulate(sums[:, :until], axis=1), 0.0).sum(axis=1)
    first = np.where(varies, covariance[:, 0], 1.0)
    return np.where(varies, np.maximum(1.0, 2.0 * summed / first - 1.0), np.nan)


def _lagged(series: FloatArray, size: int, n_lags: int) -> FloatArray:
    """Return the sums of products at each lag, one row a series."""
    from scipy.fft import irfft, rfft

    spectrum = rfft(series, size, axis=1)
    lagged: FloatArray = irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, :n_lags]
    return lagged


def _autocorrelation_time_reference(values: FloatArray) -> float:
    """Compute the time of one gapless series lag by lag, for tests."""
    from scipy.stats import rankdata

    x = rankdata(values) - (len(values) + 1) / 2
    variance = np.mean(x * x)
    rho = [np.mean(x[: len(x) - k] * x[k:]) / variance for k in range(len(x) // 2)]
    total, least = 0.0, np.inf
    for k in range(0, len(rho) - 1, 2):
        pair = rho[k] + rho[k + 1]
        if pair <= 0:
            break
        least = min(least, pair)
        total += least
    return float(max(1.0, 2 * total - 1))
