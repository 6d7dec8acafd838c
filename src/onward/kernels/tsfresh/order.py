"""Order statistics: quantiles, largest magnitudes, mass quantiles, changes inside a quantile corridor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import (
    FloatMatrix,
    FloatVector,
    IntVector,
    mean_of,
    pairwise_sum,
    variance_of,
)

__all__ = ["AGGREGATES", "OrderStatistics", "aggregate", "quantile_of"]

QUANTILE, LARGEST_MAGNITUDES, MASS_QUANTILE, ENERGY_RATIO, CORRIDOR_CHANGES = range(5)
MEAN_OF, VARIANCE_OF, DEVIATION_OF, MEDIAN_OF, LARGEST_OF, SMALLEST_OF, SUM_OF = range(7)

AGGREGATES = {
    "mean": MEAN_OF,
    "var": VARIANCE_OF,
    "std": DEVIATION_OF,
    "median": MEDIAN_OF,
    "max": LARGEST_OF,
    "min": SMALLEST_OF,
    "sum": SUM_OF,
}
"""NumPy's names of the aggregates that are computed here."""


@kernel
def quantile_of(ordered: FloatVector, q: float) -> float:
    """Return the linearly interpolated quantile of sorted values, rounded as NumPy rounds it."""
    last = len(ordered) - 1
    position = last * q
    below = min(max(int(np.floor(position)), 0), last)
    above = min(below + 1, last)
    weight = position - np.floor(position)
    gap = ordered[above] - ordered[below]
    if weight >= 0.5:
        return float(ordered[above] - gap * (1.0 - weight))
    return float(ordered[below] + gap * weight)


@inner_kernel
def aggregate(values: FloatVector, count: int, how: int, scratch: FloatVector) -> float:
    """Return an aggregate of the first ``count`` values; ``scratch`` is overwritten."""
    if how == MEAN_OF:
        return mean_of(values, count)
    if how in (VARIANCE_OF, DEVIATION_OF):
        variance = variance_of(values, count, scratch)
        return variance if how == VARIANCE_OF else np.sqrt(variance)
    if how == SUM_OF:
        return pairwise_sum(values, count)
    if count == 0:
        return np.nan
    if how == MEDIAN_OF:
        for i in range(count):
            value = values[i]
            j = i
            while j > 0 and scratch[j - 1] > value:
                scratch[j] = scratch[j - 1]
                j -= 1
            scratch[j] = value
        middle = count // 2
        return float(scratch[middle] if count % 2 else (scratch[middle - 1] + scratch[middle]) / 2.0)
    best = values[0]
    for i in range(1, count):
        best = max(best, values[i]) if how == LARGEST_OF else min(best, values[i])
    return float(best)


@inner_kernel
def corridor_changes(
    x: FloatVector,
    low: float,
    high: float,
    magnitude: bool,
    how: int,
    kept: FloatVector,
    scratch: FloatVector,
) -> float:
    """Return an aggregate of the changes between neighbours that both lie in ``[low, high]``."""
    count: Any = np.int64(0)  # typed: a literal would have the aggregates compiled twice
    inside_before = low <= x[0] <= high
    for i in range(1, len(x)):
        inside = low <= x[i] <= high
        if inside and inside_before:
            change = x[i] - x[i - 1]
            kept[count] = abs(change) if magnitude else change
            count += 1
        inside_before = inside
    if count == 0:
        return 0.0
    return aggregate(kept, count, how, scratch)


@kernel
def largest_magnitudes_mean(ordered: FloatVector, count: int, kept: FloatVector) -> float:
    """Return the mean of the largest magnitudes: they stand at the two ends of sorted values."""
    low, high = 0, len(ordered) - 1
    for place in range(count - 1, -1, -1):
        if -ordered[low] > ordered[high]:
            kept[place] = abs(ordered[low])
            low += 1
        else:
            kept[place] = abs(ordered[high])
            high -= 1
    return mean_of(kept, count)


