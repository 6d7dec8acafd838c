"""Fewer rows for what need not see them all: every so manieth moment, all its symbols together."""

from __future__ import annotations

import numpy as np

from onward.types import IntArray

__all__ = ["thinned", "thinning"]


def thinning(start: IntArray, max_rows: int) -> int:
    """Return the step between kept moments that leaves about ``max_rows`` rows; 1 keeps all."""
    return max(1, -(-len(start) // max_rows))


def thinned(start: IntArray, step: int) -> IntArray:
    """Return the rows of every ``step``-th moment.

    Parameters
    ----------
    start
        Decision time of each row, ns UTC, in any order, shape (n,).
    step
        From `thinning`.

    Returns
    -------
    Positions, ascending; those of one moment are kept or left together.
    """
    _, number = np.unique(start, return_inverse=True)
    return np.flatnonzero(number % step == 0).astype(np.int64)
