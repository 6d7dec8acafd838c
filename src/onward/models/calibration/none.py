"""No calibration: probabilities as the model gives them."""

from __future__ import annotations

from onward.models.calibration.base import Calibrator
from onward.types import FloatArray, IntArray

__all__ = ["NoCalibrator"]


class NoCalibrator(Calibrator):
    """Change nothing. The default: a calibrator is one more thing to overfit."""

    name = "none"

    def _fit(self, probability: FloatArray, codes: IntArray, weight: FloatArray, n: float) -> None:
        pass

    def _transform(self, probability: FloatArray) -> FloatArray:
        return probability
