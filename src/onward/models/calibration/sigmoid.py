"""Platt scaling: a logistic curve through the log-odds of each class."""

from __future__ import annotations

from typing import Any

import numpy as np

from onward.models.calibration.base import Calibrator, dot, log_odds, normalised
from onward.types import FloatArray, IntArray

__all__ = ["SigmoidCalibrator", "sigmoid_curve"]

STEPS = 100
TOLERANCE = 1e-10


class SigmoidCalibrator(Calibrator):
    """Platt scaling (Platt 2000), one class against the rest, rows scaled to sum to 1 again.

    Each class has the curve ``1 / (1 + exp(-(slope * log_odds(p) + offset)))``. It is fitted to the
    log-odds and not to the probability itself, so that slope 1, offset 0 is the identity (Boken
    2021). Targets are smoothed as Platt does, ``(n+ + 1) / (n+ + 2)`` and ``1 / (n- + 2)``, with
    the *effective* numbers of outcomes: 10,000 rows that hold 400 outcomes are no reason to be
    25 times as sure. The slope is never negative: calibration must not turn a ranking round.

    Monotone: before rows are scaled to sum to 1, a class's probability never falls as the
    model's rises.

    Attributes
    ----------
    slope_, offset_
        Shape (3,).
    """

    name = "sigmoid"

    def _fit(self, probability: FloatArray, codes: IntArray, weight: FloatArray, n: float) -> None:
        curves = [
            sigmoid_curve(log_odds(np.ascontiguousarray(probability[:, k])), codes == k, weight, n)
            for k in range(3)
        ]
        self.slope_, self.offset_ = (np.array(part) for part in zip(*curves, strict=True))

    def _transform(self, probability: FloatArray) -> FloatArray:
        scores = self.slope_ * log_odds(probability) + self.offset_
        # exp of minus the absolute value never overflows.
        small = np.exp(-np.abs(scores))
        curve = np.where(scores >= 0, 1.0, small) / (1.0 + small)
        return normalised(curve, probability)

    def _state(self) -> dict[str, Any]:
        return {"slope": self.slope_.tolist(), "offset": self.offset_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.slope_ = np.array(state["slope"], dtype=np.float64).reshape(3)
        self.offset_ = np.array(state["offset"], dtype=np.float64).reshape(3)


def sigmoid_curve(
    score: FloatArray, came_true: np.ndarray[Any, np.dtype[np.bool_]], weight: FloatArray, n: float
) -> tuple[float, float]:
    """Return slope and offset of Platt's curve through scores.

    Parameters
    ----------
    score
        Shape (m,).
    came_true
        Shape (m,).
    weight
        Shape (m,), any positive scale.
    n
        Effective number of outcomes that the rows hold.

    Notes
    -----
    Newton's method with halved steps (Lin, Lin & Weng 2007) on a convex function of two
    variables. Where the best slope is negative, the best with slope 0 is the mean target.
    """
    share = weight / weight.sum()
    positives = n * float(share[came_true].sum())
    target = np.where(came_true, (positives + 1.0) / (positives + 2.0), 1.0 / (n - positives + 2.0))
    mean = dot(share, target)
    flat = float(np.log(mean) - np.log1p(-mean))

    def loss(slope: float, offset: float) -> float:
        value = slope * score + offset
        return dot(share, np.logaddexp(0.0, value) - target * value)

    slope, offset = 0.0, flat
    current = loss(slope, offset)
    for _ in range(STEPS):
        value = slope * score + offset
        stated = 1.0 / (1.0 + np.exp(-np.clip(value, -500.0, 500.0)))
        error, curvature = share * (stated - target), share * stated * (1.0 - stated)
        gradient = np.array([dot(error, score), error.sum()])
        if np.abs(gradient).max() < TOLERANCE:
            break
        cross = dot(curvature, score)
        hessian = np.array([[dot(curvature, score * score), cross], [cross, curvature.sum()]])
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-10:
            candidate = loss(slope - size * step[0], offset - size * step[1])
            if candidate <= current:
                break
            size *= 0.5
        else:
            break
        slope, offset, current = slope - size * float(step[0]), offset - size * float(step[1]), candidate
    return (slope, offset) if slope > 0 else (0.0, flat)
