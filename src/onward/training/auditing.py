"""Certifies a trainer: its feature stages one by one, then everything it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onward.audit import AuditReport, PipelineRun, audit_stage, audit_training
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.optimization import OptimizationCoordinator
from onward.training.outcomes import FoldOutcome, Training
from onward.training.seam import Trainer
from onward.types import CLASSES, Market

__all__ = ["audit_trainer"]


def audit_trainer(
    trainer: Trainer,
    market: Market,
    *,
    training: Training | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit every causal stage of a trainer on a market, and its whole learning path.

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
    if isinstance(trainer, OptimizationCoordinator):
        # The whole learning path, search included, with few trials; scores are not looked at.
        pipeline = trainer.pipeline if training is None else training.predictor.pipeline
        trainer, training = trainer.rehearsal(pipeline), None
    reports = [audit_stage(stage, market, progress=progress) for stage in trainer.pipeline.causal]
    path = _LearningPath(trainer, market, training)
    dataset = path.dataset
    reports.append(
        audit_training(
            path.predict,
            market,
            trainer.labeler,
            trainer.splitter.folds(dataset.spans),
            base=None if training is None else path.scattered(training),
            subject="learning path",
            progress=progress,
        )
    )
    return AuditReport.combine(reports, subject=f"features and learning path of {type(trainer).__name__}")


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

    def predict(self, market: Market, labeler: Labeler, only: Sequence[int] = ()) -> PipelineRun:
        """Return predictions of the rows of ``labeler.spans(market)``, NaN where none was made."""
        dataset = self._dataset(market, labeler)
        folds = self.trainer.splitter.folds(dataset.spans)
        chosen = only or range(len(folds))
        return _run(len(dataset), [self.trainer.fit_fold(dataset, labeler, folds[n]) for n in chosen])

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
