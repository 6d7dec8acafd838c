"""From scores to probabilities, a row at a time: no row's bits depend on its batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.types import BoolArray, FloatArray

__all__ = ["softmax", "three_columns"]


def softmax(scores: npt.NDArray[Any], present: BoolArray) -> FloatArray:
    """Return probabilities of three classes in float64; classes that are not present get 0.

    Parameters
    ----------
    scores
        Logarithms of probabilities up to a constant a row, shape (n, 3).
    present
        Which classes training rows had, shape (3,).
    """
    logits = np.where(present, np.asarray(scores, dtype=np.float64), -np.inf)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def three_columns(values: npt.NDArray[Any], present: BoolArray, *, absent: float = 0.0) -> FloatArray:
    """Return one column a class from one column a class that is present, shape (n, 3)."""
    spread = np.full((len(values), len(present)), absent)
    spread[:, present] = values
    return spread
