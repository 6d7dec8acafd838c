"""Outer folds of a nested search: in positions of the labels that were chosen, and put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onward.errors import SplitError
from onward.evaluation.learning import LearningRecord
from onward.evaluation.oof import OutOfFold
from onward.evaluation.paths import PathScores
from onward.protocols import Splitter
from onward.training.dataset import Dataset
from onward.training.optimization.bench import Bench, Candidate
from onward.training.optimization.result import StudyResult
from onward.training.outcomes import FoldOutcome
from onward.training.paths import pool_by_splitter
from onward.types import BoolArray, Fold, IntArray, Spans

__all__ = ["Outer", "n_questions", "own_folds", "pooled", "translated", "with_inner_folds"]


@dataclass(frozen=True, eq=False)
class Outer:
    """What an outer fold came to.

    Attributes
    ----------
    outcome
        Predictions of its test rows; positions are those of the outer folds.
    ends
        End of the span of each test row, by the labels that were chosen.
    study
        The search.
    """

    outcome: FoldOutcome
    ends: IntArray
    study: StudyResult


def translated(dataset: Dataset, rows: IntArray, fold: Fold) -> tuple[Fold, Fold]:
    """Return a fold in positions of a trial's own spans, and what it labels in those of the outer fold.

    Parameters
    ----------
    dataset
        That of the trial.
    rows
        Bars of the positions of the outer fold.
    fold
        The outer fold.

    Raises
    ------
    SplitError
        When the trial's labels leave it without training or test rows.
    """
    place = np.full(len(dataset.market), -1, dtype=np.int64)
    place[dataset.rows] = np.arange(len(dataset), dtype=np.int64)
    train, test = place[rows[fold.train]], place[rows[fold.test]]
    own = Fold(fold.number, train[train >= 0], test[test >= 0])
    if len(own.train) == 0 or len(own.test) == 0:
        raise SplitError(
            f"the labels that fold {fold.number} chose leave it without rows",
            got=f"{len(own.train)} training rows, {len(own.test)} test rows",
            allowed="one of each at least",
            remedy="Take rare events out of the space, or use more data.",
        )
    return own, Fold(fold.number, fold.train[train >= 0], fold.test[test >= 0])


def with_inner_folds(
    outcome: FoldOutcome, bench: Bench, chosen: dict[str, Any], n_splits: int
) -> FoldOutcome:
    """Return an outcome whose learning record names the inner folds of the search, for audits.

    They are the same for all trials: where labels vary, each trial has spans and inner folds of its
    own, which the spans of the outer folds (they hold the longest label of all) cannot judge; then
    none are named.

    Parameters
    ----------
    outcome
        What an outer fold came to.
    bench
        Makes trials.
    chosen
        Values of the best trial.
    n_splits
        Inner folds of the search.
    """
    train, learning = outcome.fold.train, outcome.predictor.learning
    own = LearningRecord("single", len(train)) if learning is None else learning
    if bench.space.searches_labels:
        named = replace(own, inner=())
    else:
        candidate = bench.candidate(chosen)
        allowed = np.zeros(len(bench.market), dtype=np.bool_)
        allowed[candidate.dataset.rows[train]] = True
        place = np.full(len(candidate.dataset), -1, dtype=np.int64)
        place[train] = np.arange(len(train))
        cut = bench.inner_folds(candidate, allowed, n_splits)
        inner = tuple(Fold(fold.number, place[fold.train], place[fold.test]) for fold in cut)
        named = replace(own, inner=(*own.inner, *inner))
    return replace(outcome, predictor=replace(outcome.predictor, learning=named))


def own_folds(candidate: Candidate, allowed: BoolArray) -> list[Fold]:
    """Return the folds that a trial's trainer cuts inside the rows it may see; none where it cuts none.

    Parameters
    ----------
    candidate
        The trial.
    allowed
        Bars whose labels may be seen, shape (n_bars,).
    """
    trainer, dataset = candidate.trainer, candidate.dataset
    if not trainer.uses_inner and trainer.calibration == "none":
        return []
    visible = np.flatnonzero(allowed[dataset.rows]).astype(np.int64)
    cut = trainer.inner.folds(dataset.spans.take(visible))
    return [Fold(fold.number, visible[fold.train], visible[fold.test]) for fold in cut]


def pooled(splitter: Splitter, spans: Spans, outer: Sequence[Outer]) -> tuple[OutOfFold, PathScores | None]:
    """Put the predictions of the outer folds together, each row's span as its fold chose it.

    Returns
    -------
    As `onward.training.paths.pool_by_splitter`.
    """
    end = spans.end.copy()
    for one in outer:
        end[one.outcome.fold.test] = one.ends
    own = Spans(spans.index, spans.start, end)
    return pool_by_splitter(splitter, own, [one.outcome for one in outer])


def n_questions(outer: Sequence[Outer]) -> int:
    """Return how many different labels the outer folds chose."""
    chosen = [one.study.chosen.parameters for one in outer]
    labels = [sorted((k, str(v)) for k, v in values.items() if k.startswith("labels.")) for values in chosen]
    return len({tuple(one) for one in labels})
