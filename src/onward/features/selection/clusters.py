"""Clusters of correlated columns, each represented by its most stable member."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onward.features.selection.steps import Departure, Departures
from onward.kernels.duplicates import follow_leaders

__all__ = ["represented"]


def represented(
    likeness: npt.NDArray[np.float32], order: Sequence[int], names: Sequence[str], above: float
) -> Departures:
    """Return columns for which a better, correlated one stands.

    Columns come up in the order given. One that correlates with no earlier representative
    becomes one, so every column that leaves is *directly* correlated with the column that stands
    for it: clusters do not chain from one end of a feature set to the other as connected
    components do.

    Parameters
    ----------
    likeness
        Correlations, shape (n_columns, n_columns); their absolute value counts.
    order
        All columns, the preferred first (`onward.features.selection.preference.stable_first`).
    names
        Of the columns.
    above
        Absolute correlation beyond which one column stands for another.
    """
    leader = follow_leaders(likeness, order, above)
    return {
        int(j): Departure(
            f"correlated with {names[leader[j]]} ({likeness[j, leader[j]]:.3f})", int(leader[j])
        )
        for j in np.flatnonzero(leader != np.arange(len(leader)))
    }
