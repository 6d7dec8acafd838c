"""Counts and yes-no answers against a level: beyond sigmas, above, below, equal, within, crossings, peaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MEAN, MINIMUM, STANDARD_DEVIATION, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Thresholds"]

(BEYOND_SIGMA, LARGE_DEVIATION, SYMMETRY, ABOVE, BELOW, EQUAL, WITHIN, CROSSINGS, PEAKS) = range(9)


@inner_kernel
def count_peaks(x: FloatVector, support: int) -> int:
    """Count values larger than every one of their ``support`` neighbours on either side."""
    n = len(x)
    peaks = 0
    for i in range(support, n - support):
        value = x[i]
        highest = True
        for j in range(1, support + 1):
            if not (value > x[i - j] and value > x[i + j]):
                highest = False
                break
        peaks += 1 if highest else 0
    return peaks


@inner_kernel
def answer(x: FloatVector, ordered: FloatVector, scale: FloatVector, code: int, a: float, b: float) -> float:
    """Return one column of one window."""
    n = len(x)
    count = 0
    if code == BEYOND_SIGMA:
        mean, limit = scale[MEAN], a * scale[STANDARD_DEVIATION]
        for i in range(n):
            count += 1 if abs(x[i] - mean) > limit else 0
        return count / n
    if code == LARGE_DEVIATION:
        return 1.0 if scale[STANDARD_DEVIATION] > a * (scale[MAXIMUM] - scale[MINIMUM]) else 0.0
    if code == SYMMETRY:
        median = ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2.0
        return 1.0 if abs(scale[MEAN] - median) < a * (scale[MAXIMUM] - scale[MINIMUM]) else 0.0
    if code == ABOVE:
        for i in range(n):
            count += 1 if x[i] >= a else 0
        return count / n
    if code == BELOW:
        for i in range(n):
            count += 1 if x[i] <= a else 0
        return count / n
    if code == EQUAL:
        for i in range(n):
            count += 1 if x[i] == a else 0
        return float(count)
    if code == WITHIN:
        for i in range(n):
            count += 1 if a <= x[i] < b else 0
        return float(count)
    if code == CROSSINGS:
        for i in range(1, n):
            count += 1 if (x[i] > a) != (x[i - 1] > a) else 0
        return float(count)
    return float(count_peaks(x, int(a)))


@kernel
def answers(
    windows: FloatMatrix,
    ordered: FloatMatrix,
    scale: FloatMatrix,
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window."""
    for row in range(len(windows)):
        for column in range(len(codes)):
            out[row, slots[column]] = answer(
                windows[row],
                ordered[row],
                scale[row],
                codes[column],
                numbers[column, 0],
                numbers[column, 1],
            )


def number(name: str, *more: str) -> Any:
    """Return an encoder that takes some parameters as they are."""
    return lambda p: tuple(float(p[key]) for key in (name, *more))


def support(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a peak's support; below one it means something else in tsfresh."""
    n = whole(parameters["n"])
    return None if n is None or n < 1 else (float(n),)


class Thresholds(Family):
    """Calculators that compare values with a level."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "ratio_beyond_r_sigma": Calculator(BEYOND_SIGMA, number("r")),
        "large_standard_deviation": Calculator(LARGE_DEVIATION, number("r")),
        "symmetry_looking": Calculator(SYMMETRY, number("r")),
        "count_above": Calculator(ABOVE, number("t")),
        "count_below": Calculator(BELOW, number("t")),
        "value_count": Calculator(EQUAL, number("value")),
        "range_count": Calculator(WITHIN, number("min", "max")),
        "number_crossing_m": Calculator(CROSSINGS, number("m")),
        "number_peaks": Calculator(PEAKS, support),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        answers(chunk.windows, chunk.sorted, chunk.scale, self.codes, self.numbers, self.slots, out)
