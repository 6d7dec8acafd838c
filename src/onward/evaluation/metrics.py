"""How good probabilities of down, range and up were, in figures."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onward.evaluation.calibration import calibration_error
from onward.kernels.statistics import area_under_curve
from onward.types import FloatArray, IntArray

__all__ = [
    "Metrics",
    "balanced_accuracy",
    "brier_score",
    "confusion_matrix",
    "direction_auc",
    "direction_score",
    "log_loss",
    "measure",
    "range_auc",
    "ranked_probability_score",
]

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are clipped here before the logarithm, as scikit-learn does."""


@dataclass(frozen=True)
class Metrics:
    """Scores of one set of probabilities; NaN where a score is not defined.

    Attributes
    ----------
    n
        Rows scored.
    log_loss
        Mean negative log of the probability given to what came true, in nats.
    log_loss_skill
        1 - log loss / log loss of the training-fold prior; 0 = no better than the prior.
    brier
        Mean squared error summed over the three classes, 0 to 2.
    ranked_probability_score
        Mean squared error of the cumulative probabilities over two, 0 to 1; it knows that down
        is further from up than from range.
    accuracy
        Share of rows whose most probable class came true.
    accuracy_above_majority
        Accuracy minus the share of the most frequent outcome of these rows.
    balanced_accuracy
        Mean recall of the classes that occurred.
    direction_auc
        AUC of ``p_up - p_down`` on the rows that did not end in the range.
    range_auc
        AUC of ``p_range``.
    calibration_error
        Expected calibration error of the most probable class, ten equal bins.
    """

    n: int
    log_loss: float
    log_loss_skill: float
    brier: float
    ranked_probability_score: float
    accuracy: float
    accuracy_above_majority: float
    balanced_accuracy: float
    direction_auc: float
    range_auc: float
    calibration_error: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; scores that are not defined become None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


def measure(probability: FloatArray, y: IntArray, prior: FloatArray) -> Metrics:
    """Return all scores of probabilities.

    Parameters
    ----------
    probability
        Shape (n, 3): down, range, up.
    y
        -1, 0, 1, shape (n,).
    prior
        Training-fold class frequencies, shape (n, 3).
    """
    chosen = probability.argmax(axis=1) - 1
    right = chosen == y
    loss, loss_of_prior = log_loss(probability, y), log_loss(prior, y)
    accuracy = float(right.mean())
    return Metrics(
        n=len(y),
        log_loss=loss,
        log_loss_skill=1.0 - loss / loss_of_prior if loss_of_prior > 0 else float("nan"),
        brier=brier_score(probability, y),
        ranked_probability_score=ranked_probability_score(probability, y),
        accuracy=accuracy,
        accuracy_above_majority=accuracy - float(np.bincount(y + 1, minlength=3).max() / len(y)),
        balanced_accuracy=balanced_accuracy(chosen, y),
        direction_auc=direction_auc(probability, y),
        range_auc=range_auc(probability, y),
        calibration_error=calibration_error(probability.max(axis=1), right),
    )


def log_loss(probability: FloatArray, y: IntArray) -> float:
    """Return the mean negative log-likelihood in nats, probabilities clipped at 2.2e-16."""
    given = probability[np.arange(len(y)), y + 1]
    return float(-np.log(np.clip(given, SMALLEST, 1.0)).mean())


def brier_score(probability: FloatArray, y: IntArray) -> float:
    """Return the multi-class Brier score (Brier 1950): squared errors summed over the classes."""
    return float(((probability - _one_hot(y)) ** 2).sum(axis=1).mean())


def ranked_probability_score(probability: FloatArray, y: IntArray) -> float:
    """Return the ranked probability score (Epstein 1969) of the ordered classes, 0 to 1."""
    gap = (probability - _one_hot(y)).cumsum(axis=1)[:, :-1]
    return float((gap**2).sum(axis=1).mean() / gap.shape[1])


def balanced_accuracy(chosen: IntArray, y: IntArray) -> float:
    """Return the mean recall of the classes that occurred."""
    return float(np.mean([np.mean(chosen[y == c] == c) for c in np.unique(y)]))


def confusion_matrix(probability: FloatArray, y: IntArray) -> IntArray:
    """Return counts of outcome (rows: down, range, up) by most probable class (columns)."""
    pair = (y + 1) * 3 + probability.argmax(axis=1)
    return np.bincount(pair, minlength=9).reshape(3, 3).astype(np.int64)


def direction_score(probability: FloatArray) -> FloatArray:
    """Return ``p_up - p_down``: what the direction verdict ranks by, shape (n,)."""
    score: FloatArray = probability[:, 2] - probability[:, 0]
    return score


def direction_auc(probability: FloatArray, y: IntArray) -> float:
    """Return the AUC of ``p_up - p_down`` on rows that did not end in the range; NaN if one-sided."""
    moved = y != 0
    return area_under_curve(direction_score(probability)[moved], y[moved] > 0)


def range_auc(probability: FloatArray, y: IntArray) -> float:
    """Return the AUC of ``p_range``; NaN when all rows or none ended in the range."""
    return area_under_curve(np.ascontiguousarray(probability[:, 1]), y == 0)


def _one_hot(y: IntArray) -> FloatArray:
    return np.eye(3)[y + 1]
