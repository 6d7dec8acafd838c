"""Isotonic calibration: any rising curve, for those who have the outcomes to draw one."""

from __future__ import annotations

from typing import Any

import numpy as np

from onward.errors import ModelError
from onward.models.calibration.base import Calibrator, normalised
from onward.models.libraries import import_library
from onward.types import FloatArray, IntArray

__all__ = ["LEAST_OUTCOMES", "IsotonicCalibrator"]

LEAST_OUTCOMES = 1_000
"""Independent outcomes below which a free curve fits noise (Niculescu-Mizil & Caruana 2005)."""


class IsotonicCalibrator(Calibrator):
    """The best rising step function a class (Zadrozny & Elkan 2002), straight between its steps.

    One class against the rest, rows scaled to sum to 1 again. The ends of a free curve reach 0
    and 1, which no finite number of outcomes can show: they are held at ``1 / (n + 2)`` and
    ``(n + 1) / (n + 2)``, n being the effective number of outcomes.

    Monotone: before rows are scaled to sum to 1, a class's probability never falls as the
    model's rises.

    Attributes
    ----------
    stated_, realised_
        Knots of the three curves: what the model says, what comes true.
    """

    name = "isotonic"

    def _fit(self, probability: FloatArray, codes: IntArray, weight: FloatArray, n: float) -> None:
        if n < LEAST_OUTCOMES:
            raise ModelError(
                "there are too few independent outcomes for isotonic calibration",
                got=f"{n:.0f}",
                allowed=f"at least {LEAST_OUTCOMES:,}",
                remedy="Use sigmoid or temperature, a longer time range, or a shorter horizon.",
            )
        isotonic = import_library("sklearn.isotonic")
        self.stated_: list[FloatArray] = []
        self.realised_: list[FloatArray] = []
        for k in range(3):
            curve = isotonic.IsotonicRegression(
                y_min=1.0 / (n + 2.0), y_max=(n + 1.0) / (n + 2.0), out_of_bounds="clip"
            )
            curve.fit(probability[:, k], (codes == k).astype(np.float64), sample_weight=weight)
            self.stated_.append(np.asarray(curve.X_thresholds_, dtype=np.float64))
            self.realised_.append(np.asarray(curve.y_thresholds_, dtype=np.float64))

    def _transform(self, probability: FloatArray) -> FloatArray:
        curves = [np.interp(probability[:, k], self.stated_[k], self.realised_[k]) for k in range(3)]
        return normalised(np.column_stack(curves), probability)

    def _state(self) -> dict[str, Any]:
        return {
            "stated": [knots.tolist() for knots in self.stated_],
            "realised": [knots.tolist() for knots in self.realised_],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.stated_ = [np.array(state["stated"][k], dtype=np.float64) for k in range(3)]
        self.realised_ = [np.array(state["realised"][k], dtype=np.float64) for k in range(3)]
        for stated, realised in zip(self.stated_, self.realised_, strict=True):
            rising = (np.diff(stated) >= 0).all() and (np.diff(realised) >= 0).all()
            if stated.ndim != 1 or stated.shape != realised.shape or len(stated) == 0 or not rising:
                raise ValueError("curves that do not rise")
