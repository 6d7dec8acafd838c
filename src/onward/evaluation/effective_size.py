"""How many independent values an autocorrelated column is worth."""

from __future__ import annotations

import numpy as np

from onward.kernels.statistics import centred_ranks
from onward.types import FloatArray, IntArray

__all__ = ["autocorrelation_time", "crossing_time"]

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
    known = ~np.isnan(values)
    if not ranks.any():
        return float("nan")
    step = step - step.min()
    length = int(step.max()) + 1
    size = 1 << int(np.ceil(np.log2(2 * length)))
    products, counts = np.zeros(length), np.zeros(length)
    for number in np.unique(symbol[known]):
        rows = known & (symbol == number)
        series, mask = np.zeros(length), np.zeros(length)
        series[step[rows]] = ranks[rows] - ranks[rows].mean()
        mask[step[rows]] = 1.0
        products += _autocorrelation(series, size)[:length]
        counts += _autocorrelation(mask, size)[:length]
    if products[0] <= 0:
        return float("nan")
    pairs = np.round(counts)
    correlation = np.where(pairs > 0, products / np.maximum(pairs, 1.0), 0.0) / (products[0] / pairs[0])
    usable = correlation[: max(2, length // 2)]  # longer lags rest on few pairs
    if len(usable) % 2:
        usable = usable[:-1]
    sums = usable[::2] + usable[1::2]
    ends = np.flatnonzero(sums <= 0)
    sums = sums[: ends[0]] if len(ends) else sums
    return max(1.0, float(2.0 * np.minimum.accumulate(sums).sum() - 1.0)) if len(sums) else 1.0


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
    total = weight = 0.0
    for threshold in np.unique(np.quantile(known, QUARTILES, method="inverted_cdf")):
        share = float((known <= threshold).mean())
        if share == 1.0:  # the upper quartile of a column with many ties at its top
            threshold = known[known < threshold].max()  # noqa: PLW2901
            share = float((known <= threshold).mean())
        below = np.where(np.isnan(values), np.nan, (values <= threshold).astype(np.float64))
        total += share * (1.0 - share) * autocorrelation_time(below, step, symbol)
        weight += share * (1.0 - share)
    return total / weight


def _autocorrelation(series: FloatArray, size: int) -> FloatArray:
    spectrum = np.fft.rfft(series, size)
    lagged: FloatArray = np.fft.irfft(spectrum * spectrum.conj(), size)
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
