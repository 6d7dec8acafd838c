"""Certifies a trainer: its feature stages one by one, then everything it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onward.audit import AuditReport, audit_stage, audit_training
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.trainer import BaseTrainer, Training
from onward.types import CLASSES, FloatArray, Market

__all__ = ["audit_trainer"]


def audit_trainer(
    trainer: BaseTrainer,
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

    def __init__(self, trainer: BaseTrainer, market: Market, training: Training | None) -> None:
        self.trainer = trainer
        # Other futures are made up and never asked for again: they do not belong in the cache.
        self._uncached = FeaturePipeline(trainer.pipeline.causal, dtype=trainer.pipeline.dtype)
        self.dataset = (
            prepare(market, trainer.pipeline, label_spans(market, trainer.labeler))
            if training is None
            else training.dataset
        )

    def predict(self, market: Market, labeler: Labeler, only: Sequence[int] = ()) -> FloatArray:
        """Return predictions of the rows of ``labeler.spans(market)``, NaN where none was made."""
        dataset = self._dataset(market, labeler)
        folds = self.trainer.splitter.folds(dataset.spans)
        predictions = np.full((len(dataset), len(CLASSES)), np.nan)
        for number in only or range(len(folds)):
            outcome = self.trainer.fit_fold(dataset, labeler, folds[number])
            predictions[outcome.fold.test] = outcome.probability
        return predictions

    def scattered(self, training: Training) -> FloatArray:
        """Return the predictions of a finished training, one row a span."""
        predictions = np.full((len(self.dataset), len(CLASSES)), np.nan)
        for outcome in training.folds:
            predictions[outcome.fold.test] = outcome.probability
        return predictions

    def _dataset(self, market: Market, labeler: Labeler) -> Dataset:
        spans = label_spans(market, labeler)
        if market is self.dataset.market and spans.index.equals(self.dataset.spans.index):
            return replace(self.dataset, spans=spans)
        return prepare(market, self._uncached, spans)
