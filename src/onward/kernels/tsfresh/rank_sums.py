"""Rank sums of a column within classes: what rank tests between classes are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.threads import for_each_part

__all__ = ["SEVERAL", "RankSums", "rank_sums", "rank_sums_reference"]

SEVERAL = 3
"""Stands for "more than two" distinct values."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class RankSums:
    """Figures of every column over the rows where it is known.

    Attributes
    ----------
    sums
        Sum of the midranks (from 1) of each class, shape (columns, classes).
    counts
        Rows of each class, shape (columns, classes).
    largest
        Rows of each class that hold the column's largest value, shape (columns, classes).
    ties
        Sum of t^3 - t over runs of t equal values, shape (columns,).
    distinct
        0, 1, 2 or `SEVERAL` distinct values, shape (columns,).
    """

    def __init__(self, n_columns: int, n_classes: int) -> None:
        self.sums: FloatArray = np.zeros((n_columns, n_classes))
        self.counts: IntArray = np.zeros((n_columns, n_classes), dtype=np.int64)
        self.largest: IntArray = np.zeros((n_columns, n_classes), dtype=np.int64)
        self.ties: FloatArray = np.zeros(n_columns)
        self.distinct: IntArray = np.zeros(n_columns, dtype=np.int64)


def rank_sums(values: npt.NDArray[Any], codes: IntArray, n_classes: int, n_threads: int = 0) -> RankSums:
    """Return the rank sums of every column; each is sorted once, whatever the number of classes.

    Parameters
    ----------
    values
        float32 or float64, shape (rows, columns), fastest column-major; NaN rows do not count.
    codes
        Class of each row, 0 to ``n_classes - 1``.
    n_classes
        Number of classes.
    n_threads
        Most threads; 0 means as many as there are cores. The result does not depend on it.
    """
    out = RankSums(values.shape[1], n_classes)

    def work(first: int, last: int) -> None:
        for j in range(first, last):
            column = np.ascontiguousarray(values[:, j])
            order = np.argsort(column)  # NaN sorts to the end
            ordered = column[order].astype(np.float64)
            known = len(ordered) - int(np.count_nonzero(np.isnan(ordered)))
            out.ties[j], out.distinct[j] = spread(
                ordered[:known], codes[order[:known]], out.sums[j], out.counts[j], out.largest[j]
            )

    for_each_part(work, values.shape[1], n_threads, at_least=8)
    return out


@kernel
def spread(
    ordered: FloatArray, codes: IntArray, sums: FloatArray, counts: IntArray, largest: IntArray
) -> tuple[float, int]:
    """Add one sorted column's midranks to its classes; return its ties and distinct values."""
    n = len(ordered)
    ties = 0.0
    runs = 0
    start = 0
    while start < n:
        end = start + 1
        while end < n and ordered[end] == ordered[start]:
            end += 1
        midrank = 0.5 * (start + end + 1)
        for i in range(start, end):
            sums[codes[i]] += midrank
            counts[codes[i]] += 1
            if end == n:
                largest[codes[i]] += 1
        length = float(end - start)
        ties += length * length * length - length
        runs += 1
        start = end
    return ties, min(runs, SEVERAL)


def rank_sums_reference(values: npt.NDArray[Any], codes: IntArray, n_classes: int) -> RankSums:
    """Compute the same by the definitions, pair by pair."""
    out = RankSums(values.shape[1], n_classes)
    for j in range(values.shape[1]):
        known = ~np.isnan(values[:, j])
        column, mine = values[known, j].astype(np.float64), codes[known]
        ranks = (column[:, None] > column).sum(axis=1) + 0.5 * ((column[:, None] == column).sum(axis=1) + 1)
        for code in range(n_classes):
            out.sums[j, code] = ranks[mine == code].sum()
            out.counts[j, code] = (mine == code).sum()
            if len(column):
                out.largest[j, code] = (mine[column == column.max()] == code).sum()
        _, lengths = np.unique(column, return_counts=True)
        out.ties[j] = float((lengths.astype(np.float64) ** 3 - lengths).sum())
        out.distinct[j] = min(len(lengths), SEVERAL)
    return out
