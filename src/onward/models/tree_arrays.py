"""Whether tree arrays that were read from a file can be walked without leaving them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["walkable"]


def walkable(
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    feature: npt.NDArray[Any],
    inner: npt.NDArray[np.bool_],
    n_features: int,
) -> bool:
    """Return whether every walk from the root ends at a leaf and reads existing columns only.

    scikit-learn follows child and column numbers without looking whether they exist; a file made
    by hand could send it anywhere in memory, or round in circles.

    Parameters
    ----------
    left, right
        Children of each node, shape (n_nodes,).
    feature
        Column asked for at each node.
    inner
        Whether a node has children.
    n_features
        Columns there are.
    """
    n_nodes = len(left)
    if n_nodes == 0:
        return False
    here = np.flatnonzero(inner)
    children = np.stack([left[inner], right[inner]]).astype(np.int64)
    columns = feature[inner].astype(np.int64)
    inside = (children > here) & (children < n_nodes)  # children come after their parent: no circles
    return bool(inside.all() and (columns >= 0).all() and (columns < n_features).all())
