"""Columns that hold what another column holds: equal, monotone twins, nearly the same order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from onward.features.selection.steps import Departure, Departures
from onward.kernels.duplicates import follow_leaders, order_fingerprints
from onward.kernels.ranks import RankArray

__all__ = ["exact_duplicates", "near_duplicates"]


def exact_duplicates(
    ranks: RankArray,
    order: Sequence[int],
    names: Sequence[str],
    equal: Callable[[int, int], bool],
    n_threads: int = 0,
) -> Departures:
    """Return columns that equal a better one, or are a monotone function of it.

    A tree splits both at the same places, so the second adds nothing: a sign-flipped copy, an
    affine one, a logarithm, a rank. Found by fingerprints, whatever the number of columns.

    Parameters
    ----------
    ranks
        Shape (n_columns, n_rows).
    order
        All columns, the preferred first.
    names
        Of the columns.
    equal
        Whether the values of two columns are the same; asked of twins only.
    n_threads
        Most threads; 0 means as many as there are cores.
    """
    alike = order_fingerprints(ranks, n_threads)
    first: dict[bytes, int] = {}
    gone: dict[int, Departure] = {}
    for j in order:
        fingerprint, negated = alike[j]
        twin = first.setdefault(fingerprint, j)
        if twin == j:
            continue
        if equal(j, twin):
            how = "equal to"
        elif negated == alike[twin][1]:
            how = "a rising function of"
        else:
            how = "a falling function of"
        gone[j] = Departure(f"{how} {names[twin]}", twin)
    return gone


def near_duplicates(
    likeness: npt.NDArray[np.float32], order: Sequence[int], names: Sequence[str], above: float
) -> Departures:
    """Return columns whose rows have almost the same order as those of a better column.

    Parameters
    ----------
    likeness
        Rank correlations, shape (n_columns, n_columns).
    order
        All columns, the preferred first.
    names
        Of the columns.
    above
        Absolute rank correlation beyond which two columns count as the same.
    """
    leader = follow_leaders(likeness, order, above)
    return {
        int(j): Departure(
            f"near duplicate of {names[leader[j]]} (rank correlation {likeness[j, leader[j]]:.5f})",
            int(leader[j]),
        )
        for j in np.flatnonzero(leader != np.arange(len(leader)))
    }
