"""What the scikit-learn models that need scaled inputs share."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from onward.models.libraries import import_library
from onward.models.ranges import require_positive
from onward.models.scaling import RobustScaling
from onward.models.scikit import ScikitModel, refusals
from onward.models.softmax import softmax, three_columns
from onward.models.threads import limited
from onward.types import FloatArray, IntArray

__all__ = ["ScaledModel"]


class ScaledModel(ScikitModel):
    """Base of the models that learn from scaled, imputed columns.

    Fitting uses one thread whatever the cap: a linear algebra library on several threads adds up
    in another order, and the same plan would give other bits on another machine.

    Attributes
    ----------
    scaling_
        Scaling and imputation, learnt from the training rows.
    """

    clip: float
    not_kept: ClassVar[tuple[str, ...]] = ()
    """Attributes of the estimator that only its training needs."""

    @abstractmethod
    def _estimator(self, n_rows: int, total_weight: float) -> Any:
        """Return the unfitted estimator."""

    @abstractmethod
    def _layers(self) -> list[tuple[FloatArray, FloatArray]]:
        """Return weights (n_inputs, n_outputs) and bias (n_outputs,) of each layer."""

    def _learn(self, data: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        require_positive("clip", self.clip)
        self.scaling_ = RobustScaling.learn(data, self.clip)
        total = float(len(codes)) if weight is None else float(weight.sum())
        not_converged = import_library("sklearn.exceptions").ConvergenceWarning
        with limited("blas", 1), refusals(self.name), warnings.catch_warnings():
            # Both stop after a fixed effort on purpose.
            warnings.simplefilter("ignore", not_converged)
            estimator = self._estimator(len(codes), total)
            self.estimator_ = estimator.fit(self.scaling_.transform(data), codes, sample_weight=weight)
        for attribute in self.not_kept:
            self.estimator_.__dict__.pop(attribute, None)

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        scores = self._scores(self.scaling_.transform(values))
        if scores.shape[1] == 1:  # two classes: the score is the log-odds of the second
            scores = np.hstack([np.zeros_like(scores), scores])
        return softmax(three_columns(scores, self.present_), self.present_)

    @abstractmethod
    def _scores(self, scaled: FloatArray) -> FloatArray:
        """Return logarithms of probabilities up to a constant a row, shape (n, 3 or less)."""

    def _gain(self) -> FloatArray:
        # Absolute weights along all paths to the scores: the inputs are scaled, so they compare.
        layers = self._layers()
        reach = np.ones(layers[-1][0].shape[1])
        for weights, _ in reversed(layers):
            reach = (np.abs(weights) * reach).sum(axis=1)
        return self.scaling_.importance(reach)

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "scaling": self.scaling_.to_json()}

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self.scaling_ = RobustScaling.from_json(state["scaling"])

    def _check_estimator(self) -> str | None:
        layers = self._layers()
        widths = [weights.shape for weights, _ in layers]
        n_classes = int(self.present_.sum())
        inputs = [self.scaling_.n_outputs, *(outputs for _, outputs in widths)]
        if any(width[0] != wanted for width, wanted in zip(widths, inputs, strict=False)):
            return "layers of another shape"
        if any(bias.shape != (weights.shape[1],) for weights, bias in layers):
            return "layers of another shape"
        if widths[-1][1] != (1 if n_classes == 2 else n_classes):
            return f"{widths[-1][1]} scores for {n_classes} classes"
        return None
