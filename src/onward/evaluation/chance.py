"""How likely an AUC is by chance, given those that the same predictions reach on shifted outcomes.

Predictions and outcomes that move slowly make neighbouring shifts alike. Over 600 bars with labels
of 6 bars and features of a day, 275 shifts are worth 11 independent ones, not the 46 that the length
of the labels alone would leave; taken for 46 they made noise look like evidence in 4 % of walks.
The AUCs themselves say how many they are worth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from onward.types import FloatArray

__all__ = ["Worth", "chance_probability", "worth_of"]


class Worth(NamedTuple):
    """How many independent values a row of like ones is worth, at least 2 each.

    Attributes
    ----------
    mean
        For their mean, and for the place of one among them: ``n / (1 + 2 * sum(rho))``.
    variance
        For their variance: ``n / (1 + 2 * sum(rho ** 2))`` (Bartlett 1935). Squares forget sooner.
    """

    mean: float
    variance: float


def worth_of(areas: FloatArray, most: float = math.inf) -> Worth:
    """Return how many independent AUCs those of successive shifts are worth.

    The autocorrelations are summed as far as neighbouring pairs of them stay positive, and those may
    not rise again (initial monotone sequence, Geyer 1992).

    Parameters
    ----------
    areas
        AUC of each shift in the order of the shifts, shape (k,), k >= 2, without NaN.
    most
        Upper bound from elsewhere, such as the number of labels that do not overlap.
    """
    k = len(areas)
    products = _autocovariances(areas)
    if products[0] <= 0.0:  # all alike: nothing to tell them by
        return Worth(*(max(2.0, min(float(k), most)),) * 2)
    rho = products / products[0]
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2)
    ends = np.flatnonzero(pairs.sum(axis=1) <= 0.0)
    pairs = pairs[: ends[0]] if len(ends) else pairs
    total = 2.0 * float(np.minimum.accumulate(pairs.sum(axis=1)).sum()) - 1.0
    squared = 2.0 * float((pairs * pairs).sum()) - 1.0
    return Worth(*(max(2.0, min(k / max(1.0, time), most)) for time in (total, squared)))


def chance_probability(observed: float, areas: FloatArray, independent: float) -> tuple[float, bool]:
    """Return the one-sided p of an AUC among those of shifts, and whether it was extrapolated.

    The share of shifts that reached the observed AUC, itself counted in (Phipson & Smyth 2010).
    Neighbouring shifts are nearly the same shift (with labels of 24 bars, 1,000 shifts of 4,000
    bars are worth about 30), so counting resolves nothing below one independent shift. Below
    that floor p is extrapolated: the tail of a Student prediction interval from the shifts' mean
    and deviation, which are known as well as so many independent shifts tell them. The deviation
    is not enlarged for its own mean: over the whole circle of shifts every score meets every
    outcome once, so that mean is no estimate.

    Parameters
    ----------
    observed
        AUC on the outcomes as they happened.
    areas
        AUC of each shift, in the order of the shifts, shape (k,), k >= 2.
    independent
        Independent shifts that they are worth at most, at least 2; see `worth_of`.
    """
    from scipy.special import stdtr

    reached = int(np.count_nonzero(areas >= observed))
    deviation = float(areas.std())
    if deviation == 0.0:  # constant predictions: every AUC is the same
        return (1.0 if reached else 1.0 / (len(areas) + 1)), reached == 0
    counted = (reached + 1) / (len(areas) + 1)
    worth = worth_of(areas, independent)
    if reached > 0 and counted >= 1.0 / (worth.mean + 1.0):
        return counted, False
    distance = (observed - float(areas.mean())) / (deviation * math.sqrt(1.0 + 1.0 / worth.mean))
    return float(stdtr(max(1.0, worth.variance - 1.0), -distance)), True


def _autocovariances(values: FloatArray) -> FloatArray:
    """Return the sums of products at every lag up to half of the length."""
    from scipy.fft import next_fast_len

    centred = values - values.mean()
    size = next_fast_len(2 * len(values), real=True)
    spectrum = np.fft.rfft(centred, size)
    lagged: FloatArray = np.fft.irfft(spectrum * spectrum.conj(), size)[: max(2, len(values) // 2)]
    return lagged


def _worth_reference(areas: FloatArray) -> Worth:
    """Compute `worth_of` lag by lag, for tests."""
    k = len(areas)
    x = areas - areas.mean()
    rho = [float(np.sum(x[: k - lag] * x[lag:]) / np.sum(x * x)) for lag in range(max(2, k // 2))]
    total, squared, least = 0.0, 0.0, math.inf
    for lag in range(0, len(rho) - 1, 2):
        pair = rho[lag] + rho[lag + 1]
        if pair <= 0.0:
            break
        least = min(least, pair)
        total += least
        squared += rho[lag] ** 2 + rho[lag + 1] ** 2
    mean, variance = (k / max(1.0, 2.0 * one - 1.0) for one in (total, squared))
    return Worth(max(2.0, mean), max(2.0, variance))
