"""What every training shares: one template from rows to out-of-fold predictions and a final fit.

A subclass says how one set of training rows becomes a `Predictor`; everything that must not be
got wrong (which rows, which labels, what is pooled, what is scored) is written here once.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import SplitError
from onward.evaluation.baselines import rule_probabilities, rule_signals
from onward.evaluation.judgement import Judgement, judge
from onward.evaluation.oof import OutOfFold
from onward.features.pipeline import FeaturePipeline
from onward.labels import require_classes
from onward.prediction.predictor import Predictor
from onward.protocols import Labeler, Progress, Splitter
from onward.training.dataset import Dataset, prepare
from onward.types import CLASSES, FloatArray, Fold, IntArray, Labels, Market, ProgressEvent, Spans

__all__ = ["BaseTrainer", "FoldOutcome", "Training", "TrainingRows", "pool"]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows in hand: nothing that is fitted sees any other.

    Attributes
    ----------
    X
        Causal features, float32, shape (n, n_columns); NaN = not known yet.
    y
        Classes -1, 0, 1, shape (n,).
    spans, weight
        Their spans and sample weights (mean 1).
    seed
        Seed of everything random in this fit.
    """

    X: pd.DataFrame
    y: npt.NDArray[Any]
    spans: Spans
    weight: FloatArray
    seed: int


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
        Labels of all rows, fitted on all rows: those of the final fit.
    labeler_state
        The labeler that made them, as plain JSON values.
    predictor
        What was learnt from all labelled rows.
    seconds
        Wall-clock time of each part, by name.
    """

    dataset: Dataset
    folds: tuple[FoldOutcome, ...]
    oof: OutOfFold
    judgement: Judgement
    labels: Labels
    labeler_state: dict[str, Any]
    predictor: Predictor
    seconds: dict[str, float]


class BaseTrainer(ABC):
    """Template of a training run.

    Parameters
    ----------
    pipeline
        Causal stages and templates of the fitted ones.
    labeler, splitter
        What is predicted, and how rows are cut.
    seed
        Seed of the run; folds get seeds derived from it.
    n_shifts
        Circular shifts of the null band.
    """

    def __init__(
        self,
        *,
        pipeline: FeaturePipeline,
        labeler: Labeler,
        splitter: Splitter,
        seed: int = 0,
        n_shifts: int = 1_000,
    ) -> None:
        self.pipeline = pipeline
        self.labeler = labeler
        self.splitter = splitter
        self.seed = seed
        self.n_shifts = n_shifts

    @abstractmethod
    def learn(self, rows: TrainingRows) -> Predictor:
        """Fit everything that is fitted, on these rows alone."""

    def train(
        self,
        market: Market,
        *,
        looks: Callable[[], int] = lambda: 1,
        progress: Progress | None = None,
    ) -> Training:
        """Train on a market: out-of-fold predictions, verdicts, and the final fit on all rows.

        Parameters
        ----------
        market
            Bars and side series.
        looks
            Called once, when the outer scores are about to be seen: notes it and returns the
            number of configurations seen so far on these data for this label family, this one
            included. The verdict is corrected for it.
        progress
            Told after each stage and fold.

        Raises
        ------
        NotEnoughDataError
            When no row has an outcome, or a fold has no rows to train on.
        LabelError
            When training rows hold one class only.
        """
        report = progress or _silent
        clock = _Clock()
        dataset = prepare(market, self.pipeline, self.labeler, progress)
        clock.lap("features")
        outcomes = self.fit_folds(dataset, self.labeler, report)
        clock.lap("folds")
        oof = pool(dataset.spans, outcomes)
        judgement = judge(
            oof,
            lookback=self.pipeline.lookback * market.timeframe_ns,
            n_shifts=self.n_shifts,
            seed=self.seed,
            looked_at=looks(),
        )
        clock.lap("judgement")
        report(ProgressEvent("final fit", 0, 1))
        everything = np.arange(len(dataset), dtype=np.int64)
        labeler = self.labeler.fit(market, everything)
        labels = labeler.label(market)
        predictor = self.learn(self._rows(dataset, labels, everything, self.seed))
        report(ProgressEvent("final fit", 1, 1))
        clock.lap("final fit")
        return Training(
            dataset, tuple(outcomes), oof, judgement, labels, labeler.to_json(), predictor, clock.seconds
        )

    def fit_folds(self, dataset: Dataset, labeler: Labeler, report: Progress) -> list[FoldOutcome]:
        """Fit and predict every fold of the splitter."""
        folds = self.splitter.folds(dataset.spans)
        outcomes: list[FoldOutcome] = []
        for fold in folds:
            report(ProgressEvent("fold", len(outcomes), len(folds), f"{len(fold.train)} training rows"))
            outcomes.append(self.fit_fold(dataset, labeler, fold))
        report(ProgressEvent("fold", len(folds), len(folds)))
        return outcomes

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        """Fit one fold on its training rows and predict its test rows.

        Raises
        ------
        SplitError
            When purging left no row to train on.
        """
        if len(fold.train) == 0:
            raise SplitError(
                f"fold {fold.number + 1} has no row left to train on after purging",
                got=f"{len(dataset)} labelled rows",
                allowed="folds longer than the label spans and the embargo",
                remedy="Use fewer folds, a shorter horizon or embargo, or a longer time range.",
            )
        signals = rule_signals(dataset.market, dataset.rows, dataset.spans)
        labels = labeler.fit(dataset.market, fold.train).label(dataset.market)
        rows = self._rows(dataset, labels, fold.train, self.seed + 1 + fold.number)
        predictor = self.learn(rows)
        prior = np.array([np.mean(rows.y == c) for c in CLASSES])
        return FoldOutcome(
            fold=fold,
            y=np.asarray(labels.y[fold.test], dtype=np.int64),
            probability=predictor.from_matrix(dataset.matrix(fold.test)),
            prior=prior,
            baselines={
                name: rule_probabilities(signal[fold.train], rows.y, signal[fold.test])
                for name, signal in signals.items()
            },
            predictor=predictor,
        )

    def _rows(self, dataset: Dataset, labels: Labels, positions: IntArray, seed: int) -> TrainingRows:
        y = labels.y[positions]
        require_classes(y)
        weight = labels.weight[positions]
        return TrainingRows(
            dataset.matrix(positions), y, dataset.spans.take(positions), weight / weight.mean(), seed
        )


def pool(spans: Spans, outcomes: list[FoldOutcome]) -> OutOfFold:
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
    )


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now


def _silent(event: ProgressEvent) -> None:
    """Take no note."""