@kernel
def order_columns(
    windows: FloatMatrix,
    ordered: FloatMatrix,
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; tables of squares and magnitudes are made once a window."""
    rows, n = windows.shape
    magnitudes, mass, squares = np.empty(n), np.empty(n), np.empty(n)
    scratch, kept = np.empty(n), np.empty(n)
    wants_mass = False
    wants_energy = False
    for code in codes:
        wants_mass |= code == MASS_QUANTILE
        wants_energy |= code == ENERGY_RATIO
    for row in range(rows):
        x, xs = windows[row], ordered[row]
        total = energy = 0.0
        if wants_mass:
            for i in range(n):
                magnitudes[i] = abs(x[i])
            total = pairwise_sum(magnitudes, n)
            running = 0.0
            for i in range(n):
                running += magnitudes[i]
                mass[i] = running / total
        if wants_energy:
            for i in range(n):
                squares[i] = x[i] * x[i]
            energy = pairwise_sum(squares, n)
        for column in range(len(codes)):
            code = codes[column]
            a, b = numbers[column, 0], numbers[column, 1]
            value = np.nan
            if code == QUANTILE:
                value = quantile_of(xs, a)
            elif code == LARGEST_MAGNITUDES:
                if n > int(a):
                    value = largest_magnitudes_mean(xs, int(a), kept)
            elif code == MASS_QUANTILE:
                if total != 0.0:
                    first = 0
                    while first < n and not mass[first] >= a:
                        first += 1
                    value = (first % n + 1) / n
            elif code == ENERGY_RATIO:
                if energy != 0.0:
                    value = pairwise_sum(squares[int(a) :], int(b)) / energy
            elif a >= b:
                value = 0.0
            else:
                low, high = quantile_of(xs, a), quantile_of(xs, b)
                magnitude = numbers[column, 2] != 0.0
                value = corridor_changes(x, low, high, magnitude, int(numbers[column, 3]), kept, scratch)
            out[row, slots[column]] = value


def quantile_level(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a quantile between 0 and 1."""
    q = float(parameters["q"])
    return (q,) if 0.0 <= q <= 1.0 else None


def maxima(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode how many of the largest magnitudes are averaged."""
    count = whole(parameters["number_of_maxima"])
    return None if count is None or count < 1 else (float(count),)


def segments(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode which of how many segments is in focus; negative ones count from the last."""
    count, focus = whole(parameters["num_segments"]), whole(parameters["segment_focus"])
    if count is None or focus is None or not -count <= focus < count:
        return None
    return (float(count), float(focus % count))


def corridor(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a corridor of quantiles, as pandas rounds them on the way through percentages."""
    how = AGGREGATES.get(parameters["f_agg"])
    low, high = float(parameters["ql"]), float(parameters["qh"])
    if how is None:
        return None
    if low >= high or low < 0.0 or high > 1.0:
        return (1.0, 0.0, 0.0, 0.0)  # tsfresh finds no change in such a corridor: 0
    return (low * 100.0 / 100.0, high * 100.0 / 100.0, float(bool(parameters["isabs"])), float(how))


class OrderStatistics(Family):
    """Calculators that rank values, or weigh parts of a window against its whole."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "quantile": Calculator(QUANTILE, quantile_level),
        "mean_n_absolute_max": Calculator(LARGEST_MAGNITUDES, maxima),
        "index_mass_quantile": Calculator(MASS_QUANTILE, lambda p: (float(p["q"]),)),
        "energy_ratio_by_chunks": Calculator(ENERGY_RATIO, segments),
        "change_quantiles": Calculator(CORRIDOR_CHANGES, corridor),
    }

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Turn segment numbers into first position and size: the first ones take the remainder."""
        for row in np.flatnonzero(self.codes == ENERGY_RATIO):
            count, focus = (int(v) for v in self.numbers[row, :2])
            size, rest = divmod(self.length, count)
            start = focus * size + min(focus, rest)
            self.numbers[row, :2] = start, size + (1 if focus < rest else 0)

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        order_columns(chunk.windows, chunk.sorted, self.codes, self.numbers, self.slots, out)
