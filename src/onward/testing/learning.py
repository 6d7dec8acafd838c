"""The contract every trainer is held to: no prediction of a fold may have seen its own outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from onward.audit import AuditReport, PipelineRun, audit_training
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler
from onward.training.dataset import Dataset, label_spans, prepare
from onward.types import CLASSES, Market

if TYPE_CHECKING:
    from onward.training.seam import Trainer

__all__ = ["audit_learning", "check_learning"]

MUST_RUN = (
    "interval_overlap",
    "label_resolution",
    "determinism",
    "test_label_perturbation",
    "perturbation",
)


def audit_learning(
    trainer: Trainer, market: Market, *, draws: int = 2, futures: Sequence[str] = ("rise",)
) -> AuditReport:
    """Audit what a trainer learns, and leave out its causal stages, which have a contract of their own.

    Parameters
    ----------
    trainer
        Anything with ``pipeline``, ``labeler``, ``splitter`` and ``fit_fold``.
    market
        Enough bars for its folds.
    draws, futures
        See `onward.audit.audit_training`.
    """
    uncached = FeaturePipeline(trainer.pipeline.causal, dtype=trainer.pipeline.dtype)
    known: dict[int, Dataset] = {}

    def dataset_of(given: Market, labeler: Labeler) -> Dataset:
        spans = label_spans(given, labeler)
        if id(given) not in known:
            known[id(given)] = prepare(given, uncached, spans)
        made = known[id(given)]
        rows = np.asarray(given.index.get_indexer(spans.index), dtype=np.int64)
        return Dataset(made.market, made.features, spans, rows)

    def fit_predict(given: Market, labeler: Labeler, only: Sequence[int]) -> PipelineRun:
        dataset = dataset_of(given, labeler)
        folds = trainer.splitter.folds(dataset.spans)
        predictions = np.full((len(dataset), len(CLASSES)), np.nan)
        inner = []
        for number in only:
            outcome = trainer.fit_fold(dataset, labeler, folds[number])
            train, record = outcome.fold.train, outcome.predictor.learning
            predictions[outcome.fold.test] = outcome.probability
            inner += [(train[f.train], train[f.test]) for f in (() if record is None else record.inner)]
        return PipelineRun(predictions, inner=inner)

    folds = trainer.splitter.folds(label_spans(market, trainer.labeler))
    return audit_training(
        fit_predict,
        market,
        trainer.labeler,
        folds,
        draws=draws,
        futures=futures,
        subject=type(trainer).__name__,
    )


def check_learning(
    trainer: Trainer, market: Market, *, draws: int = 2, futures: Sequence[str] = ("rise",)
) -> None:
    """Hold a trainer to the rule that nothing it predicts has seen its own future.

    Every check of `onward.audit.audit_training` has to run, find nothing, and leave nothing out.

    Raises
    ------
    AssertionError
        With the report.
    """
    report = audit_learning(trainer, market, draws=draws, futures=futures)
    ran = {check.name for check in report.checks if check.runs > 0}
    left_out = [name for name in MUST_RUN if name not in ran]
    notes = [check.note for check in report.checks if check.note]
    if report.findings or left_out or notes:
        raise AssertionError(f"checks that did not run: {left_out}, notes: {notes}\n{report}")
