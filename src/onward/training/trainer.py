"""What every training shares: one template from rows to out-of-fold predictions and a final fit.

A subclass says how one set of training rows becomes a `Predictor`; everything that must not be
got wrong (which rows, which labels, what is pooled, what is scored) is written here once.
"""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from onward.errors import LabelError, SplitError, in_section
from onward.evaluation.baselines import rule_probabilities
from onward.evaluation.judgement import judge
from onward.evaluation.learning import LearningRecord
from onward.features.pipeline import FeaturePipeline
from onward.labels import require_classes
from onward.labels.weights import WeightScheme
from onward.prediction.predictor import Predictor
from onward.protocols import Labeler, Progress, Splitter
from onward.splits import PurgedKFold, final_rows, require_training_rows
from onward.training.calibrating import learn_calibrated, require_outcomes
from onward.training.cautions import purging_cautions, symbol_cautions
from onward.training.checkpoints import FoldKeeper, NothingKept
from onward.training.cutting import label_and_cut
from onward.training.dataset import Dataset, prepare
from onward.training.learnable import require_learnable
from onward.training.outcomes import FoldOutcome, Training, pool
from onward.training.paths import pool_by_splitter
from onward.training.rows import TrainingRows
from onward.training.weighing import Weighing
from onward.types import CLASSES, Fold, IntArray, Labels, Market, ProgressEvent, Spans

