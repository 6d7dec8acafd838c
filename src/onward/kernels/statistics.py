"""Rank statistics: areas under the ROC curve, also under circular shifts, and the shifts themselves.

The area under the curve (AUC) is the Mann-Whitney statistic: the share of (positive, negative)
pairs in which the positive scored higher, ties counting one half (Hanley & McNeil 1982).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = [
    "area_under_curve",
    "centred_ranks",
    "draw_shifts",
    "least_shift",
    "longest_span",
    "midranks",
    "shifted_areas",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SignArray = npt.NDArray[np.int8]


def midranks(values: npt.NDArray[np.floating]) -> FloatArray:
    """Return the ranks 1..n of finite values, tied values sharing the mean of their ranks.

    Parameters
    ----------
    values
        Shape (n,), without NaN.
    """
    order = np.argsort(values)
    return _midranks_in_order(np.asarray(values)[order], order)


def _midranks_in_order(ordered: npt.NDArray[np.floating], order: IntArray) -> FloatArray:
    """Return midranks of values whose sorted copy and sorting permutation are given."""
    n = len(ordered)
    ranks = np.empty(n, dtype=np.float64)
    if n == 0:
        return ranks
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) == n:
        ranks[order] = np.arange(1, n + 1)
        return ranks
    ends = np.append(starts[1:], n)
    ranks[order] = np.repeat(0.5 * (starts + ends + 1), ends - starts)
    return ranks


def centred_ranks(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return ranks scaled to mean 0 and sum of squares 1 over the known values, 0 where NaN.

    A dot product of two such vectors without NaN is Spearman's rank correlation. Unknown rows
    contribute nothing. A column with fewer than two distinct known values gives zeros only.

    Parameters
    ----------
    values
        Shape (n,); NaN means "not known yet". Infinities rank like any other value.
    """
    result = np.zeros(len(values), dtype=np.float32)
    order = np.argsort(values)  # NaN sorts to the end
    ordered = np.asarray(values)[order]
    n_known = len(ordered) - int(np.count_nonzero(np.isnan(ordered)))
    if n_known < 2 or ordered[0] == ordered[n_known - 1]:
        return result
    order, ordered = order[:n_known], ordered[:n_known]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ends = np.append(starts[1:], n_known)
    middle = 0.5 * (starts + ends - n_known)
    counts = ends - starts
    # Not a dot product: BLAS would spread it over threads, whose meeting costs far more than the sum.
    middle /= np.sqrt(np.sum(counts * middle * middle))
    result[order] = np.repeat(middle, counts) if len(starts) < n_known else middle
    return result


def area_under_curve(score: FloatArray, positive: npt.NDArray[np.bool_]) -> float:
    """Return the AUC of a score, NaN when one of the two groups is empty or a score is NaN.

    Parameters
    ----------
    score
        Shape (n,). With a NaN the order is not known, and neither is the area.
    positive
        Shape (n,): True for the rows that ought to score higher.
    """
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0 or np.isnan(score).any():
        return float("nan")
    rank_sum = float(midranks(score)[positive].sum())
    return (rank_sum - 0.5 * n_positive * (n_positive + 1)) / (n_positive * n_negative)


def shifted_areas(
    score: FloatArray, outcome: SignArray, series: IntArray, step: IntArray, shifts: IntArray
) -> FloatArray:
    """Return the AUC of a score against outcomes shifted circularly in time, one per shift.

    Row i of series s at time step t meets the outcome of the same series at step ``t - shift``
    (modulo the number of steps), so every series is shifted equally. Scores are sorted once;
    each shift then costs one pass over the rows.

    Parameters
    ----------
    score
        Shape (n,), without NaN.
    outcome
        Shape (n_series, n_steps): +1 positive, -1 negative, 0 not counted (or no such row).
    series, step
        Shape (n,): the cell of ``outcome`` that belongs to each row unshifted.
    shifts
        Shape (k,), non-negative.

    Returns
    -------
    ndarray
        Shape (k,); NaN where a shift leaves one group empty.
    """
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    opens = np.ones(len(ordered), dtype=np.bool_)
    opens[1:] = ordered[1:] != ordered[:-1]
    return _shifted_areas(
        opens,
        np.ascontiguousarray(outcome, dtype=np.int8),
        np.ascontiguousarray(series[order], dtype=np.int64),
        np.ascontiguousarray(step[order], dtype=np.int64),
        np.ascontiguousarray(shifts % outcome.shape[1], dtype=np.int64),
    )


