"""Peaks that persist across the widths of a wavelet: `scipy.signal.find_peaks_cwt`, counted.

Method: Du, Kibbe and Lin (2006). Local maxima of the transform are linked from the widest
wavelet down to the narrowest into ridges; a ridge counts when it is long enough and stands out
from the noise around its foot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.spectral import counted
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["WaveletPeaks", "ricker"]

NOISE_SHARE = 0.1


def ricker(points: int, width: float) -> FloatVector:
    """Return the Ricker wavelet on a number of points."""
    t = np.arange(points) - (points - 1.0) / 2.0
    square = t * t
    height = 2.0 / (np.sqrt(3.0 * width) * np.pi**0.25)
    return np.asarray(height * (1.0 - square / width**2) * np.exp(-square / (2.0 * width**2)))


@kernel
def transform(x: FloatVector, wavelets: FloatMatrix, sizes: IntVector, widths: int, out: FloatMatrix) -> None:
    """Write the convolution of a window with each wavelet, cut to the window's length."""
    n = len(x)
    for row in range(widths):
        size = sizes[row]
        shift = (size - 1) // 2
        for i in range(n):
            total = 0.0
            for k in range(max(0, i + shift - n + 1), min(size, i + shift + 1)):
                total += wavelets[row, k] * x[i + shift - k]
            out[row, i] = total


@inner_kernel
def foot_noise(row: FloatVector, centre: int, span: int, scratch: FloatVector) -> float:
    """Return the tenth percentile of the narrowest wavelet's row about a position."""
    n = len(row)
    start, end = max(centre - span // 2, 0), min(centre + span // 2 + span % 2, n)
    count = end - start
    for i in range(count):
        value = row[start + i]
        j = i
        while j > 0 and scratch[j - 1] > value:
            scratch[j] = scratch[j - 1]
            j -= 1
        scratch[j] = value
    position = NOISE_SHARE * (count - 1)
    below = int(position)
    if below == position:
        return float(scratch[below])
    return float(scratch[below] * (below + 1 - position) + scratch[below + 1] * (position - below))


@kernel
def count_ridges(table: FloatMatrix, widths: int, scratch: FloatVector) -> int:
    """Count the ridges of a transform that are long and loud enough."""
    n = table.shape[1]
    span = int(np.ceil(n / 20))
    shortest = np.ceil(widths / 4)
    # A ridge is where it was last seen, how many points it has and for how many rows it is lost.
    last_row, last_column = np.empty(n * widths, dtype=np.int64), np.empty(n * widths, dtype=np.int64)
    points, lost = np.empty(n * widths, dtype=np.int64), np.empty(n * widths, dtype=np.int64)
    alive = np.empty(n * widths, dtype=np.int64)
    ridges = living = 0
    for row in range(widths - 1, -1, -1):
        for slot in range(living):
            lost[alive[slot]] += 1
        known = living
        previous = np.empty(known, dtype=np.int64)
        for slot in range(known):
            previous[slot] = last_column[alive[slot]]
        for column in range(1, n - 1):
            value = table[row, column]
            if not (value > table[row, column - 1] and value > table[row, column + 1]):
                continue
            closest, distance = -1, n + 1
            for slot in range(known):
                if abs(column - previous[slot]) < distance:
                    closest, distance = slot, abs(column - previous[slot])
            if closest >= 0 and distance <= (row + 1) / 4.0:
                ridge = alive[closest]
                points[ridge] += 1
            else:
                ridge = ridges
                points[ridge] = 1
                alive[living] = ridge
                ridges += 1
                living += 1
            last_row[ridge], last_column[ridge], lost[ridge] = row, column, 0
        kept = 0
        for slot in range(living):
            if lost[alive[slot]] <= 1:
                alive[kept] = alive[slot]
                kept += 1
        living = kept
    found = 0
    for ridge in range(ridges):
        if points[ridge] < shortest:
            continue
        column = last_column[ridge]
        loudness = abs(table[last_row[ridge], column] / foot_noise(table[0], column, span, scratch))
        found += 0 if loudness < 1.0 else 1
    return found


@kernel
def peak_columns(
    windows: FloatMatrix,
    wavelets: FloatMatrix,
    sizes: IntVector,
    counts: IntVector,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; the transform is computed once, for the most widths."""
    n = windows.shape[1]
    table, scratch = np.empty((len(sizes), n)), np.empty(n)
    for row in range(len(windows)):
        transform(windows[row], wavelets, sizes, len(sizes), table)
        for column in range(len(slots)):
            out[row, slots[column]] = count_ridges(table, counts[column], scratch)


class WaveletPeaks(Family):
    """Calculators that count peaks of the continuous wavelet transform."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {"number_cwt_peaks": Calculator(0, counted("n", 1))}

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Build the wavelets of widths 1 to the largest wanted."""
        self.counts: IntVector = self.numbers[:, 0].astype(np.int64)
        widths = range(1, int(self.counts.max()) + 1)
        self.sizes: IntVector = np.array([min(10 * w, self.length) for w in widths], dtype=np.int64)
        self.wavelets: FloatMatrix = np.zeros((len(self.sizes), int(self.sizes.max())))
        for row, width in enumerate(widths):
            self.wavelets[row, : self.sizes[row]] = ricker(int(self.sizes[row]), width)[::-1]

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        peak_columns(chunk.windows, self.wavelets, self.sizes, self.counts, self.slots, out)
