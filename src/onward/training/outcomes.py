"""What a training leaves: what each fold predicted, and the whole before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.evaluation.judgement import Judgement
from onward.evaluation.learning import LearningRecord
from onward.evaluation.oof import OutOfFold, mutual_training
from onward.evaluation.paths import PathScores
from onward.prediction.predictor import Predictor
from onward.training.dataset import Dataset
from onward.types import FloatArray, Fold, IntArray, Labels, Spans

__all__ = ["FoldOutcome", "Training", "pool"]


@dataclass(frozen=True, eq=False)
class FoldOutcome:
    """What one fold learnt and predicted.

    Attributes
    ----------
    fold
        Its training and test rows.
    y
        Labels of the test rows, made with what this fold's training rows fitted.
    probability
        Predictions of the test rows, shape (n_test, 3).
    prior
        Class frequencies of the training rows, shape (3,).
    baselines
        Probabilities of the naive rules on the test rows, by name.
    predictor
        The fitted stages and the model.
    """

    fold: Fold
    y: IntArray
    probability: FloatArray
    prior: FloatArray
    baselines: dict[str, FloatArray]
    predictor: Predictor


@dataclass(frozen=True, eq=False)
class Training:
    """A finished training, before anything is written or published.

    Attributes
    ----------
    dataset
        Features and spans of all bars.
    folds
        What each fold learnt.
    oof
        Pooled out-of-fold predictions.
    judgement
        Scores, null band and verdicts.
    labels
        Labels of all rows, fitted on those of the final fit.
    labeler_state
        The labeler that made them, as plain JSON values.
    predictor
        What was learnt from all labelled rows; with a rolling window from the newest alone.
    seconds
        Wall-clock time of each part, by name.
    warnings
        What a person should know, in sentences.
    learning
        How the final fit learnt: members of an ensemble and their scores inside the training rows,
        calibration; None when there is nothing to tell.
    paths
        Scores of the backtest paths of combinatorial validation; None for other methods.
    """

    dataset: Dataset
    folds: tuple[FoldOutcome, ...]
    oof: OutOfFold
    judgement: Judgement
    labels: Labels
    labeler_state: dict[str, Any]
    predictor: Predictor
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()
    learning: LearningRecord | None = None
    paths: PathScores | None = None


def pool(spans: Spans, outcomes: Sequence[FoldOutcome]) -> OutOfFold:
    """Put the folds' predictions together, in the order of the spans; unscored rows are absent."""
    test = np.concatenate([o.fold.test for o in outcomes])
    order = np.argsort(test, kind="stable")
    names = outcomes[0].baselines

    def gather(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(parts)[order]

    return OutOfFold(
        spans=spans.take(test[order]),
        fold=gather([np.full(len(o.fold.test), o.fold.number, dtype=np.int64) for o in outcomes]),
        y=gather([o.y for o in outcomes]),
        probability=gather([o.probability for o in outcomes]),
        prior=gather([np.tile(o.prior, (len(o.fold.test), 1)) for o in outcomes]),
        baselines={name: gather([o.baselines[name] for o in outcomes]) for name in names},
        mutual=mutual_training([o.fold for o in outcomes]),
    )
