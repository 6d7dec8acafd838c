"""Deviation, skewness and kurtosis of windows, summed oldest to newest.

Two passes over every window cost a factor of its length, and buy two things that block sums do
not have: higher moments without cancellation, and results that are equal *to the last bit*
wherever the series begins. The second matters when values are then compared with each other, as
a rank does: two windows that differ in a rounding error must not swap places between a long
history and a short one.
"""

from __future__ import annotations

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.rolling_input import FloatArray

__all__ = ["window_shape"]

SMALLEST_VARIANCE = 1e-150


@kernel
def window_shape(values: FloatArray, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return variance, skewness and excess kurtosis (population forms) of each full window.

    Skewness and kurtosis of a flat window are NaN; so are those of one whose deviation is below
    1e-75, where their powers leave the range of float64.
    """
    n = len(values)
    variance = np.full(n, np.nan)
    skewness = np.full(n, np.nan)
    kurtosis = np.full(n, np.nan)
    for row in range(window - 1, n):
        anchor = values[row]
        total = 0.0
        for i in range(row - window + 1, row):
            total += values[i] - anchor
        mean = total / window
        second, third, fourth = 0.0, 0.0, 0.0
        for i in range(row - window + 1, row + 1):
            distance = (values[i] - anchor) - mean
            square = distance * distance
            second += square
            third += square * distance
            fourth += square * square
        second /= window
        variance[row] = second
        if second > SMALLEST_VARIANCE:
            skewness[row] = third / window / (second * np.sqrt(second))
            kurtosis[row] = fourth / window / (second * second) - 3.0
    return variance, skewness, kurtosis
