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
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["Information", "chance_of_information", "far_apart", "label_information"]

COLUMNS_AT_ONCE = 256
LEAST_CHANCE = 1e-300
LEAST_FAR = 5
"""Distant shifts without which a shifted value cannot be judged."""


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
    p = chance_of_information(table[:, 0], table[:, 1:], far_apart(time))
    size = -ndtri(np.maximum(p, LEAST_CHANCE) / 2.0)
    z = (size - np.sqrt(2.0 / np.pi)) / np.sqrt(1.0 - 2.0 / np.pi)
    return Information(table[:, 0], z, p)


def far_apart(time: TimeShifts) -> BoolArray:
    """Return which shifts are as far from each other as all of them are from the true labels.

    Shape (n_shifts, n_shifts), symmetric. Labels shifted by nearly the same distance are nearly
    the same labels: none of the shifts is so close to the true ones.
    """
    n_steps, shifts = int(time.step.max()) + 1, time.shifts
    least = min(int(shifts.min()), n_steps - int(shifts.max()))
    apart = np.abs(shifts[:, None] - shifts[None, :])
    return np.asarray(np.minimum(apart, n_steps - apart) >= least, dtype=np.bool_)


def chance_of_information(nats: FloatArray, shifted: FloatArray, far: BoolArray) -> FloatArray:
    """Return how likely shifted labels are to give as much information.

    For independent rows the statistic is a sum of squared Gaussians, so a Gamma distribution with
    the mean and variance of a column's shifted values gives a first answer. Dependence makes its
    tail too thin (three chances in a thousand come up seven times), so the answer is corrected by
    itself: the same is asked of every shifted value of every column, against the others of its
    column that are far from it, and the share of those that look at least as rare is the chance that counts.

    Parameters
    ----------
    nats
        With the labels as they are, shape (n_columns,).
    shifted
        With shifted labels, shape (n_columns, n_shifts).
    far
        From `far_apart`, shape (n_shifts, n_shifts). A value beside its neighbours looks less rare
        than the true one can, which has none: on 300 rows of 24-bar labels one chance in a
        thousand came up five times.

    Returns
    -------
    Shape (n_columns,), between 0 and 1; 1 where a column's shifted values do not vary, and
    everywhere when no shift has five others far from it.
    """
    first = _gamma_tail(nats, shifted.mean(axis=1), np.square(shifted).mean(axis=1))
    # Not a matrix product: its last bits would tell the number of threads.
    n = np.maximum(far.sum(axis=0), 1)
    calibrates = n >= LEAST_FAR
    mean = np.einsum("cs,st->ct", shifted, far.astype(np.float64)) / n
    mean_square = np.einsum("cs,st->ct", np.square(shifted), far.astype(np.float64)) / n
    others = _gamma_tail(shifted, mean, mean_square)
    varies = shifted.var(axis=1) > 1e-12 * np.square(shifted.mean(axis=1))
    pool = np.sort(others[varies][:, calibrates], axis=None)
    if len(pool) == 0:
        return np.ones(len(nats))
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
