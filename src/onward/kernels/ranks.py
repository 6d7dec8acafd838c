"""Ranks of many columns in two bytes a value, and the correlations of all pairs of columns.

A matrix of 2,000 columns x 70,000 rows has to be ranked, compared and binned without a second
matrix of its size: ranks are kept as ``int16``, and products of them are taken over a few
thousand rows at a time (BLAS, float64 of whole numbers: exact, whatever the order).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.threads import for_each_part
from onward.kernels.whole_numbers import LARGEST_WHOLE

__all__ = [
    "LARGEST",
    "UNKNOWN",
    "RankArray",
    "compact_ranks",
    "known_patterns",
    "pearson_correlations",
    "rank_correlations",
    "unit_ranks",
]

RankArray = npt.NDArray[np.int16]
SingleArray = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

UNKNOWN = -32_768
"""Stands for NaN."""

LARGEST = 32_767
"""Ranks lie between ``-LARGEST`` and ``LARGEST``."""

ROWS_AT_ONCE = 2_048


def compact_ranks(
    values: npt.NDArray[np.floating], n_threads: int = 0
) -> tuple[RankArray, IntArray, IntArray]:
    """Return centred midranks of every column in two bytes each.

    A rank is twice the midrank's distance from the middle, so that all are whole numbers and a
    column turned upside down has the same ranks negated. Up to 32,768 known rows they are exact;
    beyond, they are scaled down to +-32,767 and rounded towards the middle.

    Parameters
    ----------
    values
        Shape (n_rows, n_columns); fastest when column-major. NaN means "not known yet";
        infinities rank like any other value.
    n_threads
        Most threads; 0 means as many as there are cores. The result does not depend on it.

    Returns
    -------
    ranks
        int16, shape (n_columns, n_rows); `UNKNOWN` where NaN.
    n_known
        Known values of each column.
    n_most_frequent
        How often the most frequent of them occurs.
    """
    n_rows, n_columns = values.shape
    ranks = np.empty((n_columns, n_rows), dtype=np.int16)
    n_known = np.empty(n_columns, dtype=np.int64)
    n_most = np.empty(n_columns, dtype=np.int64)

    def rank(first: int, last: int) -> None:
        for j in range(first, last):
            column = np.ascontiguousarray(values[:, j], dtype=np.float32)
            order = np.argsort(column)  # NaN sorts to the end
            ordered = column[order]
            n_known[j] = n_rows - int(np.count_nonzero(np.isnan(ordered)))
            n_most[j] = _spread_ranks(ordered, order, n_known[j], ranks[j])

    for_each_part(rank, n_columns, n_threads, at_least=8)
    return ranks, n_known, n_most


@kernel
def _spread_ranks(ordered: SingleArray, order: IntArray, n_known: int, out: RankArray) -> int:
    """Write the ranks of one column given in sorted order; return its longest run of equal values."""
    longest = 0
    middle = n_known - 1
    start = 0
    while start < n_known:
        end = start + 1
        while end < n_known and ordered[end] == ordered[start]:
            end += 1
        longest = max(longest, end - start)
        rank = start + end - 1 - middle
        if middle > LARGEST:
            rank = rank * LARGEST // middle if rank >= 0 else -((-rank) * LARGEST // middle)
        for i in range(start, end):
            out[order[i]] = rank
        start = end
    for i in range(n_known, len(out)):
        out[order[i]] = UNKNOWN
    return longest


def unit_ranks(ranks: RankArray) -> SingleArray:
    """Return ranks with a sum of squares of 1 in every row, 0 where unknown, as float32.

    The dot product of two rows without unknown values is Spearman's correlation. A row that does
    not vary is all zero.
    """
    unit = ranks.astype(np.float32)
    unit[ranks == UNKNOWN] = 0.0
    length = np.sqrt(np.einsum("ij,ij->i", unit, unit, dtype=np.float64))
    unit *= (1.0 / np.where(length > 0, length, np.inf))[:, None].astype(np.float32)
    return unit


def known_patterns(unknown: Callable[[int], BoolArray], n_columns: int) -> tuple[IntArray, BoolArray]:
    """Return which columns are known in exactly the same rows.

    Warm-up makes most columns of a market share a handful of patterns; sums over common rows are
    then needed a pattern, not a column.

    Parameters
    ----------
    unknown
        Gives the unknown rows of a column, shape (n_rows,).
    n_columns
        Number of columns.

    Returns
    -------
    pattern
        Number of each column's pattern, shape (n_columns,).
    known
        Known rows of each pattern, shape (n_patterns, n_rows).
    """
    numbers: dict[bytes, int] = {}
    patterns: list[BoolArray] = []
    pattern = np.empty(n_columns, dtype=np.int64)
    for j in range(n_columns):
        missing = unknown(j)
        key = np.packbits(missing).tobytes()
        if key not in numbers:
            numbers[key] = len(patterns)
            patterns.append(~missing)
        pattern[j] = numbers[key]
    return pattern, np.array(patterns, dtype=np.bool_)


def rank_correlations(ranks: RankArray, *, min_common: float = 0.5) -> SingleArray:
    """Return Spearman's correlation of every pair of columns over the rows where both are known.

    Ranks are those within each column's own known rows; they are not taken anew on the common
    ones, which matters only for columns with long gaps.

    Parameters
    ----------
    ranks
        From `compact_ranks`, shape (n_columns, n_rows).
    min_common
        A pair that shares less than this part of the shorter column's known rows counts as not
        correlated: too little is known to call one the twin of the other.

    Returns
    -------
    float32, shape (n_columns, n_columns), diagonal 1, symmetric; 0 for columns that do not vary.
    """
    pattern, known = known_patterns(lambda j: np.asarray(ranks[j] == UNKNOWN), len(ranks))

    def block(rows: slice) -> FloatArray:
        part = ranks[:, rows]
        whole = part.astype(np.float64)
        whole[part == UNKNOWN] = 0.0
        return whole

    return _correlations(block, pattern, known, min_common)


def pearson_correlations(
    values: npt.NDArray[np.floating], columns: IntArray | None = None, *, min_common: float = 0.5
) -> SingleArray:
    """Return Pearson's correlation of every pair of columns over the rows where both are known.

    Parameters
    ----------
    values
        Shape (n_rows, n_columns), finite or NaN.
    columns
        Columns to compare; all by default. They are not copied.
    min_common
        See `rank_correlations`.
    """
    chosen = np.arange(values.shape[1]) if columns is None else columns
    pattern, known = known_patterns(lambda j: np.asarray(np.isnan(values[:, chosen[j]])), len(chosen))
    centre = np.zeros(len(chosen))
    scale = np.zeros(len(chosen))
    for j, column in enumerate(chosen):
        told = values[:, column][known[pattern[j]]].astype(np.float64)
        if len(told) and told.min() < told.max():
            centre[j] = told.mean()
            scale[j] = LARGEST_WHOLE / np.abs(told - centre[j]).max()

    def block(rows: slice) -> FloatArray:
        part = values[rows][:, chosen].T
        whole = np.asarray((part - centre[:, None]) * scale[:, None], dtype=np.float64, order="C")
        np.rint(whole, out=whole)
        whole[np.isnan(part)] = 0.0
        return whole

    return _correlations(block, pattern, known, min_common)


def _correlations(
    block: Callable[[slice], FloatArray], pattern: IntArray, known: BoolArray, min_common: float
) -> SingleArray:
    """Correlate columns of whole numbers about their centre pair by pair over their common rows.

    With a, b zero where unknown and n common rows: cov = sum(a b) - sum(a|b) sum(b|a) / n and
    var(a) = sum(a^2|b) - sum(a|b)^2 / n, where ``|b`` restricts a sum to the rows where b is known.
    """
    n_columns, n_rows = len(pattern), known.shape[1]
    products = np.zeros((n_columns, n_columns), dtype=np.float64)
    sums = np.zeros((n_columns, len(known)), dtype=np.float64)
    squares = np.zeros_like(sums)
    common = np.zeros((len(known), len(known)), dtype=np.float64)
    for first in range(0, n_rows, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        whole = block(rows)
        products += whole @ whole.T
        present = known[:, rows].astype(np.float64)
        common += present @ present.T
        sums += whole @ present.T
        np.square(whole, out=whole)
        squares += whole @ present.T
    total = squares[np.arange(n_columns), pattern]
    result = np.zeros((n_columns, n_columns), dtype=np.float32)
    for i in range(n_columns):
        n = np.maximum(common[pattern[i], pattern], 1.0)
        of_i, of_others = sums[i, pattern], sums[:, pattern[i]]
        spread = np.sqrt(
            np.maximum(squares[i, pattern] - of_i * of_i / n, 0.0)
            * np.maximum(squares[:, pattern[i]] - of_others * of_others / n, 0.0)
        )
        enough = n >= min_common * np.minimum(common[pattern[i], pattern[i]], common.diagonal()[pattern])
        # What varies by less than a millionth over the common rows does not vary there.
        usable = enough & (spread > 1e-6 * np.sqrt(total[i] * total)) & (n > 2)
        result[i] = np.where(
            usable, (products[i] - of_i * of_others / n) / np.where(usable, spread, 1.0), 0.0
        )
    np.clip(result, -1.0, 1.0, out=result)
    np.fill_diagonal(result, np.where(total > 0, 1.0, 0.0))
    return result
