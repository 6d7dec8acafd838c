"""How steadily a column relates to the labels over the time blocks of the training rows.

Within each of a few contiguous time blocks the column's ranks are correlated with a target. The
stability is the mean of these correlations in standard errors, the larger of the two targets
(direction and range): a column that says the same in every block stands high, one whose relation
comes from a single block, or changes sign, stands low. Columns that resemble each other share
their noise, so the comparison among them is sharper than the figure itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.ranks import UNKNOWN, RankArray
from onward.kernels.whole_numbers import LARGEST_WHOLE, whole_numbers, whole_units
from onward.types import FloatArray, IntArray

__all__ = ["label_stability", "time_blocks"]

COLUMNS_AT_ONCE = 128
MIN_BLOCK_ROWS = 20
MIN_BLOCKS = 3


def time_blocks(step: IntArray, n_blocks: int) -> list[IntArray]:
    """Return the rows of each of ``n_blocks`` stretches with equally many decision times.

    Parameters
    ----------
    step
        Number of each row's decision time among the distinct ones, shape (n_rows,).
    n_blocks
        Number of stretches. Holes left by test blocks count for nothing.
    """
    block = step * n_blocks // (int(step.max()) + 1)
    return [np.flatnonzero(block == number) for number in range(n_blocks)]


def label_stability(ranks: RankArray, targets: npt.NDArray[np.float32], blocks: list[IntArray]) -> FloatArray:
    """Return the stability of each column, in standard errors; 0 where fewer than three blocks tell.

    Parameters
    ----------
    ranks
        Shape (n_columns, n_rows).
    targets
        From `onward.features.selection.relevance.label_targets`, shape (n_rows, n_targets).
    blocks
        From `time_blocks`.
    """
    relation = np.full((len(blocks), len(ranks), targets.shape[1]), np.nan)
    for first in range(0, len(ranks), COLUMNS_AT_ONCE):
        columns = slice(first, first + COLUMNS_AT_ONCE)
        for number, rows in enumerate(blocks):
            if len(rows) >= MIN_BLOCK_ROWS:
                relation[number, columns] = _correlation(ranks[columns][:, rows], targets[rows])
    n_told = np.isfinite(relation).sum(axis=0)
    enough = n_told >= MIN_BLOCKS
    divisor = np.maximum(n_told, 2)
    mean = np.nansum(relation, axis=0) / divisor
    variance = np.nansum(np.square(relation - mean), axis=0) / (divisor - 1)
    error = np.sqrt(variance / divisor)
    size = np.abs(mean) / np.where(error > 0, error, np.inf)
    return np.asarray(np.where(enough, size, 0.0).max(axis=1), dtype=np.float64)


def _correlation(ranks: RankArray, targets: npt.NDArray[np.float32]) -> FloatArray:
    """Correlate ranks with targets over the known rows of each column, NaN where too few vary."""
    told = ranks != UNKNOWN
    known, values = told.astype(np.float64), np.where(told, ranks, 0).astype(np.float64)
    # Whole numbers: exact up to 131,072 rows, on any number of threads. Squares of 40 bits are
    # halved to 20 for the same reason.
    unit = whole_units(targets.T)
    of_rows = whole_numbers(targets.T, unit).T
    square_unit = whole_units(np.square(of_rows).T)
    squares = whole_numbers(np.square(of_rows).T, square_unit).T
    count = known.sum(axis=1)[:, None]
    n = np.maximum(count, 1.0)
    of_values = values.sum(axis=1)[:, None]
    of_targets = known @ of_rows
    covariance = values @ of_rows - of_values * of_targets / n
    spread = np.einsum("ij,ij->i", values, values)[:, None] - of_values**2 / n
    target_spread = (known @ squares) * square_unit[:, 0] - of_targets**2 / n
    usable = (count >= MIN_BLOCK_ROWS) & (spread > 0.5 * n) & (target_spread > 1e-9 * LARGEST_WHOLE**2 * n)
    scale = np.sqrt(np.where(usable, spread * target_spread, 1.0))
    return np.asarray(np.where(usable, covariance / scale, np.nan), dtype=np.float64)
