"""`TSFreshRelevance`: tsfresh's relevance test on the training rows of a fold."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError, StageError
from onward.features.description import FitInfo
from onward.features.training_rows import checked_classes
from onward.features.tsfresh.significance import Evidence, evidence, false_discovery
from onward.kernels.tsfresh.rank_sums import rank_sums
from onward.labels.weights import average_uniqueness
from onward.types import CLASSES, BoolArray, FloatArray, IntArray, Spans

__all__ = ["RelevanceRecord", "TSFreshRelevance"]

PREFIX = "tsfresh__"
FEW = 3
"""Columns that stay when nothing passes and there is nothing else."""


@dataclass(frozen=True)
class RelevanceRecord:
    """What became of one column.

    Attributes
    ----------
    column
        Full column name.
    p_value
        By class (``"-1"``, ``"0"``, ``"1"``), corrected for overlapping labels; empty for a column
        that does not vary.
    kept
        Whether it stays.
    reason
        In words.
    """

    column: str
    p_value: Mapping[str, float]
    kept: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "column": self.column,
            "p_value": dict(self.p_value),
            "kept": self.kept,
            "reason": self.reason,
        }


class TSFreshRelevance:
    """Keep the columns ``tsfresh__...`` that differ between a class and the others.

    Each class of the labels is set against the rest, as tsfresh's ``calculate_relevance_table`` with
    ``multiclass=True`` does; the number of rows is corrected for labels that overlap (see
    `onward.features.tsfresh.significance`). With labels that do not overlap the p-values are
    tsfresh's own. Other columns pass untouched. Rows where a column is NaN do not count for it.

    Parameters
    ----------
    fdr_level
        Share of irrelevant columns that may be among the kept ones, in (0, 1).
    hypotheses_independent
        Whether the columns' tests are independent. They hardly ever are: then the stricter
        procedure of Benjamini and Yekutieli decides.
    n_significant
        Classes that a column must be relevant for.
    feature_count_limit
        Columns that are kept at most: those of the smallest p-values, the classes taking turns, so
        that columns which know the range do not crowd out those which know the direction.
    correct_overlap
        Whether the number of rows is corrected for overlapping labels.

    Attributes
    ----------
    columns_
        Columns that `transform` gives; None before `fit`.
    input_columns_
        Columns of the fit.
    ledger_
        One `RelevanceRecord` a column that was tested.
    n_rows_, n_effective_
        Training rows, and how many independent ones they count for.
    """

    name = "tsfresh_relevance"

    def __init__(
        self,
        *,
        fdr_level: float = 0.05,
        hypotheses_independent: bool = False,
        n_significant: int = 1,
        feature_count_limit: int | None = None,
        correct_overlap: bool = True,
    ) -> None:
        self.fdr_level = _share("fdr_level", fdr_level)
        self.hypotheses_independent = _switch("hypotheses_independent", hypotheses_independent)
        self.n_significant = _count("n_significant", n_significant, most=len(CLASSES))
        self.feature_count_limit = (
            None if feature_count_limit is None else _count("feature_count_limit", feature_count_limit)
        )
        self.correct_overlap = _switch("correct_overlap", correct_overlap)
        self.columns_: tuple[str, ...] | None = None
        self.input_columns_: tuple[str, ...] = ()
        self.ledger_: tuple[RelevanceRecord, ...] = ()
        self.n_rows_ = 0
        self.n_effective_ = 0.0

    def unfitted(self) -> Self:
        """Return a new stage with these parameters."""
        return type(self)(**self._parameters())

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,  # noqa: ARG002 - rank tests take no weights
        seed: int = 0,  # noqa: ARG002 - nothing is drawn
    ) -> Self:
        """Test the columns on training rows.

        Parameters
        ----------
        X
            Training rows, unique column names.
        y
            Classes -1, 0, 1, shape (n,).
        spans
            Spans of the same rows, in the same order.
        weight, seed
            Not used.

        Raises
        ------
        StageError
            When lengths differ, there are no columns, or names repeat.
        LabelError
            When the labels are not classes or hold one class only, or a span ends before it starts.
        NotEnoughDataError
            When there are no rows.
        """
        labels = checked_classes(
            X, y, spans, stage="the relevance test", otherwise="set features.tsfresh.relevance to false"
        )
        classes, codes = _coded(labels)
        uniqueness = average_uniqueness(spans) if self.correct_overlap else np.ones(len(X))
        self.n_rows_, self.n_effective_ = len(X), float(uniqueness.sum())
        self.input_columns_ = tuple(map(str, X.columns))
        places = [i for i, column in enumerate(self.input_columns_) if column.startswith(PREFIX)]
        tested = [self.input_columns_[i] for i in places]
        passed: set[str] = set()
        self.ledger_ = ()
        if tested:
            found = _evidence(X.iloc[:, places], codes, len(classes), uniqueness)
            must_keep = len(tested) == len(self.input_columns_)
            kept, reasons = self._choose(found, must_keep=must_keep)
            passed = {column for column, stays in zip(tested, kept, strict=True) if stays}
            self.ledger_ = tuple(
                RelevanceRecord(column, _by_class(classes, p), bool(stays), reason)
                for column, p, stays, reason in zip(tested, found.p, kept, reasons, strict=True)
            )
        self.columns_ = tuple(c for c in self.input_columns_ if not c.startswith(PREFIX) or c in passed)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that stay, rows as given.

        Raises
        ------
        StageError
            Before ``fit``, or when a column is missing.
        """
        columns = self._fitted_columns()
        missing = [column for column in columns if column not in X.columns]
        if missing:
            raise StageError(
                "columns that the relevance test keeps are missing",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed=f"all {len(columns)} columns that it keeps",
                remedy="Compute the features with the pipeline that the model was trained with.",
            )
        return X[list(columns)]

    def required_columns(self, outputs: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the inputs behind some outputs: the same columns; behind all of them by default."""
        columns = self._fitted_columns()
        if outputs is None:
            return columns
        strange = sorted(set(outputs).difference(columns))
        if strange:
            raise StageError(
                "the relevance test does not give this column",
                got=repr(strange[0]),
                allowed=f"its {len(columns)} columns",
                remedy="Take them from columns_.",
            )
        return tuple(outputs)

    def restricted(self, outputs: Sequence[str]) -> Self:
        """Return a stage that asks for, and passes on, these of its columns alone."""
        wanted = set(outputs)
        smaller = copy.copy(self)
        smaller.columns_ = tuple(column for column in self._fitted_columns() if column in wanted)
        return smaller

    def describe_fit(self, n_columns: int, n_rows: int) -> FitInfo:
        """Say what the test does; 280 columns of 50,000 rows took 0.3 s (AMD EPYC).

        How many columns come out is left open: those of other stages pass untouched, so a bound
        would count them all and say nothing of the test.
        """
        what = f"drops tsfresh columns that tell no class; {self.fdr_level:.0%} of those kept may be wrong"
        return FitInfo(self.name, what, seconds=25e-9 * n_columns * n_rows)

    def to_json(self) -> dict[str, Any]:
        """Return parameters, choice and ledger as plain JSON values."""
        return {
            "parameters": self._parameters(),
            "columns": None if self.columns_ is None else list(self.columns_),
            "input_columns": list(self.input_columns_),
            "rows": self.n_rows_,
            "effective_rows": self.n_effective_,
            "ledger": [record.to_json() for record in self.ledger_],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild a stage.

        Raises
        ------
        StageError
            When the state is not what `to_json` gave.
        """
        try:
            stage = cls(**state["parameters"])
            columns = state["columns"]
            stage.columns_ = None if columns is None else tuple(map(str, columns))
            stage.input_columns_ = tuple(map(str, state["input_columns"]))
            stage.n_rows_, stage.n_effective_ = int(state["rows"]), float(state["effective_rows"])
            stage.ledger_ = tuple(RelevanceRecord(**record) for record in state["ledger"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StageError(
                "this is not the state of a TSFreshRelevance",
                got=f"{type(error).__name__}: {error}",
                allowed="what to_json gave",
                remedy="Train again, or take an undamaged copy of the bundle.",
            ) from error
        return stage

    def _choose(self, found: Evidence, *, must_keep: bool) -> tuple[BoolArray, list[str]]:
        """Return which columns stay and why, or why not."""
        n_classes = found.p.shape[1]
        rejected = np.column_stack(
            [
                false_discovery(found.p[:, c], self.fdr_level, independent=self.hypotheses_independent)
                for c in range(n_classes)
            ]
        )
        count = rejected.sum(axis=1)
        kept = count >= min(self.n_significant, n_classes)
        varies: BoolArray = np.asarray(~np.isnan(found.p).any(axis=1), dtype=np.bool_)
        reasons = [
            f"relevant for {n} of {n_classes} classes"
            if stays
            else ("not relevant" if there else "does not vary")
            for n, stays, there in zip(count, kept, varies, strict=True)
        ]
        limit = self.feature_count_limit
        if limit is not None and kept.sum() > limit:
            best = _in_turns(found, np.flatnonzero(kept), limit)
            for place in np.flatnonzero(kept):
                if place not in best:
                    kept[place] = False
                    reasons[place] += f", but not among the {limit} that are kept"
        if must_keep and not kept.any():
            candidates = np.flatnonzero(varies) if varies.any() else np.arange(1)
            for saved in _in_turns(found, candidates, min(FEW, len(candidates))):
                kept[saved] = True
                reasons[saved] += ", kept because no column would be left"
        return kept, reasons

    def _fitted_columns(self) -> tuple[str, ...]:
        if self.columns_ is None:
            raise StageError("the stage 'tsfresh_relevance' was not fitted yet", remedy="Call fit first.")
        return self.columns_

    def _parameters(self) -> dict[str, Any]:
        return {
            "fdr_level": self.fdr_level,
            "hypotheses_independent": self.hypotheses_independent,
            "n_significant": self.n_significant,
            "feature_count_limit": self.feature_count_limit,
            "correct_overlap": self.correct_overlap,
        }


def _evidence(X: pd.DataFrame, codes: IntArray, n_classes: int, uniqueness: FloatArray) -> Evidence:
    values = X.to_numpy()
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    share = np.full(values.shape[1], uniqueness.mean())
    for j in range(values.shape[1]):
        known = ~np.isnan(values[:, j])
        if not known.all() and known.any():
            share[j] = uniqueness[known].mean()
    return evidence(rank_sums(values, codes, n_classes), share)


def _in_turns(found: Evidence, candidates: IntArray, limit: int) -> set[int]:
    """Return columns by p-value, the classes naming their best one in turn."""
    orders = [
        candidates[np.lexsort((-found.z[candidates, c], found.p[candidates, c]))]
        for c in range(found.p.shape[1])
    ]
    best: dict[int, None] = {}
    for turn in zip(*orders, strict=True):
        for place in turn:
            if len(best) < limit:
                best[int(place)] = None
    return set(best)


def _by_class(classes: Sequence[int], p: FloatArray) -> dict[str, float]:
    return {} if np.isnan(p).any() else {str(c): float(value) for c, value in zip(classes, p, strict=True)}


def _coded(labels: IntArray) -> tuple[list[int], IntArray]:
    """Return the classes that occur, and the number of each row's among them."""
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise LabelError(
            "the training rows hold one class only",
            got=f"class {int(classes[0])} in {len(labels)} rows",
            allowed="at least two of -1, 0, 1",
            remedy="Train on a longer time range, use fewer folds, or change the label threshold.",
        )
    return [int(c) for c in classes], codes.astype(np.int64)


def _share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1.0:
        raise _refused(name, value, "a number above 0 and below 1", f"Write {name} = 0.05.")
    return float(value)


def _count(name: str, value: Any, *, most: int | None = None) -> int:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 1 or (most is not None and value > most):
        allowed = "1, 2, 3 ..." if most is None else f"1 to {most}"
        raise _refused(name, value, allowed, f"Correct {name}.")
    return int(value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(name, value, "true, false", f"Correct {name}.")
    return value


def _refused(name: str, value: Any, allowed: str, remedy: str) -> StageError:
    return StageError(
        f"the setting tsfresh.{name} is out of range", got=repr(value), allowed=allowed, remedy=remedy
    )
