"""Small least-squares problems: Householder triangles, and singular values where they fail.

The triangles are written out: systems of a dozen columns are reduced faster than LAPACK is called,
and one reduction serves every nested regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector

__all__ = ["PseudoFit", "back_substitute", "is_sound", "pseudo_fit", "triangularise"]

SOUND = 1e-6
"""Smallest ratio of diagonal entries at which a triangle is solved directly."""
WORST_CONDITION = 1e11
"""Largest entry of a triangle times largest entry of its inverse at which it is solved directly: well
below 1 / `CUTOFF`, where the choice of rank begins."""
CUTOFF = 1e-15
"""Relative size at which statsmodels takes a singular value for zero."""


@kernel
def triangularise(table: FloatMatrix, rows: int, columns: int, carried: int) -> None:
    """Reduce ``table[:rows, :columns]`` to an upper triangle by reflections, in place.

    ``carried`` further columns (right-hand sides) are reflected along. Below the triangle the
    table is zero; the rest of a right-hand side holds the residual in the rotated frame.
    """
    for k in range(min(rows, columns)):
        largest = 0.0
        for i in range(k, rows):
            largest = max(largest, abs(table[i, k]))
        if largest == 0.0:
            continue
        norm = 0.0
        for i in range(k, rows):
            norm += (table[i, k] / largest) ** 2
        norm = np.sqrt(norm) * largest
        alpha = -norm if table[k, k] >= 0.0 else norm
        pivot = table[k, k] - alpha
        beta = -1.0 / (alpha * pivot)
        for j in range(k + 1, columns + carried):
            product = pivot * table[k, j]
            for i in range(k + 1, rows):
                product += table[i, k] * table[i, j]
            product *= beta
            table[k, j] -= product * pivot
            for i in range(k + 1, rows):
                table[i, j] -= product * table[i, k]
        table[k, k] = alpha
        for i in range(k + 1, rows):
            table[i, k] = 0.0


@inner_kernel
def largest_inverse(table: FloatMatrix, columns: int) -> float:
    """Return the largest magnitude in the inverse of a triangle."""
    column = np.empty(columns)
    largest = 0.0
    for j in range(columns):
        for k in range(j, -1, -1):
            value = 1.0 if k == j else 0.0
            for i in range(k + 1, j + 1):
                value -= table[k, i] * column[i]
            column[k] = value / table[k, k]
            largest = max(largest, abs(column[k]))
    return largest


@kernel
def is_sound(table: FloatMatrix, rows: int, columns: int) -> bool:
    """Return whether a triangle is far enough from singular to be solved directly.

    The diagonal alone does not tell: a constant beside levels of 1e12 leaves equal diagonal entries,
    and yet statsmodels drops a direction as numerically zero.
    """
    if rows < columns:
        return False
    largest, smallest, entry = 0.0, np.inf, 0.0
    for k in range(columns):
        size = abs(table[k, k])
        largest = max(largest, size)
        smallest = min(smallest, size)
        for j in range(k, columns):
            entry = max(entry, abs(table[k, j]))
    if not smallest > SOUND * largest:
        return False
    return entry * largest_inverse(table, columns) < WORST_CONDITION


@kernel
def back_substitute(table: FloatMatrix, columns: int, right: int, solution: FloatVector) -> None:
    """Solve the triangle ``table[:columns, :columns]`` for the right-hand side in column ``right``."""
    for k in range(columns - 1, -1, -1):
        value = table[k, right]
        for j in range(k + 1, columns):
            value -= table[k, j] * solution[j]
        solution[k] = value / table[k, k]


@dataclass(frozen=True)
class PseudoFit:
    """A regression by pseudo-inverse, as statsmodels fits it.

    Attributes
    ----------
    coefficients
        Solution of least norm, shape (columns,).
    variances
        Diagonal of the covariance of the coefficients for unit noise, shape (columns,).
    residual
        Sum of squared residuals.
    rank
        Numerical rank of the design.
    """

    coefficients: FloatVector
    variances: FloatVector
    residual: float
    rank: int


def pseudo_fit(design: FloatMatrix, target: FloatVector) -> PseudoFit:
    """Return the regression of ``target`` on ``design`` through singular values.

    A plain reference for the triangles, and the way out where they fail: near a singular design
    the rounding of the singular values *is* the answer that statsmodels gives.
    """
    u, singular, vt = np.linalg.svd(design, full_matrices=False)
    inverse = np.zeros_like(singular)
    kept = singular > CUTOFF * singular.max()
    inverse[kept] = 1.0 / singular[kept]
    pseudo = np.dot(vt.T, inverse[:, None] * u.T)
    coefficients = np.dot(pseudo, target)
    errors = target - np.dot(design, coefficients)
    return PseudoFit(
        coefficients,
        np.diag(np.dot(pseudo, pseudo.T)),
        float(np.dot(errors, errors)),
        int(np.linalg.matrix_rank(np.diag(singular))),
    )
