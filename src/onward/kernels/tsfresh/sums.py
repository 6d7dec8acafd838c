"""Sums in NumPy's own order, so that thresholds fall where they fall in tsfresh.

NumPy adds contiguous float64 values pairwise: eight running sums in blocks of up to 128 values,
blocks combined by halves. The order decides the last bit of a mean, and the last bit of a mean
decides how many values of a flat window lie "above" it. Adding in the same order makes such
counts equal instead of nearly equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

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


@kernel
def block_sum(values: FloatVector, start: int, count: int) -> float:
    """Return the sum of at most 128 values in NumPy's order."""
    if count < 8:
        total = 0.0
        for i in range(start, start + count):
            total += values[i]
        return total
    s0, s1, s2, s3 = values[start], values[start + 1], values[start + 2], values[start + 3]
    s4, s5, s6, s7 = values[start + 4], values[start + 5], values[start + 6], values[start + 7]
    whole = count - count % 8
    for i in range(start + 8, start + whole, 8):
        s0 += values[i]
        s1 += values[i + 1]
        s2 += values[i + 2]
        s3 += values[i + 3]
        s4 += values[i + 4]
        s5 += values[i + 5]
        s6 += values[i + 6]
        s7 += values[i + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in range(start + whole, start + count):
        total += values[i]
    return float(total)


@kernel
def halved_sum(values: FloatVector, start: int, count: int) -> float:
    """Return the sum of more than 128 values in NumPy's order: halves added to halves.

    The recursion keeps its own stack: Numba cannot load a self-calling function from its cache.
    """
    starts, counts = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    stages, firsts = np.empty(64, dtype=np.int64), np.empty(64)
    starts[0], counts[0], stages[0] = start, count, 0
    depth = 0
    total = 0.0
    while depth >= 0:
        size = counts[depth]
        half = size // 2
        half -= half % 8
        if size <= 128:
            total = block_sum(values, starts[depth], size)
            depth -= 1
        elif stages[depth] == 0:
            stages[depth] = 1
            starts[depth + 1], counts[depth + 1], stages[depth + 1] = starts[depth], half, 0
            depth += 1
        elif stages[depth] == 1:
            firsts[depth] = total
            stages[depth] = 2
            starts[depth + 1], counts[depth + 1] = starts[depth] + half, size - half
            stages[depth + 1] = 0
            depth += 1
        else:
            total = firsts[depth] + total
            depth -= 1
    return total


@kernel
def pairwise_sum(values: FloatVector, start: int, count: int) -> float:
    """Return ``values[start:start + count].sum()``, equal to NumPy's to the last bit."""
    if count <= 128:
        return block_sum(values, start, count)
    return halved_sum(values, start, count)


@kernel
def mean_of(values: FloatVector, start: int, count: int) -> float:
    """Return the mean of ``values[start:start + count]`` as NumPy computes it; NaN when empty."""
    if count == 0:
        return np.nan
    return pairwise_sum(values, start, count) / count


@kernel
def variance_of(values: FloatVector, start: int, count: int, scratch: FloatVector) -> float:
    """Return the population variance of ``values[start:start + count]`` as NumPy computes it.

    ``scratch`` holds at least ``count`` values and is overwritten.
    """
    if count == 0:
        return np.nan
    mean = pairwise_sum(values, start, count) / count
    for i in range(count):
        distance = values[start + i] - mean
        scratch[i] = distance * distance
    return pairwise_sum(scratch, 0, count) / count


@kernel
def dot(left: FloatVector, right: FloatVector, left_start: int, right_start: int, count: int) -> float:
    """Return the inner product of two stretches, added by four running sums."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = count - count % 4
    for i in range(0, whole, 4):
        s0 += left[left_start + i] * right[right_start + i]
        s1 += left[left_start + i + 1] * right[right_start + i + 1]
        s2 += left[left_start + i + 2] * right[right_start + i + 2]
        s3 += left[left_start + i + 3] * right[right_start + i + 3]
    total = (s0 + s1) + (s2 + s3)
    for i in range(whole, count):
        total += left[left_start + i] * right[right_start + i]
    return total
