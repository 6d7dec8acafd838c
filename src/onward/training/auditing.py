"""Certifies a trainer: its feature stages one by one, then everything it learns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onward.audit import AuditReport, CheckRun, PipelineRun, audit_stage, audit_training
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress
from onward.training.auditing_labels import audit_searched_labels
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.ensemble_trainer import EnsembleTrainer
from onward.training.optimization import OptimizationCoordinator
from onward.training.outcomes import FoldOutcome, Training
from onward.training.seam import Trainer
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import BaseTrainer
from onward.types import CLASSES, Fold, Market

__all__ = ["audit_trainer"]

LEARN_FROM_ROWS = (SingleModelTrainer, EnsembleTrainer)
"""Trainers whose ``learn`` knows nothing but the rows that it is handed. A subclass may know more."""


def audit_trainer(
    trainer: Trainer,
    market: Market,
    *,
    training: Training | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit every causal stage of a trainer on a market, and its whole learning path.

    Other outcomes and other futures are followed through features, labels, weights and the choice of
    rows. Where they leave every byte that a fold learns from as it was, what it learnt is not learnt
    again: fitting the same bytes twice is what ``determinism`` tries. The note of the check says how
    often that was so. Trainers that are not Onward's own learn every time.

    Parameters
    ----------
    trainer
        What to audit.
    market
        Real data.
    training
        What the trainer made of this market before, to save one training.
    progress
        Told how far the audit has come.
    """
    labels: tuple[AuditReport, ...] = ()
    if isinstance(trainer, OptimizationCoordinator):
        labels = audit_searched_labels(trainer, market, training, progress)
        # The whole learning path, search included, with few trials; scores are not looked at.
        pipeline = trainer.pipeline if training is None else training.predictor.pipeline
        trainer, training = trainer.rehearsal(pipeline), None
    reports = [audit_stage(stage, market, progress=progress) for stage in trainer.pipeline.causal]
    path = _LearningPath(trainer, market, training)
    dataset = path.dataset
    found = audit_training(
        path.predict,
        market,
        trainer.labeler,
        trainer.splitter.folds(dataset.spans),
        base=None if training is None else path.scattered(training),
        subject="learning path",
        progress=progress,
    )
    reports.append(replace(found, checks=tuple(path.noted(check) for check in found.checks)))
    subject = f"features and learning path of {type(trainer).__name__}"
    return AuditReport.combine([*reports, *labels], subject=subject)


class _LearningPath:
    """Out-of-fold predictions of chosen folds; features are computed once for each market."""

    def __init__(self, trainer: Trainer, market: Market, training: Training | None) -> None:
        self.trainer = trainer
        # Other futures are made up and never asked for again: they do not belong in the cache.
        self._uncached = FeaturePipeline(trainer.pipeline.causal, dtype=trainer.pipeline.dtype)
        self.dataset = (
            prepare(market, trainer.pipeline, label_spans(market, trainer.labeler))
            if training is None
            else training.dataset
        )
        self._made = {} if training is None else dict(enumerate(training.folds))
        self._not_learnt: Counter[str] = Counter()

    def predict(self, market: Market, labeler: Labeler, only: Sequence[int] = ()) -> PipelineRun:
        """Return predictions of the rows of ``labeler.spans(market)``, NaN where none was made."""
        dataset = self._dataset(market, labeler)
        folds = self.trainer.splitter.folds(dataset.spans)
        chosen = only or range(len(folds))
        if market is self.dataset.market and labeler is self.trainer.labeler:
            made = {n: self.trainer.fit_fold(dataset, labeler, folds[n]) for n in chosen}
            self._made = made | self._made
        else:
            made = {n: self._otherwise(n, dataset, labeler, folds[n]) for n in chosen}
        return _run(len(dataset), list(made.values()))

    def _otherwise(self, number: int, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        """Return what a fold makes of other labels or of another market."""
        trainer, made = self.trainer, self._made.get(number)
        if (
            made is None
            or type(trainer) not in LEARN_FROM_ROWS
            or not np.array_equal(made.fold.train, fold.train)
        ):
            return trainer.fit_fold(dataset, labeler, fold)
        assert isinstance(trainer, BaseTrainer)
        _, rows = trainer.fold_rows(dataset, labeler, fold)
        _, seen = trainer.fold_rows(self.dataset, trainer.labeler, made.fold)
        if not rows.same_as(seen):
            return trainer.fit_fold(dataset, labeler, fold)
        same_market = dataset.market is self.dataset.market
        self._not_learnt["test_label_perturbation" if same_market else "perturbation"] += 1
        return replace(made, fold=fold, probability=made.predictor.from_matrix(dataset.matrix(fold.test)))

    def noted(self, check: CheckRun) -> CheckRun:
        """Return a check with a note of how often nothing was learnt anew."""
        times = self._not_learnt[check.name]
        if not times:
            return check
        told = (
            f"in {times} of {check.runs} the rows learnt from were the same bytes, and were not fitted again"
        )
        return replace(check, note="; ".join(part for part in (check.note, told) if part))

    def scattered(self, training: Training) -> PipelineRun:
        """Return the predictions of a finished training, one row a span."""
        return _run(len(self.dataset), training.folds)

    def _dataset(self, market: Market, labeler: Labeler) -> Dataset:
        spans = label_spans(market, labeler)
        if market is self.dataset.market and spans.index.equals(self.dataset.spans.index):
            return replace(self.dataset, spans=spans)
        return prepare(market, self._uncached, spans)


def _run(n_rows: int, outcomes: Sequence[FoldOutcome]) -> PipelineRun:
    """Return what folds predicted, and which splits were used inside their training rows."""
    predictions = np.full((n_rows, len(CLASSES)), np.nan)
    inner = []
    for outcome in outcomes:
        train, record = outcome.fold.train, outcome.predictor.learning
        predictions[outcome.fold.test] = outcome.probability
        inner += [(train[f.train], train[f.test]) for f in (() if record is None else record.inner)]
    return PipelineRun(predictions, inner=inner)
