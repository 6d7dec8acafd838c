"""Mutual information with the labels, against that with circularly shifted labels.

Rank correlation sees rising and falling relations. A column that matters at both ends, such as a
distance from a mean whose sign does not count, has none; its mutual information with the labels
does not care about the shape. The plug-in estimate is biased upwards, and more so the longer the
labels overlap, which is why it is compared with the same estimate on shifted labels and never
with a fixed number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.selection.shifted_classes import TimeShifts, shifted_classes
from onward.kernels.mutual_information import bins_from_ranks, mutual_information
from onward.kernels.ranks import RankArray
from onward.types import FloatArray, IntArray

__all__ = ["Information", "chance_of_information", "label_information"]

COLUMNS_AT_ONCE = 256
LEAST_CHANCE = 1e-300


@dataclass(frozen=True, eq=False)
class Information:
    """Mutual information of every column with the labels, and how it stands among shifted ones.

    Attributes
    ----------
    nats
        Shape (n_columns,).
    z
        Shape (n_columns,): ``p`` on the scale of `onward.features.selection.relevance.Relevance`,
        so that one threshold and one order serve both: an absolute Gaussian of that chance, less
        its mean, in its deviations.
    p
        Shape (n_columns,): chance of as much information; see `chance_of_information`.
    """

    nats: FloatArray
    z: FloatArray
    p: FloatArray


def label_information(
    ranks: RankArray,
    n_known: IntArray,
    classes: IntArray,
    time: TimeShifts,
    *,
    n_bins: int,
    n_threads: int = 0,
) -> Information:
    """Measure every column's mutual information with the classes.

    Parameters
    ----------
    ranks, n_known
        From `onward.kernels.ranks.compact_ranks`, of the training rows: the bin edges are theirs.
    classes
        -1, 0, 1, shape (n_rows,).
    time
        Moments of the rows, and the shifts to compare with.
    n_bins
        Bins of about equally many rows.
    n_threads
        Most threads; 0 means as many as there are cores.
    """
    from scipy.special import ndtri

    versions = shifted_classes(classes, time)
    table = np.empty((len(ranks), versions.shape[1]))
    for first in range(0, len(ranks), COLUMNS_AT_ONCE):
        columns = slice(first, first + COLUMNS_AT_ONCE)
        bins = bins_from_ranks(ranks[columns], n_known[columns], n_bins)
        table[columns] = mutual_information(bins, versions, n_bins, n_threads)
    p = chance_of_information(table[:, 0], table[:, 1:])
    size = -ndtri(np.maximum(p, LEAST_CHANCE) / 2.0)
    z = (size - np.sqrt(2.0 / np.pi)) / np.sqrt(1.0 - 2.0 / np.pi)
    return Information(table[:, 0], z, p)


def chance_of_information(nats: FloatArray, shifted: FloatArray) -> FloatArray:
    """Return how likely shifted labels are to give as much information.

    For independent rows the statistic is a sum of squared Gaussians, so a Gamma distribution with
    the mean and variance of a column's shifted values gives a first answer. Dependence makes its
    tail too thin (three chances in a thousand come up seven times), so the answer is corrected by
    itself: the same is asked of every shifted value of every column, against the others of its
    column, and the share of those that look at least as rare is the chance that counts.

    Parameters
    ----------
    nats
        With the labels as they are, shape (n_columns,).
    shifted
        With shifted labels, shape (n_columns, n_shifts).

    Returns
    -------
    Shape (n_columns,), between 0 and 1; 1 where a column's shifted values do not vary.
    """
    n = shifted.shape[1]
    total, squares = shifted.sum(axis=1)[:, None], np.square(shifted).sum(axis=1)[:, None]
    first = _gamma_tail(nats, total[:, 0] / n, squares[:, 0] / n)
    others = _gamma_tail(shifted, (total - shifted) / (n - 1), (squares - np.square(shifted)) / (n - 1))
    varies = shifted.var(axis=1) > 1e-12 * np.square(shifted.mean(axis=1))
    pool = np.sort(others[varies], axis=None)
    rarer = np.searchsorted(pool, first, side="right")
    least = 1.0 / (1 + len(pool))
    p = np.where(rarer > 0, (1 + rarer) * least, np.minimum(first, least))
    return np.asarray(np.where(varies, p, 1.0), dtype=np.float64)


def _gamma_tail(values: FloatArray, mean: FloatArray, mean_square: FloatArray) -> FloatArray:
    """Return the upper tail of a Gamma distribution, given its first two moments."""
    from scipy.special import gammaincc

    variance = mean_square - np.square(mean)
    usable = (variance > 0) & (mean > 0)
    scale = np.where(usable, variance / np.where(usable, mean, 1.0), 1.0)
    return np.asarray(
        np.where(usable, gammaincc(np.where(usable, mean, 1.0) / scale, values / scale), 1.0),
        dtype=np.float64,
    )
