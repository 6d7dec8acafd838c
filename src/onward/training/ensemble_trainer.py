"""Several models in the place of one, each judged on rows that it had not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from onward.ensembles import (
    BaggedModel,
    CalibratedModel,
    CompositeModel,
    FoldPrediction,
    InnerPredictions,
    derived_seed,
    out_of_bag,
    predict_inner,
)
from onward.evaluation.learning import LearningRecord, MemberRecord
from onward.evaluation.metrics import measure
from onward.features.pipeline import FittedPipeline
from onward.prediction.predictor import Predictor
from onward.training.rows import TrainingRows
from onward.training.trainer import BaseTrainer
from onward.types import CLASSES, FloatArray, Fold, IntArray

__all__ = ["EnsembleTrainer"]

INNER = 7_002
"""Keeps the seeds of the members' inner folds apart from those of everything else."""


class EnsembleTrainer(BaseTrainer):
    """Trains an ensemble a fold.

    The members that predict later share fitted stages fitted on all training rows, and are fitted on
    all of them (in a bag: on its rows). What combines members (weights by score, a meta-model, a
    calibrator) learns from predictions of inner purged folds, for which everything is fitted anew,
    stages included; the members of one inner fold share its stages. So nothing is ever weighed by
    rows that it learnt from.

    Parameters
    ----------
    new_model
        Makes an unfitted ensemble from a seed.
    out_of_bag
        Whether bags are scored on the rows outside them, once a training, for the final fit.
    **shared
        Arguments of `BaseTrainer`.
    """

    def __init__(
        self, *, new_model: Callable[[int], CompositeModel], out_of_bag: bool = True, **shared: Any
    ) -> None:
        super().__init__(**shared)
        self.new_model = new_model
        self.out_of_bag = out_of_bag
        self.uses_inner = new_model(0).uses_inner

    def learn(self, rows: TrainingRows) -> Predictor:
        """Fit stages, members and what combines them, on these rows alone; calibrate if asked to."""
        return self.calibrated(rows, self._fit)

    def describe(self, rows: TrainingRows, predictor: Predictor) -> LearningRecord | None:
        """Return the members' scores; those of bags are made now, with everything fitted for each."""
        record, model = predictor.learning, predictor.model
        if isinstance(model, CalibratedModel):
            model = model.parts_[0]
        if record is None or not self.out_of_bag or not isinstance(model, BaggedModel):
            return record
        return self._score_bags(rows, predictor.fitted, model, record)

    def _fit(self, rows: TrainingRows) -> Predictor:
        ensemble = self.new_model(rows.seed)
        fitted = self._stages(rows)
        inner = self._predict_inner(ensemble, rows) if ensemble.uses_inner else None
        ensemble.fit(fitted.transform(rows.X), rows.y, rows.weight, spans=rows.spans, inner=inner)
        return Predictor(self.pipeline, fitted, ensemble, _record(ensemble, rows, inner))

    def _predict_inner(self, ensemble: CompositeModel, rows: TrainingRows) -> InnerPredictions:
        def predict(fold: Fold) -> FoldPrediction:
            part = rows.take(fold.train, seed=derived_seed(rows.seed, INNER, fold.number))
            fitted = self._stages(part)
            learnt, test = fitted.transform(part.X), fitted.transform(rows.X.iloc[fold.test])
            models = [m.fit(learnt, part.y, part.weight) for m in ensemble.new_members(part.seed)]
            return FoldPrediction(
                np.stack([model.predict_proba(test) for model in models]),
                np.array([np.mean(part.y == c) for c in CLASSES]),
                fitted.transform(rows.X) if ensemble.uses_features else None,
            )

        return predict_inner(self.inner.folds(rows.spans), len(rows), predict)

    def _score_bags(
        self, rows: TrainingRows, fitted: FittedPipeline, ensemble: BaggedModel, record: LearningRecord
    ) -> LearningRecord:
        """Score each estimator on the rows that no label in its bag touches.

        The ensemble's own stages were fitted on all rows, so each bag gets stages of its own here;
        without fitted stages the estimators are those of the ensemble.
        """
        counted = np.flatnonzero(rows.weight > 0)
        spans, y = rows.spans.take(counted), np.asarray(rows.y[counted], dtype=np.int64)
        table, weight = rows.X.iloc[counted], rows.weight[counted]
        total, prior = np.zeros((len(counted), 3)), np.zeros((len(counted), 3))
        votes = np.zeros(len(counted))
        for number, bag in enumerate(ensemble.bags(spans, y)):
            outside = np.flatnonzero(out_of_bag(spans, bag))
            if len(outside) == 0:
                continue
            learnt, share = table.iloc[bag.rows], weight[bag.rows] * bag.count
            if self.pipeline.fitted:
                stages = self.pipeline.fit(
                    learnt, y[bag.rows], spans=spans.take(bag.rows), weight=share, seed=rows.seed
                )
                model = ensemble.new_estimator(number)
                model.fit(stages.transform(learnt), y[bag.rows], share)
            else:
                stages, model = fitted, ensemble.parts_[number]
            total[outside] += model.predict_proba(stages.transform(table.iloc[outside]))
            prior[outside] += [np.mean(y[bag.rows] == c) for c in CLASSES]
            votes[outside] += 1
        scored = np.flatnonzero(votes)
        if len(scored) == 0:
            return record
        said, known = (part[scored] / votes[scored, None] for part in (total, prior))
        return replace(
            record,
            n_scored=len(scored),
            scored_on="out of bag",
            combined=measure(said, y[scored], known),
        )

    def _stages(self, rows: TrainingRows) -> FittedPipeline:
        return self.pipeline.fit(rows.X, rows.y, spans=rows.spans, weight=rows.weight, seed=rows.seed)


def _record(ensemble: CompositeModel, rows: TrainingRows, inner: InnerPredictions | None) -> LearningRecord:
    shares = _shares(ensemble)
    if inner is None:
        members = tuple(MemberRecord(name, share) for name, share in shares.items())
        return LearningRecord(ensemble.name, len(rows), members=members)
    y = np.asarray(rows.y[inner.rows], dtype=np.int64)

    def weigh(positions: IntArray) -> FloatArray:
        return rows.take(positions).weight

    return LearningRecord(
        ensemble.name,
        len(rows),
        n_scored=len(y),
        scored_on="inner folds",
        members=tuple(
            MemberRecord(name, share, measure(said, y, inner.prior))
            for (name, share), said in zip(shares.items(), inner.probability, strict=True)
        ),
        combined=measure(ensemble.cross_fitted(inner, rows.y, weigh), y, inner.prior),
        inner=inner.folds,
    )


def _shares(ensemble: CompositeModel) -> dict[str, float]:
    """Return how much each member counts; estimators of the same kind are taken together."""
    shares = dict.fromkeys(ensemble.members, 0.0)
    for number, share in enumerate(ensemble.shares()):
        shares[ensemble.members[number % len(ensemble.members)]] += float(share)
    return shares
