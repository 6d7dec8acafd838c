"""Predictions of training rows by models that learnt neither from them nor from what overlaps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from onward.errors import ModelError
from onward.splits import require_training_rows
from onward.types import BoolArray, FloatArray, Fold, IntArray, Spans

__all__ = ["FoldPrediction", "InnerPredictions", "consecutive_spans", "predict_inner", "require_spans"]


@dataclass(frozen=True, eq=False)
class FoldPrediction:
    """What one inner fold gave.

    Attributes
    ----------
    probability
        Predictions of its test rows by each member, shape (n_members, n_test, 3).
    prior
        Class frequencies of its training rows, shape (3,).
    table
        All rows in hand as the stages fitted on this fold make them; None when nobody needs it.
    """

    probability: FloatArray
    prior: FloatArray
    table: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class InnerPredictions:
    """Out-of-fold predictions inside one set of training rows.

    Attributes
    ----------
    rows
        Sorted positions of the covered rows: those that an inner fold tested, shape (m,).
    fold
        Number of the inner fold that tested each of them, shape (m,).
    probability
        By member, shape (n_members, m, 3).
    prior
        Class frequencies of the rows that the predicting models learnt from, shape (m, 3).
    folds
        The inner folds, purged: positions into the rows in hand.
    tables
        For each fold all rows as its stages make them; empty when nobody needs them.
    n_rows
        Rows in hand.
    """

    rows: IntArray
    fold: IntArray
    probability: FloatArray
    prior: FloatArray
    folds: tuple[Fold, ...]
    n_rows: int
    tables: tuple[pd.DataFrame, ...] = ()

    def keep(self, counts: BoolArray) -> InnerPredictions:
        """Return the predictions of some of the rows in hand, positions renumbered.

        Parameters
        ----------
        counts
            Which of the rows in hand stay, shape (n_rows,).
        """
        if counts.all():
            return self
        place = np.cumsum(counts) - 1

        def renumbered(rows: IntArray) -> IntArray:
            return np.asarray(place[rows[counts[rows]]], dtype=np.int64)

        covered = counts[self.rows]
        return replace(
            self,
            rows=renumbered(self.rows),
            fold=self.fold[covered],
            probability=self.probability[:, covered],
            prior=self.prior[covered],
            folds=tuple(Fold(f.number, renumbered(f.train), renumbered(f.test)) for f in self.folds),
            n_rows=int(counts.sum()),
            tables=tuple(table[counts] for table in self.tables),
        )


def predict_inner(
    folds: Sequence[Fold], n_rows: int, predict: Callable[[Fold], FoldPrediction]
) -> InnerPredictions:
    """Let each inner fold learn and predict, and put its predictions in the order of the rows.

    Parameters
    ----------
    folds
        Purged folds of the rows in hand; every row is tested once at most.
    n_rows
        Number of rows in hand.
    predict
        Fits *everything* on a fold's training rows, fitted stages included, and predicts its test
        rows.

    Raises
    ------
    SplitError
        When purging leaves a fold without training rows.
    """
    require_training_rows(folds)
    parts = [predict(fold) for fold in folds]
    test = np.concatenate([fold.test for fold in folds])
    order = np.argsort(test, kind="stable")
    lengths = [len(fold.test) for fold in folds]
    return InnerPredictions(
        rows=test[order],
        fold=np.repeat(np.arange(len(folds), dtype=np.int64), lengths)[order],
        probability=np.concatenate([part.probability for part in parts], axis=1)[:, order],
        prior=np.repeat([part.prior for part in parts], lengths, axis=0)[order],
        folds=tuple(folds),
        n_rows=n_rows,
        tables=tuple(part.table for part in parts if part.table is not None),
    )


def consecutive_spans(n_rows: int) -> Spans:
    """Return spans of rows that follow one another and overlap nowhere: what rows without spans are."""
    moments = np.arange(n_rows, dtype=np.int64)
    return Spans(pd.RangeIndex(n_rows), moments, moments)


def require_spans(spans: Spans, n_rows: int) -> None:
    """Refuse spans that are not one a row."""
    if len(spans) != n_rows:
        raise ModelError(
            "features and spans differ in length",
            got=f"{n_rows} and {len(spans)}",
            allowed="one span a row",
            remedy="Pass the spans of the training rows.",
        )
