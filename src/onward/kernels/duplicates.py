"""Columns that say the same: fingerprints for equal and monotone twins, leaders for alike ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onward.kernels.ranks import UNKNOWN, RankArray
from onward.kernels.threads import for_each_part

__all__ = ["follow_leaders", "order_fingerprints"]

IntArray = npt.NDArray[np.int64]
_BYTES = 16


def order_fingerprints(ranks: RankArray, n_threads: int = 0) -> list[tuple[bytes, bool]]:
    """Return 16 bytes a column that are equal when one is a monotone function of the other.

    Rising functions (affine, logarithm, any other) keep the ranks, falling ones negate them; the
    second value says whether the column's ranks had to be negated to reach the common form.
    Which rows are unknown has to agree as well.

    Parameters
    ----------
    ranks
        From `onward.kernels.ranks.compact_ranks`, shape (n_columns, n_rows).
    n_threads
        Most threads; 0 means as many as there are cores.
    """
    prints = [(b"", False)] * len(ranks)

    def take(first: int, last: int) -> None:
        for j in range(first, last):
            column = ranks[j]
            marked = np.flatnonzero((column != UNKNOWN) & (column != 0))
            negated = bool(len(marked)) and bool(column[marked[0]] < 0)
            if negated:
                column = np.where(column == UNKNOWN, column, -column)
            prints[j] = (hashlib.blake2b(column.tobytes(), digest_size=_BYTES).digest(), negated)

    for_each_part(take, len(prints), n_threads, at_least=64)
    return prints


def follow_leaders(likeness: npt.NDArray[np.float32], order: Sequence[int], above: float) -> IntArray:
    """Return the leader of every item: itself, or the most alike of the leaders before it.

    Items come up in the order given; one that is alike to no earlier leader becomes a leader. So
    every follower is directly alike to its leader (there are no chains) and no two leaders are
    alike.

    Parameters
    ----------
    likeness
        Symmetric, shape (n, n); its absolute value counts.
    order
        All items, the best first.
    above
        Items are alike when their likeness exceeds this.
    """
    leader = np.arange(len(likeness), dtype=np.int64)
    leaders: list[int] = []
    for item in order:
        if leaders:
            alike = np.abs(likeness[item, leaders])
            closest = int(alike.argmax())
            if alike[closest] > above:
                leader[item] = leaders[closest]
                continue
        leaders.append(int(item))
    return leader
