"""Elastic-net logistic regression: the linear model."""

from __future__ import annotations

from typing import Any

import numpy as np

from onward.models.dense import affine
from onward.models.libraries import import_library
from onward.models.ranges import require_finite
from onward.models.scaled import ScaledModel
from onward.types import FloatArray

__all__ = ["LogisticModel"]


class LogisticModel(ScaledModel):
    """Multinomial logistic regression with an elastic net (Zou & Hastie 2005), scaling inside.

    Minimises the weighted mean log-loss plus ``penalty * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 *
    |w|_2^2)``. The penalty is a share of the mean and not of the sum, so that it does not
    fade as overlapping rows are added: with some 170 independent outcomes the gradient of a
    column that says nothing has a deviation of about 0.04, and a column enters only when its own
    exceeds ``penalty * l1_ratio``.

    Parameters
    ----------
    penalty
        Strength of the penalty, at least 0.
    l1_ratio
        Share of the absolute (selecting) penalty; the rest is squared.
    clip
        Scaled features beyond this many deviations are cut off.
    max_passes
        Most passes over the rows; the coefficients reached then are used as they are.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Order in which the solver (SAGA: Defazio, Bach & Lacoste-Julien 2014) takes the rows.
    n_threads
        Accepted like everywhere; one thread is used.

    Notes
    -----
    NaN becomes the training median and is told by a column of its own: `RobustScaling`.
    """

    name = "logistic"
    estimator_type = "sklearn.linear_model._logistic.LogisticRegression"

    def __init__(
        self,
        *,
        penalty: float = 0.05,
        l1_ratio: float = 0.5,
        clip: float = 5.0,
        max_passes: int = 300,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.penalty = penalty
        self.l1_ratio = l1_ratio
        self.clip = clip
        self.max_passes = max_passes
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def _estimator(self, n_rows: int, total_weight: float) -> Any:  # noqa: ARG002 - the weight counts
        require_finite("penalty", self.penalty)
        return import_library("sklearn.linear_model").LogisticRegression(
            C=1.0 / (self.penalty * total_weight) if self.penalty > 0 else np.inf,
            l1_ratio=self.l1_ratio if self.penalty > 0 else 0.0,
            solver="saga",
            tol=1e-4,
            max_iter=self.max_passes,
            random_state=self.seed,
        )

    def _layers(self) -> list[tuple[FloatArray, FloatArray]]:
        return [(self.estimator_.coef_.T, self.estimator_.intercept_)]

    def _scores(self, scaled: FloatArray) -> FloatArray:
        ((weights, bias),) = self._layers()
        return affine(scaled, weights, bias)
