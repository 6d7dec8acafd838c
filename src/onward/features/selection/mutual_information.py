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

__all__ = ["Information", "label_information"]

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
        Shape (n_columns,): chance of as much information, from a Gamma distribution with the
        shifted labels' mean and variance (sums of squared Gaussians, which the statistic is for
        independent rows, have that shape, and dependence changes scale and degrees of freedom).
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
    from scipy.special import gammaincc, ndtri

    versions = shifted_classes(classes, time)
    table = np.empty((len(ranks), versions.shape[1]))
    for first in range(0, len(ranks), COLUMNS_AT_ONCE):
        columns = slice(first, first + COLUMNS_AT_ONCE)
        bins = bins_from_ranks(ranks[columns], n_known[columns], n_bins)
        table[columns] = mutual_information(bins, versions, n_bins, n_threads)
    nats, chance = table[:, 0], table[:, 1:]
    mean, variance = chance.mean(axis=1), chance.var(axis=1)
    usable = variance > 0
    shape = np.where(usable, mean * mean / np.where(usable, variance, 1.0), 1.0)
    scale = np.where(usable, variance / np.where(mean > 0, mean, 1.0), 1.0)
    p = np.where(usable, gammaincc(shape, nats / scale), 1.0)
    size = -ndtri(np.maximum(p, LEAST_CHANCE) / 2.0)
    z = (size - np.sqrt(2.0 / np.pi)) / np.sqrt(1.0 - 2.0 / np.pi)
    return Information(nats, np.where(usable, z, 0.0), p)
