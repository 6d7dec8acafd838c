"""Sums in NumPy's own order, so that thresholds fall where they fall in tsfresh.

NumPy adds contiguous float64 values pairwise: eight running sums in blocks of up to 128 values,
blocks combined by halves. The order decides the last bit of a mean, and the last bit of a mean
decides how many values of a flat window lie "above" it. Adding in the same order makes such
counts equal instead of nearly equal.

None of these takes a starting place: a literal 0 for one would have Numba compile a second version
of everything that is called with it. Callers pass the rest of an array instead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.inner import inner_kernel

__all__ = [
    "FloatMatrix",
    "FloatVector",
    "IntMatrix",
    "IntVector",
    "dot",
    "mean_of",
    "pairwise_sum",
    "variance_of",
]

FloatVector = npt.NDArray[np.float64]
FloatMatrix = npt.NDArray[np.float64]
IntVector = npt.NDArray[np.int64]
IntMatrix = npt.NDArray[np.int64]


@inner_kernel
def block_sum(values: FloatVector, count: int) -> float:
    """Return the sum of the first ``count`` values, at most 128, in NumPy's order."""
    if count < 8:
        total = 0.0
        for i in range(count):
            total += values[i]
        return total
    s0, s1, s2, s3 = values[0], values[1], values[2], values[3]
    s4, s5, s6, s7 = values[4], values[5], values[6], values[7]
    whole = count - count % 8
    for i in range(8, whole, 8):
        s0 += values[i]
        s1 += values[i + 1]
        s2 += values[i + 2]
        s3 += values[i + 3]
        s4 += values[i + 4]
        s5 += values[i + 5]
        s6 += values[i + 6]
        s7 += values[i + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in range(whole, count):
        total += values[i]
    return float(total)


@inner_kernel
def halved_sum(values: FloatVector, count: int) -> float:
    """Return the sum of more than 128 values in NumPy's order: halves added to halves.

    The recursion keeps its own stack: Numba cannot load a self-calling function from its cache.
    A row of it holds start, count and stage of a part, and the sum of its first half.
    """
    stack = np.zeros((64, 4))
    stack[0, 1] = count
    depth = 0
    total = 0.0
    while depth >= 0:
        start, size = int(stack[depth, 0]), int(stack[depth, 1])
        half = size // 2
        half -= half % 8
        if size <= 128:
            total = block_sum(values[start:], size)
            depth -= 1
        elif stack[depth, 2] == 0.0:
            stack[depth, 2] = 1.0
            depth += 1
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = start, half, 0.0
        elif stack[depth, 2] == 1.0:
            stack[depth, 2], stack[depth, 3] = 2.0, total
            depth += 1
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = start + half, size - half, 0.0
        else:
            total = stack[depth, 3] + total
            depth -= 1
    return total


@kernel
def pairwise_sum(values: FloatVector, count: int) -> float:
    """Return ``values[:count].sum()``, equal to NumPy's to the last bit."""
    if count <= 128:
        return block_sum(values, count)
    return halved_sum(values, count)


@kernel
def mean_of(values: FloatVector, count: int) -> float:
    """Return the mean of the first ``count`` values as NumPy computes it; NaN when empty."""
    if count == 0:
        return np.nan
    return pairwise_sum(values, count) / count


@kernel
def variance_of(values: FloatVector, count: int, scratch: FloatVector) -> float:
    """Return the population variance of the first ``count`` values as NumPy computes it.

    ``scratch`` holds at least ``count`` values and is overwritten.
    """
    if count == 0:
        return np.nan
    mean = pairwise_sum(values, count) / count
    for i in range(count):
        distance = values[i] - mean
        scratch[i] = distance * distance
    return pairwise_sum(scratch, count) / count


@inner_kernel
def dot(left: FloatVector, right: FloatVector, count: int) -> float:
    """Return the inner product of the first ``count`` values, added by four running sums."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = count - count % 4
    for i in range(0, whole, 4):
        s0 += left[i] * right[i]
        s1 += left[i + 1] * right[i + 1]
        s2 += left[i + 2] * right[i + 2]
        s3 += left[i + 3] * right[i + 3]
    total = (s0 + s1) + (s2 + s3)
    for i in range(whole, count):
        total += left[i] * right[i]
    return total
