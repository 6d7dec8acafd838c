"""How much a binned column tells about classes, whatever the shape of the relation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.ranks import LARGEST, UNKNOWN, RankArray
from onward.kernels.threads import for_each_part

__all__ = ["NO_BIN", "bins_from_ranks", "mutual_information", "mutual_information_reference"]

FloatArray = npt.NDArray[np.float64]
BinArray = npt.NDArray[np.uint8]
ClassArray = npt.NDArray[np.int8]

NO_BIN = 255
"""Bin of unknown values; such rows are left out."""


def bins_from_ranks(ranks: RankArray, n_known: npt.NDArray[np.int64], n_bins: int) -> BinArray:
    """Return bins of about equally many known rows each; tied values share a bin.

    Parameters
    ----------
    ranks
        From `onward.kernels.ranks.compact_ranks`, shape (n_columns, n_rows).
    n_known
        Known rows of each column.
    n_bins
        Between 2 and 64.
    """
    bins = np.empty(ranks.shape, dtype=np.uint8)
    for j, column in enumerate(ranks):
        half = int(min(n_known[j] - 1, LARGEST))
        place = column.astype(np.int32) + half  # 0 .. 2 half
        bins[j] = place * n_bins // (2 * half + 1)
        bins[j][column == UNKNOWN] = NO_BIN
    return bins


def mutual_information(bins: BinArray, classes: ClassArray, n_bins: int, n_threads: int = 0) -> FloatArray:
    """Return the mutual information of every column with every version of the classes, in nats.

    The plug-in estimate from counts: it is biased upwards by about
    ``(n_bins - 1) (n_classes - 1) / (2 n)`` and more when neighbouring rows repeat each other, so
    it is meant to be compared with that of other versions of the same classes.

    Parameters
    ----------
    bins
        Shape (n_columns, n_rows).
    classes
        Shape (n_rows, n_versions): 0, 1, 2, or -1 for a row to be left out.
    n_bins
        Number of bins.
    n_threads
        Most threads; 0 means as many as there are cores. The result does not depend on it.

    Returns
    -------
    Shape (n_columns, n_versions); 0 where no row is left.
    """
    table = np.empty((len(bins), classes.shape[1]), dtype=np.float64)
    classes = np.ascontiguousarray(np.where(classes < 0, 3, classes), dtype=np.int8)

    def work(first: int, last: int) -> None:
        _mutual_information(bins[first:last], classes, n_bins, table[first:last])

    for_each_part(work, len(bins), n_threads, at_least=4)
    return table


@kernel
def _mutual_information(bins: BinArray, classes: ClassArray, n_bins: int, out: FloatArray) -> None:
    n_columns, n_rows = bins.shape
    n_versions = classes.shape[1]
    counts = np.empty((n_bins, 4, n_versions), dtype=np.int32)
    for j in range(n_columns):
        counts[:] = 0
        for i in range(n_rows):
            b = bins[j, i]
            if b < n_bins:
                # Neighbouring counters belong to different versions: no increment waits for the last.
                for v in range(n_versions):
                    counts[b, classes[i, v], v] += 1
        for v in range(n_versions):
            total = 0
            for b in range(n_bins):
                for c in range(3):
                    total += counts[b, c, v]
            information = 0.0
            for b in range(n_bins):
                in_bin = counts[b, 0, v] + counts[b, 1, v] + counts[b, 2, v]
                for c in range(3):
                    both = counts[b, c, v]
                    if both > 0:
                        in_class = 0
                        for other in range(n_bins):
                            in_class += counts[other, c, v]
                        information += both * np.log(both * total / (float(in_bin) * float(in_class)))
            out[j, v] = max(information, 0.0) / total if total > 0 else 0.0


def mutual_information_reference(bins: BinArray, classes: ClassArray, n_bins: int) -> FloatArray:
    """Compute `mutual_information` from joint frequencies, for tests."""
    table = np.zeros((len(bins), classes.shape[1]))
    for j, column in enumerate(bins):
        for v in range(classes.shape[1]):
            use = (column < n_bins) & (classes[:, v] >= 0)
            if not use.any():
                continue
            joint = np.zeros((n_bins, 3))
            np.add.at(joint, (column[use], classes[use, v]), 1.0)
            joint /= joint.sum()
            independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
            cells = joint > 0
            table[j, v] = float((joint[cells] * np.log(joint[cells] / independent[cells])).sum())
    return table
