"""How unpredictable a window is: entropy of its histogram, sample entropy, approximate entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import STANDARD_DEVIATION, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector, pairwise_sum

__all__ = ["Entropies", "histogram_entropy"]

BINNED, SAMPLE, APPROXIMATE = range(3)


@kernel
def histogram_entropy(values: FloatVector, bins: int) -> float:
    """Return the entropy of an equal-width histogram, in nats, with NumPy's rounding of edges.

    NaN where NumPy cannot cut the range into so many bins: edges coincide, or the range overflows.
    """
    n = len(values)
    low = high = values[0]
    for i in range(1, n):
        low = min(low, values[i])
        high = max(high, values[i])
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = high - low
    if not np.isfinite(width):
        return np.nan
    step = width / bins
    edges = np.empty(bins + 1)
    for i in range(bins):
        edges[i] = i * step + low
    edges[bins] = high
    counts = np.zeros(bins, dtype=np.int64)
    for i in range(bins):
        if not edges[i] < edges[i + 1]:
            return np.nan
    for i in range(n):
        value = values[i]
        position = int((value - low) / width * bins)
        if position == bins:
            position -= 1
        if value < edges[position]:
            position -= 1
        elif position != bins - 1 and value >= edges[position + 1]:
            position += 1
        counts[position] += 1
    total = 0.0
    for i in range(bins):
        if counts[i] > 0:
            share = counts[i] / n
            total += share * np.log(share)
    return -total


@kernel
def alike(x: FloatVector, i: int, j: int, length: int, tolerance: float) -> bool:
    """Return whether two stretches differ by at most a tolerance everywhere."""
    for k in range(length):  # noqa: SIM110 - a generator does not compile
        if not abs(x[i + k] - x[j + k]) <= tolerance:
            return False
    return True


@kernel
def sample_entropy(x: FloatVector, tolerance: float) -> float:
    """Return the sample entropy of templates of length 2 (Richman and Moorman, 2000)."""
    n = len(x)
    short = long = 0
    for i in range(n - 1):
        for j in range(i + 1, n - 1):
            if alike(x, i, j, 2, tolerance):
                short += 2
                if j + 2 < n and abs(x[i + 2] - x[j + 2]) <= tolerance:
                    long += 2
    return float(-np.log(np.float64(long) / np.float64(short)))


@kernel
def template_average(x: FloatVector, length: int, tolerance: float) -> float:
    """Return the mean log share of templates that resemble each template, itself included."""
    count = len(x) - length + 1
    matches = np.zeros(count)
    for i in range(count):
        matches[i] += 1.0
        for j in range(i + 1, count):
            if alike(x, i, j, length, tolerance):
                matches[i] += 1.0
                matches[j] += 1.0
    for i in range(count):
        matches[i] = np.log(matches[i] / count)
    return pairwise_sum(matches, 0, count) / count


@kernel
def entropy_columns(
    windows: FloatMatrix,
    scale: FloatMatrix,
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window."""
    rows, n = windows.shape
    for row in range(rows):
        x, deviation = windows[row], scale[row, STANDARD_DEVIATION]
        for column in range(len(codes)):
            code, a = codes[column], numbers[column, 0]
            if code == BINNED:
                value = histogram_entropy(x, int(a))
            elif code == SAMPLE:
                value = sample_entropy(x, 0.2 * deviation) if n > 2 else np.nan
            elif n <= int(a) + 1:
                value = 0.0
            else:
                tolerance = numbers[column, 1] * deviation
                shorter = template_average(x, int(a), tolerance)
                value = abs(shorter - template_average(x, int(a) + 1, tolerance))
            out[row, slots[column]] = value


def bins_of(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a number of bins."""
    bins = whole(parameters["max_bins"])
    return None if bins is None or bins < 1 else (float(bins),)


def template(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode the length of templates and their tolerance in standard deviations."""
    length, tolerance = whole(parameters["m"]), float(parameters["r"])
    return None if length is None or length < 1 or tolerance < 0 else (float(length), tolerance)


class Entropies(Family):
    """Calculators of entropy in the time domain."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "binned_entropy": Calculator(BINNED, bins_of),
        "sample_entropy": Calculator(SAMPLE),
        "approximate_entropy": Calculator(APPROXIMATE, template),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        entropy_columns(chunk.windows, chunk.scale, self.codes, self.numbers, self.slots, out)
