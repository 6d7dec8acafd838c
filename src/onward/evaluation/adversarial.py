"""Adversarial validation: whether a model can tell test rows from training rows by their features.

If it can (AUC well above 0.5) the model under test is asked about rows unlike those it learnt
from. Slow features make that easy without any drift: the rows of one season resemble each other.
So what tells them apart is judged on stretches of time that it did not learn from, with a gap on
both sides, and beside *placebos*: windows as long as the test rows cut from the training rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError, NotEnoughDataError
from onward.evaluation.adversarial_model import SidesRows
from onward.evaluation.thinning import thinned, thinning
from onward.kernels.intervals import overlaps_any
from onward.kernels.statistics import area_under_curve
from onward.splits.extent import told_length
from onward.types import BoolArray, FloatArray, Fold, IntArray, Spans

__all__ = ["AdversarialValidation", "adversarial_of_folds", "adversarial_validation"]

FEWEST_ROWS = 20


@dataclass(frozen=True, eq=False)
class AdversarialValidation:
    """How well test rows can be told from training rows.

    Attributes
    ----------
    auc
        Mean over the held-out stretches of the AUC of "is a test row"; 0.5 = cannot be told.
    standard_error
        Of that mean, over the stretches.
    blocks
        AUC of each held-out stretch, shape (n,).
    placebo
        The same mean for each placebo window, shape (n_placebos,); empty when there was no room.
    importance
        Share of the gain of each column in what tells them apart, largest first, sums to 1
        (zeros when nothing was split on).
    n_train, n_test
        Rows compared, after thinning.
    """

    auc: float
    standard_error: float
    blocks: FloatArray
    placebo: FloatArray
    importance: pd.Series
    n_train: int
    n_test: int

    @property
    def excess(self) -> float:
        """AUC minus the mean of the placebos (minus 0.5 without placebos)."""
        return self.auc - (float(self.placebo.mean()) if len(self.placebo) else 0.5)

    def to_dict(self, top: int = 5) -> dict[str, Any]:
        """Return one row of a table: the figures, and the names of the ``top`` columns."""
        some = len(self.placebo) > 0
        return {
            "auc": self.auc,
            "standard_error": self.standard_error,
            "placebo_mean": float(self.placebo.mean()) if some else float("nan"),
            "placebo_max": float(self.placebo.max()) if some else float("nan"),
            "excess": self.excess,
            "n_placebos": len(self.placebo),
            "n_train": self.n_train,
            "n_test": self.n_test,
            "top": tuple(str(c) for c in self.importance[self.importance > 0].index[:top]),
        }


def adversarial_validation(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    train_spans: Spans,
    test_spans: Spans,
    gap: int | None = None,
    n_blocks: int = 4,
    n_placebos: int = 3,
    max_rows: int = 4_000,
    seed: int = 0,
    n_threads: int = 1,
) -> AdversarialValidation:
    """Tell test rows from training rows by time blocks that were not learnt from.

    Training and test rows are each cut into as many stretches of time. Each turn holds one
    stretch of either out and learns from the rest, a small strongly regularised LightGBM with both
    sides weighing the same. Rows whose moment is within ``gap`` of a held-out row, before or after
    it, are not learnt from.

    Parameters
    ----------
    train, test
        Rows of one fold with the same columns.
    train_spans, test_spans
        Their spans.
    gap
        ns of time kept free around held-out rows: the longest lookback of the features at best, as
        far as the data allow; the longest label when None.
    n_blocks
        Stretches; fewer when the gap leaves nothing to learn from is refused, not done silently.
    n_placebos
        Windows of the training rows, as many moments long as the test rows, evenly placed, that
        are told from the other training rows in the same way.
    max_rows
        Thin out moments evenly until about so many rows are left.
    seed
        Of the model.
    n_threads
        Of LightGBM.

    Raises
    ------
    ConfigError
        When columns differ or a number is out of range.
    NotEnoughDataError
        When a side has too few rows, or the gap leaves a turn without rows of both sides.
    """
    width = max(train_spans.longest, test_spans.longest) if gap is None else gap
    _check_rows(train, test, train_spans, test_spans)
    _check_numbers(width, n_blocks, n_placebos, max_rows)
    start = np.concatenate((train_spans.start, test_spans.start))
    kept = thinned(start, thinning(start, max_rows))
    start, is_test = start[kept], kept >= len(train)
    values = np.concatenate((_values(train, kept[~is_test]), _values(test, kept[is_test] - len(train))))
    rows = SidesRows.bin(values, seed=seed, n_threads=n_threads)
    judge = _Judge(start, width, n_blocks)
    blocks, gain = judge.tell(rows, is_test)
    total = float(gain.sum())
    importance = pd.Series(gain / total if total > 0 else gain, index=[str(c) for c in train.columns])
    own = np.flatnonzero(~is_test)
    n_moments = len(np.unique(start[is_test]))
    placebo = [
        float(judge.of(own).tell(rows.take(own), window)[0].mean())
        for window in _windows(start[own], n_moments, n_placebos)
    ]
    return AdversarialValidation(
        auc=float(blocks.mean()),
        standard_error=float(blocks.std(ddof=1) / np.sqrt(len(blocks))),
        blocks=blocks,
        placebo=np.array(placebo, dtype=np.float64),
        importance=importance.sort_values(ascending=False, kind="stable"),
        n_train=int((~is_test).sum()),
        n_test=int(is_test.sum()),
    )


def adversarial_of_folds(
    X: pd.DataFrame, spans: Spans, folds: Iterable[Fold], *, top: int = 5, **options: Any
) -> pd.DataFrame:
    """Return `adversarial_validation` of every fold, one row a fold.

    Parameters
    ----------
    X, spans, folds
        As for `onward.evaluation.drift.drift_of_folds`.
    top
        Columns to name.
    options
        Of `adversarial_validation`.
    """
    records = [
        {
            "fold": fold.number,
            **adversarial_validation(
                X.iloc[fold.train],
                X.iloc[fold.test],
                train_spans=spans.take(fold.train),
                test_spans=spans.take(fold.test),
                **options,
            ).to_dict(top),
        }
        for fold in folds
    ]
    return pd.DataFrame(records)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Holds stretches out, learns from the rest, and scores."""

    start: IntArray
    width: int
    n_blocks: int

    def of(self, rows: IntArray) -> _Judge:
        return _Judge(self.start[rows], self.width, self.n_blocks)

    def tell(self, rows: SidesRows, is_test: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Return the AUC of each held-out stretch, and the gain of each column over all turns."""
        stretch = np.empty(len(is_test), dtype=np.int64)
        for side in (is_test, ~is_test):
            moments, step = np.unique(self.start[side], return_inverse=True)
            stretch[side] = step * self.n_blocks // len(moments)
        areas, gain = np.empty(self.n_blocks), np.zeros(rows.n_columns)
        for number in range(self.n_blocks):
            held = np.flatnonzero(stretch == number)
            learnt = self._far(held)
            if min(int(is_test[learnt].sum()), int((~is_test[learnt]).sum())) < FEWEST_ROWS:
                raise _too_short(self.width)
            model = rows.take(learnt).fit(is_test[learnt])
            areas[number] = area_under_curve(rows.take(held).likeness(model), is_test[held])
            gain += model.gain
        return areas, gain

    def _far(self, held: IntArray) -> IntArray:
        """Return the rows whose moments are further than the gap from all held-out ones."""
        end = self.start + self.width  # intervals this long meet when moments are a gap apart or less
        return np.flatnonzero(~overlaps_any(self.start, end, self.start[held], end[held])).astype(np.int64)


def _windows(start: IntArray, n_moments: int, n_placebos: int) -> list[BoolArray]:
    """Return masks of evenly placed windows, each at most half of the rows."""
    moments, step = np.unique(start, return_inverse=True)
    room = len(moments) - n_moments
    if n_moments > len(moments) // 2:
        return []
    firsts = (np.arange(n_placebos) + 0.5) / max(n_placebos, 1) * room
    return [(step >= int(first)) & (step < int(first) + n_moments) for first in firsts]


def _values(table: pd.DataFrame, rows: IntArray) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(table.iloc[rows].to_numpy(np.float32))


def _too_short(width: int) -> NotEnoughDataError:
    return NotEnoughDataError(
        "the gap leaves too few rows to tell training from test rows",
        got=f"a gap of {told_length(width)}",
        allowed=f"{FEWEST_ROWS} rows of either left to learn from",
        remedy="Use a shorter gap, fewer blocks or fewer folds.",
    )


def _check_numbers(gap: int, n_blocks: int, n_placebos: int, max_rows: int) -> None:
    if gap < 0 or n_blocks < 2 or n_placebos < 0 or max_rows < 4 * FEWEST_ROWS:
        raise ConfigError(
            "adversarial validation cannot run with these numbers",
            got=f"gap {gap} ns, n_blocks {n_blocks}, n_placebos {n_placebos}, max_rows {max_rows}",
            allowed=f"gap >= 0, n_blocks >= 2, n_placebos >= 0, max_rows >= {4 * FEWEST_ROWS}",
            remedy="Leave them at their defaults.",
        )


def _check_rows(train: pd.DataFrame, test: pd.DataFrame, train_spans: Spans, test_spans: Spans) -> None:
    if list(train.columns) != list(test.columns) or not train.shape[1]:
        raise ConfigError(
            "training and test rows have different columns",
            got=f"{train.shape[1]} and {test.shape[1]} columns",
            allowed="the same columns in the same order, at least one",
            remedy="Take both from one feature matrix.",
        )
    if len(train) != len(train_spans) or len(test) != len(test_spans):
        raise ConfigError(
            "rows and spans disagree in number",
            got=f"{len(train)} rows with {len(train_spans)} spans, {len(test)} with {len(test_spans)}",
            allowed="one span a row",
            remedy="Take rows and spans by the same positions.",
        )
    if min(len(train), len(test)) < 2 * FEWEST_ROWS:
        raise NotEnoughDataError(
            "there are too few rows to compare",
            got=f"{len(train)} training and {len(test)} test rows",
            allowed=f"{2 * FEWEST_ROWS} of each or more",
            remedy="Use fewer folds or a longer time range.",
        )
