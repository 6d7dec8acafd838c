"""The model that knows nothing: class frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.models.classifier import ThreeClassModel
from onward.types import FloatArray, IntArray

__all__ = ["PriorModel"]


class PriorModel(ThreeClassModel):
    """Predict the (weighted) class frequencies of the training rows for every row.

    What log-loss skill is measured against, and a sound model where nothing can be learnt.
    """

    name = "prior"

    def _fit(self, values: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:  # noqa: ARG002 - features are ignored on purpose
        counts = np.bincount(codes, weights=weight, minlength=3)
        self.frequency_: FloatArray = counts / counts.sum()

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        return np.tile(self.frequency_, (len(values), 1))

    def _state(self) -> dict[str, Any]:
        return {"frequency": self.frequency_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.frequency_ = np.array(state["frequency"], dtype=np.float64)
