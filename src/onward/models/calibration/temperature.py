"""Temperature scaling: one number that says how sure the model may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from onward.models.calibration.base import CLOSEST, Calibrator, dot, normalised
from onward.types import FloatArray, IntArray

__all__ = ["TemperatureCalibrator"]

COLDEST, HOTTEST = 0.01, 100.0
HALVINGS = 100


class TemperatureCalibrator(Calibrator):
    """Raise all probabilities to one power and scale rows to sum to 1 (Guo et al. 2017).

    ``p ** (1 / temperature)``: above 1 the model was too sure, below 1 not sure enough. One
    parameter for all classes, so it needs the fewest outcomes. It minimises the weighted log-loss,
    a convex function of ``1 / temperature``, by bisection of its derivative.

    Monotone: the order of the classes within a row, and so the signal, never changes.

    Attributes
    ----------
    temperature_
        Between 0.01 and 100.
    """

    name = "temperature"

    def _fit(self, probability: FloatArray, codes: IntArray, weight: FloatArray, n: float) -> None:  # noqa: ARG002 - one parameter needs no smoothing
        logs = np.log(np.maximum(probability, CLOSEST))
        logs -= logs.max(axis=1, keepdims=True)
        share = weight / weight.sum()
        happened = dot(share, logs[np.arange(len(codes)), codes])

        def derivative(power: float) -> float:
            scores = np.exp(power * logs)
            expected = (scores * logs).sum(axis=1) / scores.sum(axis=1)
            return dot(share, expected) - happened

        low, high = np.log(1.0 / HOTTEST), np.log(1.0 / COLDEST)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if derivative(float(np.exp(middle))) < 0:
                low = middle
            else:
                high = middle
        # Uniform probabilities say the same at every temperature: leave them alone.
        self.temperature_ = 1.0 if not logs.any() else float(np.exp(-0.5 * (low + high)))

    def _transform(self, probability: FloatArray) -> FloatArray:
        highest = probability.max(axis=1, keepdims=True)
        return normalised((probability / highest) ** (1.0 / self.temperature_), probability)

    def _state(self) -> dict[str, Any]:
        return {"temperature": self.temperature_}

    def _restore(self, state: dict[str, Any]) -> None:
        self.temperature_ = float(state["temperature"])
        if not COLDEST * 0.99 <= self.temperature_ <= HOTTEST * 1.01:
            raise ValueError(f"temperature {self.temperature_}")
