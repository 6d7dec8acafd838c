"""How much better a column knows the labels than it knows the same labels shifted in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError
from onward.kernels.statistics import centred_ranks, draw_shifts, longest_span
from onward.kernels.whole_numbers import EXACT_ROWS, whole_numbers, whole_units
from onward.types import FloatArray, IntArray, Spans

__all__ = [
    "CAUTION_BELOW",
    "TARGETS",
    "Relevance",
    "caution",
    "effective_rows",
    "label_targets",
    "measure_relevance",
    "rank_columns",
    "shifted_targets",
]

TARGETS = ("direction", "range")
"""What a column may be relevant for: the ordered class, and whether the row ends in the range."""

CAUTION_BELOW = 60
"""Effective rows below which a ledger warns: chance itself is then known to one part in ten at best."""

MIN_SHIFTS = 20


@dataclass(frozen=True, eq=False)
class Relevance:
    """Rank correlation of every column with every target, and how it stands among shifted ones.

    Attributes
    ----------
    correlation
        Shape (n_columns, n_targets), between -1 and 1.
    z
        Shape (n_columns, n_targets): absolute correlation less the mean absolute correlation with
        the shifted labels, in deviations of the latter. Of columns that know nothing about
        7 in 100 exceed 1.65 (the absolute value of a Gaussian is skewed).
    p
        Shape (n_columns, n_targets): two-sided chance of such a correlation, in root mean squares
        of those with shifted labels; 1 where a column does not vary. Student's t, because that
        root mean square is itself measured, on as many independent values as there are labels
        that do not overlap: with 12 of them a Gaussian calls one chance in 1,300 one in 100,000.
    """

    correlation: FloatArray
    z: FloatArray
    p: FloatArray


def label_targets(y: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the targets of classes -1, 0, 1, centred and of unit sum of squares, shape (n, 2).

    Raises
    ------
    LabelError
        When every row has the same class.
    NotEnoughDataError
        When there are no rows.
    """
    if len(y) == 0:
        raise NotEnoughDataError(
            "there are no training rows to select features from",
            remedy="Use a longer time range or fewer folds.",
        )
    raw = np.column_stack((y, y == 0)).astype(np.float64)
    raw -= raw.mean(axis=0)
    length = np.sqrt((raw * raw).sum(axis=0))
    if not length.any():
        raise LabelError(
            "the training rows hold one class only",
            got=f"class {int(y[0])} in {len(y)} rows",
            allowed="at least two of -1, 0, 1",
            remedy="Train on a longer time range, use fewer folds, or change the label threshold.",
        )
    # Two classes can leave one target constant: it stays all zero and nothing is relevant for it.
    return (raw / np.where(length > 0, length, 1.0)).astype(np.float32)