__all__ = ["BaseTrainer", "FoldOutcome", "Training", "TrainingRows", "pool"]


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
    weights, time_decay
        How much each training row counts, see `onward.labels.sample_weights`; computed from the
        rows of each fold, inner folds included.
    calibration
        Name of the calibrator of the final probabilities; ``none`` leaves them.
    inner
        Cuts the folds inside the training rows, where any are needed; four purged folds by
        default.
    """

    uses_inner: bool = False
    """Whether `learn` cuts inner folds even without calibration."""

    def __init__(
        self,
        *,
        pipeline: FeaturePipeline,
        labeler: Labeler,
        splitter: Splitter,
        seed: int = 0,
        n_shifts: int = 1_000,
        weights: WeightScheme = "none",
        time_decay: float = 1.0,
        calibration: str = "none",
        inner: Splitter | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.labeler = labeler
        self.splitter = splitter
        self.seed = seed
        self.n_shifts = n_shifts
        self.weights: WeightScheme = weights
        self.time_decay = time_decay
        self.calibration = calibration
        self.inner: Splitter = PurgedKFold(4) if inner is None else inner
        self.keeper: FoldKeeper = NothingKept()

    def keeping(self, keeper: FoldKeeper) -> Self:
        """Return the trainer with its finished outer folds kept, and taken from where they are kept."""
        other = copy.copy(self)
        other.keeper = keeper
        return other

    @abstractmethod
    def learn(self, rows: TrainingRows) -> Predictor:
        """Fit everything that is fitted, on these rows alone."""

    def describe(self, rows: TrainingRows, predictor: Predictor) -> LearningRecord | None:  # noqa: ARG002 - for subclasses
        """Return what is worth knowing of the final fit; asked once a training, so it may fit again."""
        return predictor.learning

    def calibrated(self, rows: TrainingRows, fit: Callable[[TrainingRows], Predictor]) -> Predictor:
        """Return what ``fit`` learns from the rows, its probabilities calibrated as was asked for."""
        return learn_calibrated(rows, fit, method=self.calibration, inner=self.inner)

    def train(
        self,
        market: Market,
        *,
        looks: Callable[[], int] = lambda: 1,
        progress: Progress | None = None,
    ) -> Training:
        """Train on a market: out-of-fold predictions, verdicts, and the final fit on all rows.

        A splitter with a rolling window judged models of the newest rows, so the final fit takes
        those alone.

        Parameters
        ----------
        market
            Bars and side series.
        looks
            Called once, when the outer scores are about to be seen: notes it and returns the
            number of configurations seen so far on these data for this label family, this one
            included. The verdict is corrected for it.
        progress
            Told after each stage and fold. It is told no score, unless the keeper of folds has it
            counted: nobody is to see one, stop the run, and not have it counted.

        Raises
        ------
        NotEnoughDataError
            When no row has an outcome.
        SplitError
            When folds cannot be cut, or purging leaves one without training rows.
        LabelError
            When the labels are not classes, or a fold's training rows hold one class only, or weigh
            nothing.
        """
        report = progress or _silent
        clock = _Clock()
        spans, folds = self.cut(market)
        dataset = prepare(market, self.pipeline, spans, progress)
        clock.lap("features")
        outcomes = self.fit_folds(dataset, folds, report)
        clock.lap("folds")
        oof, paths = pool_by_splitter(self.splitter, spans, outcomes)
        judgement = judge(
            oof,
            lookback=self.pipeline.lookback * market.timeframe_ns,
            n_shifts=self.n_shifts,
            seed=self.seed,
            looked_at=looks(),
        )
        clock.lap("judgement")
        report(ProgressEvent("final fit", 0, 1))
        kept = final_rows(spans, getattr(self.splitter, "training_window", None))
        labeler = self.labeler.fit(market, kept)
        labels = labeler.label(market)
        rows = self._rows(dataset, labels, kept, self.seed, "the rows of the final fit")
        predictor = self.learn(rows)
        learning = self.describe(rows, predictor)
        report(ProgressEvent("final fit", 1, 1))
        clock.lap("final fit")
        return Training(
            dataset=dataset,
            folds=tuple(outcomes),
            oof=oof,
            judgement=judgement,
            labels=labels,
            labeler_state=labeler.to_json(),
            predictor=predictor,
            learning=learning,
            seconds=clock.seconds,
            warnings=(
                *judgement.cautions,
                *purging_cautions(spans, folds, self.splitter),
                *symbol_cautions(market, spans),
                *(() if paths is None else paths.sentences),
            ),
            paths=paths,
        )

    def cut(self, market: Market) -> tuple[Spans, Sequence[Fold]]:
        """Return the spans and outer folds of a market, after every check that needs no feature.

        Raises
        ------
        OnwardError
            As `train`, before anything is computed.
        """
        self._require_classes()
        spans, folds = label_and_cut(market, self.labeler, self.splitter)
        with in_section("labels"):
            self.require_inner_folds(spans, folds)
            require_learnable(self, market, spans, folds)
        return spans, folds

    def fit_folds(self, dataset: Dataset, folds: Sequence[Fold], report: Progress) -> list[FoldOutcome]:
        """Fit and predict every fold; those that the keeper has are taken from there."""
        outcomes: list[FoldOutcome] = []
        for fold in folds:
            report(ProgressEvent("fold", len(outcomes), len(folds), f"{len(fold.train)} training rows"))
            outcome = self.keeper.load(fold, self.pipeline)
            told = f"fold {fold.number + 1}"
            if outcome is None:
                outcome = self.fit_fold(dataset, self.labeler, fold)
                self.keeper.keep(outcome)
            else:
                told += f" was finished by {self.keeper.finisher(fold)}"
            outcomes.append(outcome)
            if figures := self.keeper.figures(outcome):
                report(ProgressEvent("fold", len(outcomes), len(folds), told, figures))
        report(ProgressEvent("fold", len(folds), len(folds)))
        return outcomes

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        """Fit one fold on its training rows and predict its test rows.

        Parameters
        ----------
        dataset
            Features and spans.
        labeler
            Unfitted; it is fitted here, on the training rows alone.
        fold
            Positions into the spans.

        Raises
        ------
        LabelError
            When the training rows hold one class only.
        """
        labels, rows = self.fold_rows(dataset, labeler, fold)
        predictor = self.learn(rows)
        return FoldOutcome(
            fold=fold,
            y=np.asarray(labels.y[fold.test], dtype=np.int64),
            probability=predictor.from_matrix(dataset.matrix(fold.test)),
            prior=np.array([np.mean(rows.y == c) for c in CLASSES]),
            baselines={
                name: rule_probabilities(signal[fold.train], rows.y, signal[fold.test])
                for name, signal in dataset.signals.items()
            },
            predictor=predictor,
        )

    def fold_rows(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> tuple[Labels, TrainingRows]:
        """Return the labels of all rows as a fold's training rows fit them, and what it learns from.

        Parameters and errors are those of `fit_fold`.
        """
        labels = labeler.fit(dataset.market, fold.train).label(dataset.market)
        where = f"the training rows of fold {fold.number}"
        return labels, self._rows(dataset, labels, fold.train, self.seed + 1 + fold.number, where)

    def _rows(
        self, dataset: Dataset, labels: Labels, positions: IntArray, seed: int, where: str
    ) -> TrainingRows:
        y = labels.y[positions]
        require_classes(y, where=where)
        spans = dataset.spans.take(positions)
        own = np.asarray(labels.weight[positions], dtype=np.float64)
        weighing = Weighing(dataset.market, spans, own, self.weights, self.time_decay)
        return TrainingRows(dataset.matrix(positions), y, spans, weighing.weights(), seed, weighing)

    def require_inner_folds(self, spans: Spans, folds: Sequence[Fold]) -> None:
        """Refuse inner folds that cannot be cut or calibrated on, before anything is computed.

        Parameters
        ----------
        spans
            Spans of all labelled rows.
        folds
            The outer folds.

        Raises
        ------
        SplitError
            When purging leaves an inner fold without training rows.
        ModelError
            When there are too few independent outcomes for the calibrator.
        """
        depth = int(self.uses_inner) + int(self.calibration != "none")
        for fold in folds if depth else ():
            learnt = spans.take(fold.train)
            require_outcomes(self.calibration, learnt, f"the training rows of fold {fold.number}")
            try:
                _require_nested(self.inner, learnt, depth)
            except SplitError as error:
                raise SplitError(
                    f"inside fold {fold.number}: {error.what}",
                    got=error.got,
                    allowed=error.allowed,
                    remedy="Use more data, a shorter label horizon, fewer folds or fewer inner folds "
                    "(training.inner_folds).",
                    settings=("training.inner_folds", "labels.horizon_bars", "validation.n_splits"),
                ) from error

    def _require_classes(self) -> None:
        if self.labeler.kind != "classes":
            raise LabelError(
                "this trainer learns classes",
                got=f"a labeler of kind {self.labeler.kind!r}",
                allowed="'classes'",
                remedy="Use a labeler that says down, range or up, such as ThresholdLabeler.",
            )


def _require_nested(inner: Splitter, spans: Spans, depth: int) -> None:
    """Cut inner folds, and folds inside these, as deep as fits are nested."""
    folds = inner.folds(spans)
    require_training_rows(folds)
    for fold in folds if depth > 1 else ():
        _require_nested(inner, spans.take(fold.train), depth - 1)


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
