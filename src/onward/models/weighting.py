"""Weights under which classes count the same in sum."""

from __future__ import annotations

import numpy as np

from onward.errors import ModelError
from onward.types import FloatArray, IntArray

__all__ = ["CLASS_WEIGHTS", "balanced_weights"]

CLASS_WEIGHTS = ("none", "balanced")


def balanced_weights(
    codes: IntArray, weight: FloatArray | None, *, directions: bool, class_weight: str
) -> FloatArray | None:
    """Return the weights of the rows, their total unchanged, with classes balanced as asked.

    Parameters
    ----------
    codes
        0, 1, 2 for down, range, up, shape (n,).
    weight
        Shape (n,); None is one a row.
    directions
        Let down and up count the same in sum. A class that is absent is left absent.
    class_weight
        ``balanced`` lets every class that is present count the same in sum (and so down and up);
        ``none`` leaves the classes as frequent as they are.

    Raises
    ------
    ModelError
        When ``class_weight`` is neither.
    """
    if class_weight not in CLASS_WEIGHTS:
        raise ModelError(
            "class_weight is unknown",
            got=repr(class_weight),
            allowed=" or ".join(CLASS_WEIGHTS),
            remedy="Set model.class_weight to one of these.",
        )
    totals = np.bincount(codes, weights=weight, minlength=3).astype(np.float64)
    if class_weight == "balanced":
        present = totals > 0
        wanted = np.where(present, totals.sum() / present.sum(), 0.0)
    elif directions and totals[0] > 0 and totals[2] > 0:
        middle = 0.5 * (totals[0] + totals[2])
        wanted = np.array([middle, totals[1], middle])
    else:
        return weight
    # The middle class is left exactly as it is (x / x = 1) when directions alone are balanced.
    factor = np.divide(wanted, totals, out=np.ones(3), where=totals > 0)[codes]
    return factor if weight is None else factor * weight
