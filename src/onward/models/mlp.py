"""A multilayer perceptron of scikit-learn, small and decayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onward.models.dense import affine
from onward.models.libraries import import_library
from onward.models.ranges import require_units
from onward.models.scaled import ScaledModel
from onward.types import FloatArray

__all__ = ["MLPModel"]


class MLPModel(ScaledModel):
    """One hidden layer of rectified units, trained for a fixed number of epochs by Adam.

    A network learns single outcomes by heart faster than any other model here. It is held back by
    few units, weight decay and few epochs; no rows are spared to stop on, because a validation
    tail short enough to spare is too noisy.

    Parameters
    ----------
    hidden_units
        Units of each hidden layer: one number, or one a layer.
    n_epochs
        Passes over the rows.
    step_size
        Step size of Adam (Kingma & Ba 2015).
    batch_rows
        Rows a step.
    weight_decay
        Squared penalty on the weights, a row: added as ``weight_decay / 2 * |w|^2`` to the mean
        log-loss.
    clip
        Scaled features beyond this many deviations are cut off.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of the first weights and of the order of the rows.
    n_threads
        Accepted like everywhere; one thread is used.

    Notes
    -----
    NaN becomes the training median and is told by a column of its own: `RobustScaling`.
    """

    name = "mlp"
    estimator_type = "sklearn.neural_network._multilayer_perceptron.MLPClassifier"
    not_kept = (
        "_best_coefs",
        "_best_intercepts",
        "_optimizer",
        "_random_state",
        "best_loss_",
        "loss_",
        "loss_curve_",
    )
    part_types = ("sklearn.preprocessing._label.LabelBinarizer",)

    def __init__(
        self,
        *,
        hidden_units: int | Sequence[int] = 16,
        n_epochs: int = 20,
        step_size: float = 0.01,
        batch_rows: int = 256,
        weight_decay: float = 0.05,
        clip: float = 5.0,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.hidden_units = hidden_units
        self.n_epochs = n_epochs
        self.step_size = step_size
        self.batch_rows = batch_rows
        self.weight_decay = weight_decay
        self.clip = clip
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def _estimator(self, n_rows: int, total_weight: float) -> Any:  # noqa: ARG002 - the decay is a mean
        batch_rows = min(self.batch_rows, n_rows)
        units = (self.hidden_units,) if isinstance(self.hidden_units, int) else tuple(self.hidden_units)
        require_units("hidden_units", units)
        return import_library("sklearn.neural_network").MLPClassifier(
            hidden_layer_sizes=units,
            activation="relu",
            solver="adam",
            alpha=self.weight_decay * batch_rows,  # scikit-learn divides it by the rows of a batch
            batch_size=batch_rows,
            learning_rate_init=self.step_size,
            max_iter=self.n_epochs,
            n_iter_no_change=self.n_epochs + 1,
            early_stopping=False,
            random_state=self.seed,
        )

    def _layers(self) -> list[tuple[FloatArray, FloatArray]]:
        return list(zip(self.estimator_.coefs_, self.estimator_.intercepts_, strict=True))

    def _scores(self, scaled: FloatArray) -> FloatArray:
        *hidden, last = self._layers()
        for weights, bias in hidden:
            scaled = np.maximum(affine(scaled, weights, bias), 0.0)
        return affine(scaled, *last)
