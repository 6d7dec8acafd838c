"""Overlap of closed intervals: who shares an instant with whom, and with how many.

Plain NumPy: two sorts and a running maximum beat a compiled loop's start-up, and importing the
splitters stays cheap. Every fast function has its quadratic ``_reference`` beside it. All times
are int64 nanoseconds; intervals are closed on both ends, so intervals that touch overlap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "concurrency",
    "concurrency_reference",
    "overlaps_any",
    "overlaps_any_reference",
    "uniqueness_at",
    "uniqueness_every",
    "uniqueness_reference",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def overlaps_any(start: IntArray, end: IntArray, other_start: IntArray, other_end: IntArray) -> BoolArray:
    """Return, for each interval, whether it shares an instant with any of the others.

    Among the others that begin no later than an interval ends, only the one that reaches
    furthest decides: a running maximum over the others sorted by start answers every row with one
    binary search, in O((n + m) log m), for lengths of any mixture.

    Parameters
    ----------
    start, end
        Closed intervals, shape (n,), ``end >= start``.
    other_start, other_end
        Closed intervals to compare with, shape (m,), in any order.

    Returns
    -------
    Shape (n,).
    """
    if len(other_start) == 0:
        return np.zeros(len(start), dtype=np.bool_)
    order = np.argsort(other_start, kind="stable")
    reach = np.maximum.accumulate(other_end[order])
    begun = np.searchsorted(other_start[order], end, side="right")
    return (begun > 0) & (reach[np.maximum(begun - 1, 0)] >= start)


def overlaps_any_reference(
    start: IntArray, end: IntArray, other_start: IntArray, other_end: IntArray
) -> BoolArray:
    """Compare every interval with every other one: the definition of `overlaps_any`."""
    shares = (start[:, None] <= other_end[None, :]) & (other_start[None, :] <= end[:, None])
    return np.asarray(shares.any(axis=1), dtype=np.bool_)


def concurrency(start: IntArray, end: IntArray, instants: IntArray) -> IntArray:
    """Return how many closed intervals cover each instant, in O((n + m) log n).

    Parameters
    ----------
    start, end
        Closed intervals, shape (n,).
    instants
        Moments to count at, shape (m,), in any order.

    Returns
    -------
    Shape (m,).
    """
    begun = np.searchsorted(np.sort(start), instants, side="right")
    over = np.searchsorted(np.sort(end), instants, side="left")
    return np.asarray(begun - over, dtype=np.int64)


def concurrency_reference(start: IntArray, end: IntArray, instants: IntArray) -> IntArray:
    """Count interval by interval: the definition of `concurrency`."""
    covers = (start[:, None] <= instants[None, :]) & (instants[None, :] <= end[:, None])
    return np.asarray(covers.sum(axis=0), dtype=np.int64)


def uniqueness_at(start: IntArray, end: IntArray, instants: IntArray) -> FloatArray:
    """Return the mean of 1 / concurrency over the given instants that each interval covers.

    Parameters
    ----------
    start, end
        Closed intervals, shape (n,).
    instants
        Sorted, distinct moments, shape (m,).

    Returns
    -------
    Shape (n,), in (0, 1]; NaN for an interval that covers no instant.
    """
    count = concurrency(start, end, instants)
    share = np.divide(1.0, count, out=np.zeros(len(instants)), where=count > 0)
    total = np.concatenate(([0.0], np.cumsum(share)))
    first = np.searchsorted(instants, start, side="left")
    last = np.searchsorted(instants, end, side="right")
    covered = (last - first).astype(np.float64)
    mean = np.full(len(start), np.nan)
    np.divide(total[last] - total[first], covered, out=mean, where=covered > 0)
    return mean


def uniqueness_every(start: IntArray, end: IntArray, step: int) -> FloatArray:
    """Return the mean of 1 / concurrency over instants ``step`` apart, without laying them out.

    Concurrency changes at starts and ends only; between two neighbouring ones it is constant, so
    the instants in between are counted by division. Memory is O(n) whatever the step.

    Parameters
    ----------
    start, end
        Closed intervals, shape (n,).
    step
        Distance between instants, ns, positive; starts and ends are instants themselves.

    Returns
    -------
    Shape (n,), in (0, 1].
    """
    edges = np.unique(np.concatenate((start, end)))
    if len(edges) == 0:
        return np.empty(0)
    begun = np.searchsorted(np.sort(start), edges, side="right")
    ends = np.sort(end)
    at_edge = begun - np.searchsorted(ends, edges, side="left")
    after_edge = begun - np.searchsorted(ends, edges, side="right")
    inner = np.zeros(len(edges))
    inner[:-1] = (np.diff(edges) - 1) // step
    share_inside = np.divide(inner, after_edge, out=np.zeros(len(edges)), where=after_edge > 0)
    total = np.concatenate(([0.0], np.cumsum(1.0 / at_edge + share_inside)))
    covered = np.concatenate(([0.0], np.cumsum(1.0 + inner)))
    first = np.searchsorted(edges, start)
    last = np.searchsorted(edges, end)
    share = total[last] - total[first] + 1.0 / at_edge[last]
    return np.asarray(share / (covered[last] - covered[first] + 1.0), dtype=np.float64)


def uniqueness_reference(start: IntArray, end: IntArray, instants: IntArray) -> FloatArray:
    """Average instant by instant: the definition of `uniqueness_at`."""
    count = concurrency_reference(start, end, instants)
    out = np.full(len(start), np.nan)
    for i in range(len(start)):
        inside = (instants >= start[i]) & (instants <= end[i])
        if inside.any():
            out[i] = np.mean(1.0 / count[inside])
    return out
