"""The training rows of a fold as a selector needs them, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError
from onward.features.training_rows import checked_classes
from onward.types import FloatArray, IntArray, Spans

__all__ = ["TrainingTable", "training_table"]


@dataclass(frozen=True, eq=False)
class TrainingTable:
    """Features, classes and spans of the same rows.

    Attributes
    ----------
    names
        Columns.
    values
        float32, shape (n_rows, n_columns), NaN = not known; a view of the caller's matrix where
        possible, never written to.
    classes
        -1, 0, 1, shape (n_rows,).
    spans
        Of the same rows.
    weight
        Sample weights, shape (n_rows,), or None.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    classes: IntArray
    spans: Spans
    weight: FloatArray | None


def training_table(
    X: pd.DataFrame, y: npt.NDArray[Any], spans: Spans, weight: FloatArray | None
) -> TrainingTable:
    """Check and bundle what a selector is given.

    Raises
    ------
    StageError
        When the arguments differ in length, there is no column, a name occurs twice, or a column
        is not numeric.
    LabelError
        When the labels are not classes.
    NotEnoughDataError
        When there are no rows.
    """
    classes = checked_classes(X, y, spans, weight, stage="selection", otherwise="switch selection off")
    try:
        values = X.to_numpy(dtype=np.float32, copy=False)
    except (TypeError, ValueError) as error:
        raise StageError(
            "a column to select from is not numeric",
            got=str(error),
            allowed="numbers, NaN for not known",
            remedy="Check the stages before the selector.",
        ) from error
    return TrainingTable(tuple(map(str, X.columns)), values, classes, spans, weight)