def rank_columns(X: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the centred ranks of every column, shape (n_columns, n_rows); see `centred_ranks`."""
    ranks = np.empty((X.shape[1], len(X)), dtype=np.float32)
    values = X.to_numpy(dtype=np.float32, copy=False)
    for j in range(X.shape[1]):
        ranks[j] = centred_ranks(np.ascontiguousarray(values[:, j]))
    return ranks


def shifted_targets(spans: Spans, n_shifts: int, seed: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return series code and time step of each training row, and the shifts to compare with.

    Steps count the distinct decision times of the training rows, so a hole left by a test block
    is closed up: a shift then moves a label even further in time than its steps say. Every
    symbol is shifted equally. Shifts are at least ten spans long where the data allow it, and
    never shorter than the longest span: at shorter shifts trailing features *are* the shifted
    label, which would widen what noise is taken for.

    Raises
    ------
    NotEnoughDataError
        When fewer than 20 shifts are possible.
    """
    series = _series_codes(spans.index)
    times, step = np.unique(spans.start, return_inverse=True)
    least = longest_span(times, spans.start, spans.end)
    roomy = min(10 * least, len(times) // 10)
    shifts = draw_shifts(len(times), max(least, roomy), n_shifts, seed)
    if len(shifts) < MIN_SHIFTS:
        raise NotEnoughDataError(
            "the training rows are too few to tell a feature from chance",
            got=f"{len(times)} decision times for labels up to {least} steps long",
            allowed=f"at least {2 * least + MIN_SHIFTS} decision times",
            remedy="Use a longer time range, a shorter horizon or fewer folds, or switch selection off.",
        )
    return series, step.astype(np.int64), shifts


def effective_rows(spans: Spans) -> float:
    """Return how many labels that do not overlap the training rows are worth: decision times a span.

    As many of their shifted versions are independent, too. Symbols of a panel share their times
    and move together, so they count once.

    Parameters
    ----------
    spans
        Of the training rows, one or more.
    """
    times = np.unique(spans.start)
    steps = np.searchsorted(times, spans.end, side="left") - np.searchsorted(times, spans.start)
    return len(times) / max(1.0, float(steps.mean()))


def caution(effective: float) -> str:
    """Return what to say about a choice made on so few effective rows; empty where they are enough."""
    if effective >= CAUTION_BELOW:
        return ""
    return f"caution: rows worth {effective:.0f} labels that do not overlap, {CAUTION_BELOW} are wanted"


def measure_relevance(
    ranks: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    series: IntArray,
    step: IntArray,
    shifts: IntArray,
    effective: float = np.inf,
) -> Relevance:
    """Correlate ranked columns with the targets and with the targets shifted circularly in time.

    One matrix product: columns x rows times rows x (1 + shifts) a target, exact in whole numbers,
    so that the result is the same on any number of threads. A label that a shift puts where its
    symbol has no row counts as average, as do unknown (NaN) feature values.

    Parameters
    ----------
    ranks
        Shape (n_columns, n_rows).
    targets
        Shape (n_rows, n_targets).
    series, step, shifts
        From `shifted_targets`.
    effective
        From `effective_rows`: degrees of freedom of what is known about chance. Without it the
        deviation counts as exact, and p is too small on few rows.
    """
    from scipy.special import ndtr, stdtr

    n_targets = targets.shape[1]
    n_steps = int(step.max()) + 1
    moves = np.concatenate(([0], shifts))
    unit, rank_unit = whole_units(targets.T), whole_units(ranks)
    grid = np.zeros((n_targets, int(series.max()) + 1, n_steps), dtype=np.float64)
    grid[:, series, step] = whole_numbers(targets.T, unit)
    products = np.zeros((n_targets, len(ranks), len(moves)), dtype=np.float64)
    for first in range(0, len(step), EXACT_ROWS):
        rows = slice(first, first + EXACT_ROWS)
        at = (step[rows, None] - moves[None, :]) % n_steps
        whole = whole_numbers(ranks[:, rows], rank_unit)
        for target in range(n_targets):
            shifted = grid[target][series[rows, None], at]
            products[target] += whole @ shifted
    products *= unit[:, :, None] * rank_unit
    correlation = products[:, :, 0].T
    chance = np.abs(products[:, :, 1:])
    mean, deviation = chance.mean(axis=2).T, chance.std(axis=2).T
    z = (np.abs(correlation) - mean) / np.where(deviation > 0, deviation, np.inf)
    typical = np.sqrt((chance * chance).mean(axis=2)).T
    size = np.abs(correlation) / np.where(typical > 0, typical, np.inf)
    p = 2.0 * (stdtr(max(effective, 1.0), -size) if np.isfinite(effective) else ndtr(-size))
    return Relevance(np.ascontiguousarray(correlation), np.ascontiguousarray(z), np.ascontiguousarray(p))


def _series_codes(index: pd.Index) -> IntArray:
    """Return the code of each row's symbol: the first index level, or one series for all."""
    if isinstance(index, pd.MultiIndex):
        return np.asarray(pd.factorize(index.codes[0])[0], dtype=np.int64)
    return np.zeros(len(index), dtype=np.int64)
