"""Fractional differences of fixed width: a causal filter with slowly falling weights.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 5.4 to 5.5; the operator is
Hosking's (1981), ``(1 - B)^d`` with ``B`` the backshift.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = ["fractional_difference", "fractional_weights", "threshold_width"]

FloatArray = npt.NDArray[np.float64]


def fractional_weights(order: float, width: int) -> FloatArray:
    """Return the first weights of ``(1 - B)^order``, that of the newest value first.

    ``w_0 = 1`` and ``w_k = -w_{k-1} (order - k + 1) / k``, which is ``(-1)^k binom(order, k)``.

    Parameters
    ----------
    order
        How far to difference: 0 is the series itself, 1 its change.
    width
        Number of weights, at least 1.

    Returns
    -------
    Shape (width,).
    """
    k = np.arange(1, width, dtype=np.float64)
    return np.concatenate((np.ones(1), np.cumprod((k - 1.0 - order) / k)))


def threshold_width(order: float, threshold: float, longest: int) -> int:
    """Return how many weights come before the first one that is smaller than a threshold.

    Parameters
    ----------
    order
        Order of the difference.
    threshold
        Smallest absolute weight that is kept, positive.
    longest
        Where to stop: a result of ``longest + 1`` says that more would be needed.
    """
    weight = 1.0
    for k in range(1, longest + 1):
        weight *= (k - 1.0 - order) / k
        if abs(weight) < threshold:
            return k
    return longest + 1


@kernel
def fractional_difference(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return ``sum_k weights[k] * values[i - k]`` for every row ``i``.

    Every row is summed from the newest value to the oldest, whatever stands around it, so a row
    has the same bits in a long series and in one of ``len(weights)`` values.

    Parameters
    ----------
    values
        One symbol's series in time order, shape (n,). Finite or NaN.
    weights
        Shape (width,), that of the newest value first.

    Returns
    -------
    Shape (n,); NaN where the window is not full or holds a NaN.
    """
    n, width = len(values), len(weights)
    out = np.full(n, np.nan)
    # Weight by weight over a block that stays in the cache: the inner loop has no dependence from
    # one row to the next, so it runs in vector registers.
    block = 2048
    for first in range(width - 1, n, block):
        last = min(first + block, n)
        for i in range(first, last):
            out[i] = weights[0] * values[i]
        for k in range(1, width):
            weight = weights[k]
            for i in range(first, last):
                out[i] += weight * values[i - k]
    return out
