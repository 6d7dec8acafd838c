"""How unpredictable the values of a window are: the entropy of its histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Entropies", "histogram_entropy"]


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
def histogram_columns(windows: FloatMatrix, bins: IntVector, slots: IntVector, out: FloatMatrix) -> None:
    """Write every column of every window."""
    for row in range(len(windows)):
        for column in range(len(bins)):
            out[row, slots[column]] = histogram_entropy(windows[row], bins[column])


def bins_of(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a number of bins."""
    bins = whole(parameters["max_bins"])
    return None if bins is None or bins < 1 else (float(bins),)


class Entropies(Family):
    """The entropy of the histogram of the window."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {"binned_entropy": Calculator(0, bins_of)}

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Read the numbers of bins."""
        self.bins: IntVector = self.numbers[:, 0].astype(np.int64)

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        histogram_columns(chunk.windows, self.bins, self.slots, out)
