"""Small least-squares problems: Householder triangles, and Jacobi's singular values where they fail.

Written out rather than taken from LAPACK: the systems have at most a dozen columns, results must
not depend on which BLAS is loaded or on how many threads it runs, and the kernels compile faster.
"""

from __future__ import annotations

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector

__all__ = ["back_substitute", "is_sound", "minimum_norm", "triangularise"]

SOUND = 1e-9
"""Smallest ratio of diagonal entries at which a triangle is solved directly."""
SWEEPS = 40


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


@kernel
def is_sound(table: FloatMatrix, rows: int, columns: int) -> bool:
    """Return whether a triangle is far enough from singular to be solved directly."""
    if rows < columns:
        return False
    largest, smallest = 0.0, np.inf
    for k in range(columns):
        size = abs(table[k, k])
        largest = max(largest, size)
        smallest = min(smallest, size)
    return smallest > SOUND * largest


@kernel
def back_substitute(table: FloatMatrix, columns: int, right: int, solution: FloatVector) -> None:
    """Solve the triangle ``table[:columns, :columns]`` for the right-hand side in column ``right``."""
    for k in range(columns - 1, -1, -1):
        value = table[k, right]
        for j in range(k + 1, columns):
            value -= table[k, j] * solution[j]
        solution[k] = value / table[k, k]


@kernel
def minimum_norm(
    table: FloatMatrix, rows: int, columns: int, right: int, cutoff: float, solution: FloatVector
) -> tuple[int, float, float]:
    """Write the least-squares solution of least norm; return rank, squared residual and a variance factor.

    Singular values at or below ``cutoff`` times the largest count as zero. The variance factor is
    the (1, 1) entry of ``pinv(A) pinv(A)'``: it belongs to the second column's coefficient. Method:
    one-sided Jacobi rotations (Hestenes, 1958).
    """
    u, v = np.empty((columns, rows)), np.eye(columns)
    for j in range(columns):
        for i in range(rows):
            u[j, i] = table[i, j]
    for _ in range(SWEEPS):
        rotated = False
        for p in range(columns - 1):
            for q in range(p + 1, columns):
                pp = qq = pq = 0.0
                for i in range(rows):
                    pp += u[p, i] * u[p, i]
                    qq += u[q, i] * u[q, i]
                    pq += u[p, i] * u[q, i]
                if abs(pq) <= 1e-16 * np.sqrt(pp * qq) or pq == 0.0:
                    continue
                rotated = True
                zeta = (qq - pp) / (2.0 * pq)
                tangent = (1.0 if zeta >= 0.0 else -1.0) / (abs(zeta) + np.sqrt(1.0 + zeta * zeta))
                cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
                sine = cosine * tangent
                for i in range(rows):
                    a, b = u[p, i], u[q, i]
                    u[p, i], u[q, i] = cosine * a - sine * b, sine * a + cosine * b
                for i in range(columns):
                    a, b = v[p, i], v[q, i]
                    v[p, i], v[q, i] = cosine * a - sine * b, sine * a + cosine * b
        if not rotated:
            break
    singular = np.empty(columns)
    top = 0.0
    for j in range(columns):
        total = 0.0
        for i in range(rows):
            total += u[j, i] * u[j, i]
        singular[j] = np.sqrt(total)
        top = max(top, singular[j])
    solution[:columns] = 0.0
    rank = 0
    factor = 0.0
    for j in range(columns):
        if not singular[j] > cutoff * top:
            continue
        rank += 1
        product = 0.0
        for i in range(rows):
            product += u[j, i] * table[i, right]
        product /= singular[j] * singular[j]
        for i in range(columns):
            solution[i] += product * v[j, i]
        if columns > 1:
            factor += (v[j, 1] / singular[j]) ** 2
    residual = 0.0
    for i in range(rows):
        value = table[i, right]
        for j in range(columns):
            value -= table[i, j] * solution[j]
        residual += value * value
    return rank, residual, factor
