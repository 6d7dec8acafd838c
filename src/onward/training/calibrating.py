"""Calibration inside the training rows, the same for one model and for an ensemble of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from onward.ensembles import CalibratedModel, FoldPrediction, derived_seed, predict_inner
from onward.errors import ModelError
from onward.evaluation.learning import CalibrationRecord, LearningRecord
from onward.evaluation.metrics import measure
from onward.labels import average_uniqueness
from onward.models.calibration import LEAST_OUTCOMES, calibrator_class
from onward.prediction.predictor import Predictor
from onward.protocols import Splitter
from onward.types import CLASSES, Fold, Spans

if TYPE_CHECKING:
    from onward.training.rows import TrainingRows

__all__ = ["learn_calibrated", "require_outcomes"]

CALIBRATION = 7_001
"""Keeps the seeds of calibration folds apart from those of everything else."""


def learn_calibrated(
    rows: TrainingRows, fit: Callable[[TrainingRows], Predictor], *, method: str, inner: Splitter
) -> Predictor:
    """Fit on all rows, and correct the probabilities by how they came true on inner folds.

    For each inner fold *everything* is fitted anew on its training rows: stages, members, what
    combines them. So the calibrator sees nothing but predictions of unseen rows.

    Parameters
    ----------
    rows
        Training rows.
    fit
        Learns from rows without calibration.
    method
        Name of a calibrator; ``none`` returns what ``fit`` gives.
    inner
        Cuts the inner folds.

    Raises
    ------
    ModelError
        When there are too few effective outcomes for the method.
    SplitError
        When inner folds cannot be cut.
    """
    predictor = fit(rows)
    if method == "none":
        return predictor

    nested: list[Fold] = []

    def predict(fold: Fold) -> FoldPrediction:
        part = rows.take(fold.train, seed=derived_seed(rows.seed, CALIBRATION, fold.number))
        learnt = fit(part)
        inside = () if learnt.learning is None else learnt.learning.inner
        nested.extend(Fold(fold.number, fold.train[f.train], fold.train[f.test]) for f in inside)
        said = learnt.from_matrix(rows.X.iloc[fold.test])
        return FoldPrediction(said[None], np.array([np.mean(part.y == c) for c in CLASSES]))

    found = predict_inner(inner.folds(rows.spans), len(rows.y), predict)
    covered = found.rows
    y = np.asarray(rows.y[covered], dtype=np.int64)
    effective = _effective(rows.spans.take(covered[rows.weight[covered] > 0]))
    calibrator = calibrator_class(method)().fit(
        found.probability[0], y, rows.weight[covered], effective_n=effective
    )
    record = predictor.learning or LearningRecord("single", len(rows.y))
    told = CalibrationRecord(method, len(covered), effective, measure(found.probability[0], y, found.prior))
    return Predictor(
        predictor.pipeline,
        predictor.fitted,
        CalibratedModel.around(predictor.model, calibrator, seed=rows.seed),
        replace(record, calibration=told, inner=(*record.inner, *found.folds, *nested)),
    )


def require_outcomes(method: str, spans: Spans, where: str) -> None:
    """Refuse a calibrator that needs more independent outcomes than training rows hold.

    Raises
    ------
    ModelError
        Before anything is fitted.
    """
    if method != "isotonic":
        return
    effective = _effective(spans)
    if effective < LEAST_OUTCOMES:
        raise ModelError(
            "there are too few independent outcomes for isotonic calibration",
            got=f"{effective:.0f} in {where}",
            allowed=f"at least {LEAST_OUTCOMES:,}",
            remedy="Set training.calibration to sigmoid or temperature, or use a longer time range or a "
            "shorter horizon.",
            settings=("training.calibration",),
        )


def _effective(spans: Spans) -> float:
    """Return how many independent outcomes labels hold: the sum of their average uniqueness."""
    return float(average_uniqueness(spans).sum())
