"""How many independent values an autocorrelated column is worth."""

from __future__ import annotations

import numpy as np

from onward.kernels.statistics import centred_ranks
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["autocorrelation_time", "crossing_time", "occupancy_times"]

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
        Number of each row's place (a bin), shape (n,).
    step, symbol
        As for `autocorrelation_time`.
    """
    places = np.unique(place)
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
    known = values[~np.isnan(values)]
    if not len(known) or known.min() == known.max():
        return float("nan")
    thresholds = np.unique(np.quantile(known, QUARTILES, method="inverted_cdf"))
    if thresholds[-1] == known.max():  # many ties at the top: below it is what can be told
        thresholds = np.unique(np.append(thresholds[:-1], known[known < known.max()].max()))
    below = (values[None, :] <= thresholds[:, None]).astype(np.float64)
    share = (known[None, :] <= thresholds[:, None]).mean(axis=1)
    weight = share * (1.0 - share)
    return float((weight * _times(below, ~np.isnan(values), step, symbol)).sum() / weight.sum())


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
        grid, mask = np.zeros((len(series), length)), np.zeros((1, length))
        grid[:, step[rows]] = series[:, rows] - series[:, rows].mean(axis=1, keepdims=True)
        mask[:, step[rows]] = 1.0
        products += _lagged(grid, size, n_lags)
        counts += _lagged(mask, size, n_lags)[0]
    pairs = np.round(counts)
    return np.array([_integrated(one, pairs) for one in products])


def _integrated(products: FloatArray, pairs: FloatArray) -> float:
    """Return one time from sums of products and numbers of pairs at each lag; NaN when constant."""
    if products[0] <= 1e-12 * pairs[0]:
        return float("nan")
    covariance = np.where(pairs > 0, products / np.maximum(pairs, 1.0), 0.0)
    usable = covariance[: len(covariance) // 2 * 2] / covariance[0]
    sums = usable[::2] + usable[1::2]
    ends = np.flatnonzero(sums <= 0)
    sums = sums[: ends[0]] if len(ends) else sums
    return max(1.0, float(2.0 * np.minimum.accumulate(sums).sum() - 1.0)) if len(sums) else 1.0


def _lagged(series: FloatArray, size: int, n_lags: int) -> FloatArray:
    """Return the sums of products at each lag, one row a series."""
    spectrum = np.fft.rfft(series, size, axis=1)
    lagged: FloatArray = np.fft.irfft(spectrum * spectrum.conj(), size, axis=1)[:, :n_lags]
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
