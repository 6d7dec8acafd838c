"""How often stretches of a window repeat themselves: sample entropy and approximate entropy.

A family of its own beside the histogram's, so that a set without these does not compile them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import STANDARD_DEVIATION, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector, pairwise_sum

__all__ = ["Templates"]

SAMPLE, APPROXIMATE = range(2)


@inner_kernel
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


@inner_kernel
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
    return pairwise_sum(matches, count) / count


@kernel
def template_columns(
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
            length = int(numbers[column, 0])
            if codes[column] == SAMPLE:
                value = sample_entropy(x, 0.2 * deviation) if n > 2 else np.nan
            elif n <= length + 1:
                value = 0.0
            else:
                tolerance = numbers[column, 1] * deviation
                shorter = template_average(x, length, tolerance)
                value = abs(shorter - template_average(x, length + 1, tolerance))
            out[row, slots[column]] = value


def template(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode the length of templates and their tolerance in standard deviations."""
    length, tolerance = whole(parameters["m"]), float(parameters["r"])
    return None if length is None or length < 1 or tolerance < 0 else (float(length), tolerance)


class Templates(Family):
    """Calculators that compare every stretch of the window with every other."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "sample_entropy": Calculator(SAMPLE),
        "approximate_entropy": Calculator(APPROXIMATE, template),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        template_columns(chunk.windows, chunk.scale, self.codes, self.numbers, self.slots, out)
