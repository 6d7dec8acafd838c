"""Drift of a Langevin process: the Friedrich polynomial and its largest fixed point.

Method: Friedrich et al. (2000), as tsfresh does it: the mean change within quantile bins of the
level, a polynomial through the bins' means, and the largest real part of its roots.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.order import quantile_of
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Langevin"]

COEFFICIENT, FIXED_POINT = range(2)
EPSILON = 2.220446049250313e-16


@inner_kernel
def bin_means(x: FloatVector, levels: FloatVector, means: FloatMatrix) -> int:
    """Write mean level and mean next change of each quantile bin; return the number of filled bins.

    The number is negative where the bins coincide.
    """
    n = len(x) - 1
    bins = len(levels) - 1
    ordered = np.sort(x[:n])
    edges = np.empty(bins + 1)
    for i in range(bins + 1):
        edges[i] = quantile_of(ordered, levels[i])
        if i > 0 and not edges[i] > edges[i - 1]:
            return -1
    counts = np.zeros(bins, dtype=np.int64)
    # Kahan's compensation, as in a grouped mean of pandas: the fit amplifies a lost bit.
    sums, lost = np.zeros((bins, 2)), np.zeros((bins, 2))
    for i in range(n):
        place = max(np.searchsorted(edges, x[i]), 1)
        if place > bins:
            continue
        counts[place - 1] += 1
        for side in range(2):
            value = x[i] if side == 0 else x[i + 1] - x[i]
            term = value - lost[place - 1, side]
            total = sums[place - 1, side] + term
            lost[place - 1, side] = total - sums[place - 1, side] - term
            sums[place - 1, side] = total
    filled = 0
    for b in range(bins):
        if counts[b] > 0:
            means[filled, 0] = sums[b, 0] / counts[b]
            means[filled, 1] = sums[b, 1] / counts[b]
            filled += 1
    return filled


@kernel
def all_bin_means(windows: FloatMatrix, levels: FloatVector, means: FloatMatrix, filled: IntVector) -> None:
    """Write the bin means of every window, shape (rows, bins, 2), and how many there are."""
    for row in range(len(windows)):
        filled[row] = bin_means(windows[row], levels, means[row])


@kernel
def power_tables(means: FloatMatrix, filled: IntVector, tables: FloatMatrix, sizes: FloatMatrix) -> None:
    """Write columns of powers, highest first and scaled to length one, and the lengths they had."""
    columns = tables.shape[2]
    for row in range(len(means)):
        for i in range(filled[row]):
            power = 1.0
            for k in range(columns - 1, -1, -1):
                tables[row, i, k] = power
                power *= means[row, i, 0]
        for k in range(columns):
            total = 0.0
            for i in range(filled[row]):
                total += tables[row, i, k] * tables[row, i, k]
            sizes[row, k] = np.sqrt(total)
            for i in range(filled[row]):
                tables[row, i, k] /= sizes[row, k]


def drift_polynomials(windows: FloatMatrix, levels: FloatVector, degree: int) -> FloatMatrix:
    """Return the polynomial of every window, highest power first; NaN where bins coincide.

    The system is the one that `numpy.polyfit` sets up, and LAPACK solves it through NumPy: powers
    of prices are so nearly collinear that another solver's rounding would show in the eighth digit.
    """
    rows = len(windows)
    bins = min(len(levels) - 1, windows.shape[1] - 1)  # more than that are never filled
    means, filled = np.empty((rows, bins, 2)), np.empty(rows, dtype=np.int64)
    all_bin_means(windows, levels, means, filled)
    tables, sizes = np.empty((rows, bins, degree + 1)), np.empty((rows, degree + 1))
    power_tables(means, filled, tables, sizes)
    polynomials = np.full((rows, degree + 1), np.nan)
    for row in np.flatnonzero(filled > 0):
        count = filled[row]
        table, changes = tables[row, :count], means[row, :count, 1]
        if not (np.isfinite(table).all() and np.isfinite(changes).all()):
            continue  # LAPACK would complain on the terminal
        with contextlib.suppress(np.linalg.LinAlgError):
            polynomials[row] = np.linalg.lstsq(table, changes, count * EPSILON)[0] / sizes[row]
    return polynomials


def largest_roots(polynomials: FloatMatrix) -> FloatVector:
    """Return the largest real part of each polynomial's roots; NaN without one.

    Eigenvalues of companion matrices, one matrix at a time inside LAPACK, as `numpy.roots` does.
    """
    degree = polynomials.shape[1] - 1
    roots = np.full(len(polynomials), np.nan)
    usable = np.isfinite(polynomials).all(axis=1)
    plain = usable & (polynomials[:, 0] != 0.0) & (polynomials[:, -1] != 0.0)
    if degree >= 1 and plain.any():
        companions = np.zeros((int(plain.sum()), degree, degree))
        companions[:, 0, :] = -polynomials[plain, 1:] / polynomials[plain, :1]
        companions[:, np.arange(1, degree), np.arange(degree - 1)] = 1.0
        sound = np.isfinite(companions).all(axis=(1, 2))
        found = np.full(len(companions), np.nan)
        if sound.any():
            found[sound] = np.linalg.eigvals(companions[sound]).real.max(axis=1)
        roots[plain] = found
    for row in np.flatnonzero(usable & ~plain):
        found_here = np.roots(polynomials[row])
        roots[row] = found_here.real.max() if len(found_here) else np.nan
    return roots


def polynomial(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode degree, quantile bins and, for a coefficient, its place."""
    degree, bins, place = whole(parameters["m"]), whole(parameters["r"]), whole(parameters.get("coeff", 0))
    if degree is None or bins is None or place is None or degree < 1 or bins < 1 or place < 0:
        return None
    return (float(degree), float(bins), float(place))


class Langevin(Family):
    """Calculators on the drift polynomial."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "friedrich_coefficients": Calculator(COEFFICIENT, polynomial),
        "max_langevin_fixed_point": Calculator(FIXED_POINT, polynomial),
    }

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Find the distinct polynomials."""
        self.fits = sorted({(int(m), int(r)) for m, r in self.numbers[:, :2]})

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        for degree, bins in self.fits:
            # pandas carries quantiles through percentages; the detour can cost a bit.
            levels = np.linspace(0.0, 1.0, bins + 1) * 100.0 / 100.0
            mine = (self.numbers[:, 0] == degree) & (self.numbers[:, 1] == bins)
            if self.length < 2:
                out[:, self.slots[mine]] = np.nan
                continue
            polynomials = drift_polynomials(chunk.windows, levels, degree)
            for column in np.flatnonzero(mine):
                place = int(self.numbers[column, 2])
                if self.codes[column] == FIXED_POINT:
                    out[:, self.slots[column]] = largest_roots(polynomials)
                else:
                    out[:, self.slots[column]] = polynomials[:, place] if place <= degree else np.nan
