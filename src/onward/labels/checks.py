"""Whether labels can be learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import LabelError
from onward.types import CLASSES

__all__ = ["require_classes"]

BORDERS = ("threshold", "multiplier", "quantile", "profit", "stop", "min_t_value", "horizon_bars")
"""Arguments of labelers that decide how many rows end in range."""
NAMES = {-1: "down", 0: "range", 1: "up"}


def require_classes(y: npt.NDArray[Any], *, at_least: int = 2, where: str = "the training rows") -> None:
    """Refuse labels from which a classifier can learn nothing.

    Parameters
    ----------
    y
        Classes -1, 0, 1 of the rows in hand, shape (n,).
    at_least
        Distinct classes that must occur.
    where
        Which rows these are, for the message: ``"the training rows of fold 3"``.

    Raises
    ------
    LabelError
        When there are no rows, a value is not a class, or fewer classes occur.
    """
    if len(y) == 0:
        raise LabelError(
            f"{where} carry no labels",
            got="0 rows",
            allowed="at least one labelled row of each class",
            remedy="Use more data, fewer folds, a shorter horizon or a smaller embargo.",
            settings=("horizon_bars",),
        )
    found, counts = np.unique(y, return_counts=True)
    unknown = [value for value in found.tolist() if value not in CLASSES]
    if unknown:
        raise LabelError(
            f"{where} hold values that are not classes",
            got=", ".join(str(value) for value in unknown[:5]),
            allowed="-1 (down), 0 (range), 1 (up)",
            remedy="Label the market with a labeler of kind 'classes'.",
        )
    if len(found) < at_least:
        shares = ", ".join(
            f"{NAMES[int(c)]} x {n}" for c, n in zip(found.tolist(), counts.tolist(), strict=True)
        )
        raise LabelError(
            f"{where} hold too few different classes",
            got=shares,
            allowed=f"at least {at_least} classes",
            remedy="Lower the threshold (or its quantile or multiplier) so that fewer rows end in range, "
            "raise it if none does, or check that the prices move.",
            settings=BORDERS,
        )
