"""One model, plainly fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onward.prediction.predictor import Predictor
from onward.protocols import Model
from onward.training.rows import TrainingRows
from onward.training.trainer import BaseTrainer

__all__ = ["SingleModelTrainer"]


class SingleModelTrainer(BaseTrainer):
    """Trains one model a fold: fitted stages first, then the model on what they leave.

    Parameters
    ----------
    new_model
        Makes an unfitted model from a seed.
    **shared
        Arguments of `BaseTrainer`.
    """

    def __init__(self, *, new_model: Callable[[int], Model], **shared: Any) -> None:
        super().__init__(**shared)
        self.new_model = new_model

    def learn(self, rows: TrainingRows) -> Predictor:
        """Fit the fitted stages and the model, on these rows alone; calibrate if asked to."""
        return self.calibrated(rows, self._fit)

    def _fit(self, rows: TrainingRows) -> Predictor:
        fitted = self.pipeline.fit(rows.X, rows.y, spans=rows.spans, weight=rows.weight, seed=rows.seed)
        model = self.new_model(rows.seed)
        model.fit(fitted.transform(rows.X), rows.y, rows.weight)
        return Predictor(self.pipeline, fitted, model)