@kernel
def _shifted_areas(
    opens: npt.NDArray[np.bool_], outcome: SignArray, series: IntArray, step: IntArray, shifts: IntArray
) -> FloatArray:
    n_steps = outcome.shape[1]
    areas = np.empty(len(shifts), dtype=np.float64)
    for k in range(len(shifts)):
        shift = shifts[k]
        below = 0  # negatives with a strictly lower score
        positives = 0
        doubled_wins = 0
        tied_positive = 0
        tied_negative = 0
        for i in range(len(step)):
            if opens[i]:
                doubled_wins += tied_positive * (2 * below + tied_negative)
                below += tied_negative
                positives += tied_positive
                tied_positive = 0
                tied_negative = 0
            at = step[i] - shift
            if at < 0:
                at += n_steps
            sign = outcome[series[i], at]
            if sign > 0:
                tied_positive += 1
            elif sign < 0:
                tied_negative += 1
        doubled_wins += tied_positive * (2 * below + tied_negative)
        below += tied_negative
        positives += tied_positive
        areas[k] = 0.5 * doubled_wins / (positives * below) if positives * below > 0 else np.nan
    return areas


def _shifted_areas_reference(
    score: FloatArray, outcome: SignArray, series: IntArray, step: IntArray, shifts: IntArray
) -> FloatArray:
    """Compute `shifted_areas` by counting pairs, for tests."""
    areas = []
    for shift in shifts:
        sign = outcome[series, (step - shift) % outcome.shape[1]]
        up, down = score[sign > 0][:, None], score[sign < 0][None, :]
        pairs = up.size * down.size
        wins = np.count_nonzero(up > down) + 0.5 * np.count_nonzero(up == down)
        areas.append(wins / pairs if pairs else np.nan)
    return np.array(areas, dtype=np.float64)


def least_shift(times: IntArray, distance: int) -> int:
    """Return the smallest number of steps that moves every moment by at least a distance.

    Parameters
    ----------
    times
        Sorted, unique moments in ns, shape (n,). Gaps only lengthen a step.
    distance
        ns.
    """
    if len(times) == 0:
        return 0
    reached = np.searchsorted(times, times + distance, side="left")
    return int((reached - np.arange(len(times)))[reached < len(times)].max(initial=0)) or len(times)


def longest_span(times: IntArray, start: IntArray, end: IntArray) -> int:
    """Return how many steps the longest span covers; a gap in the moments counts as one step.

    Parameters
    ----------
    times
        Sorted, unique moments in ns, shape (n,).
    start, end
        Spans in ns, closed on both ends, shape (m,).
    """
    if len(start) == 0:
        return 0
    steps = np.searchsorted(times, end, side="left") - np.searchsorted(times, start, side="left")
    return int(steps.max())


def draw_shifts(n_steps: int, least: int, n_shifts: int, seed: int) -> IntArray:
    """Return sorted, distinct circular shifts at least ``least`` steps away in both directions.

    They are spread evenly with a jitter: evenness lowers the noise of what is estimated over
    them, the jitter keeps them from locking to a daily or weekly rhythm.

    Parameters
    ----------
    n_steps
        Length of the circle.
    least
        Smallest displacement, in steps.
    n_shifts
        How many are wanted; all admissible ones are returned when there are fewer.
    seed
        Seed of the jitter.
    """
    first, last = max(least, 1), n_steps - max(least, 1)
    n_admissible = last - first + 1
    if n_admissible <= 0:
        return np.empty(0, dtype=np.int64)
    if n_admissible <= n_shifts:
        return np.arange(first, last + 1, dtype=np.int64)
    edges = first + np.arange(n_shifts + 1, dtype=np.int64) * n_admissible // n_shifts
    jitter = np.random.default_rng(seed).random(n_shifts)
    return edges[:-1] + np.floor(jitter * np.diff(edges)).astype(np.int64)
