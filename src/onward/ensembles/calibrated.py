"""A model whose probabilities are corrected by how they came true on rows it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from onward.ensembles.composite import CompositeModel, Given
from onward.errors import ModelError
from onward.labels import average_uniqueness
from onward.models.calibration import Calibrator, calibrator_class, calibrator_from_json
from onward.protocols import Model
from onward.types import FloatArray, IntArray

__all__ = ["CalibratedModel"]


class CalibratedModel(CompositeModel):
    """One model or ensemble, and a calibrator fitted on purged out-of-fold predictions.

    The model that predicts is fitted on all rows; the calibrator saw predictions of models that had
    learnt neither from these rows nor from what overlaps them. (Calibrated on rows it was fitted
    on, a model is told that it may be as sure as it is of its training rows.)

    Parameters
    ----------
    member
        Name of the model or ensemble.
    member_parameters
        Arguments of its class, without ``seed`` and ``n_threads``.
    method
        ``sigmoid``, ``temperature``, ``isotonic`` or ``none``.
    n_folds
        Inner folds, where nobody brings out-of-fold predictions.
    seed, n_threads
        Handed over to the model.

    Attributes
    ----------
    calibrator_
        Fitted.
    """

    name = "calibrated"

    def __init__(
        self,
        *,
        member: str = "lightgbm",
        member_parameters: Mapping[str, Any] | None = None,
        method: str = "sigmoid",
        n_folds: int = 4,
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.member = member
        self.member_parameters = member_parameters
        self.method = method
        self.n_folds = n_folds
        self.seed = seed
        self.n_threads = n_threads

    @classmethod
    def around(cls, model: Model, calibrator: Calibrator, *, seed: int = 0) -> Self:
        """Return a fitted model with a fitted calibrator behind it, as if it had been fitted here.

        Raises
        ------
        ModelError
            When the model was not fitted.
        """
        inside: Any = model
        n_features = len(inside.gain())
        given = inside.get_params(deep=False) if hasattr(inside, "get_params") else {}
        calibrated = cls(
            member=type(inside).name,
            member_parameters={k: v for k, v in given.items() if k not in ("seed", "n_threads")},
            method=calibrator.name,
            seed=seed,
            n_threads=int(given.get("n_threads", 0)),
        )
        calibrated.classes_ = np.array([-1, 0, 1], dtype=np.int64)
        calibrated.n_features_in_ = n_features
        names = getattr(inside, "feature_names_in_", None)
        if names is not None:
            calibrated.feature_names_in_ = names
        calibrated.parts_ = [model]
        calibrated.calibrator_ = calibrator
        return calibrated

    @property
    def uses_inner(self) -> bool:
        """The calibrator learns from nothing else."""
        return True

    @property
    def members(self) -> tuple[str, ...]:  # type: ignore[override]
        """The one model."""
        return (self.member,)

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:  # type: ignore[override]
        """Its arguments by name."""
        return {self.member: self.member_parameters or {}}

    def _fit(self, data: Given, codes: IntArray, weight: FloatArray | None) -> None:
        calibrator = calibrator_class(self.method)()
        if self.member == self.name:
            raise ModelError(
                "a calibrated model cannot be calibrated again",
                got=repr(self.member),
                allowed="a model or another ensemble",
                remedy="Calibrate the model itself.",
            )
        y = codes - 1
        inner = self._inner(data, y, weight)
        rows = inner.rows
        calibrator.fit(
            inner.probability[0],
            y[rows],
            None if weight is None else weight[rows],
            effective_n=float(average_uniqueness(data.spans.take(rows)).sum()),
        )
        self.parts_ = self._fitted_members(self._table(data.values), y, weight)
        self.calibrator_ = calibrator

    def _combined(self, parts: FloatArray, table: pd.DataFrame) -> FloatArray:  # noqa: ARG002 - a hook
        return self.calibrator_.transform(parts[0])

    def _gain(self) -> FloatArray:
        return self.parts_[0].gain()

    def _state(self) -> dict[str, Any]:
        return {"calibrator": self.calibrator_.to_json()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.calibrator_ = calibrator_from_json(state["calibrator"])
