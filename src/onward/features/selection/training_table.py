"""The training rows of a fold as a selector needs them, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError, StageError
from onward.types import CLASSES, FloatArray, IntArray, Spans

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
    classes = np.asarray(y)
    if classes.ndim != 1 or not np.isin(classes, CLASSES).all():
        raise LabelError(
            "selection needs class labels",
            got=f"{classes.dtype} array of shape {classes.shape}",
            allowed="one of -1, 0, 1 a row",
            remedy="Use a labeler of kind 'classes', or switch selection off.",
        )
    lengths = {"features": len(X), "labels": len(classes), "spans": len(spans)}
    if weight is not None:
        lengths["weights"] = len(weight)
    if len(set(lengths.values())) != 1:
        raise StageError(
            "what a selector is given differs in length",
            got=", ".join(f"{count} {name}" for name, count in lengths.items()),
            allowed="one row each",
            remedy="Pass the training rows of all of them.",
        )
    if len(X) == 0:
        raise NotEnoughDataError(
            "there are no training rows to select features from",
            remedy="Use a longer time range or fewer folds.",
        )
    names = tuple(str(column) for column in X.columns)
    if len(set(names)) != len(names) or not names:
        twice = next((name for name in names if names.count(name) > 1), None)
        raise StageError(
            "the columns to select from cannot be told apart",
            got="no column" if twice is None else f"{twice!r} twice",
            allowed="one or more columns with unique names",
            remedy="Check the stages before the selector.",
        )
    try:
        values = X.to_numpy(dtype=np.float32, copy=False)
    except (TypeError, ValueError) as error:
        raise StageError(
            "a column to select from is not numeric",
            got=str(error),
            allowed="numbers, NaN for not known",
            remedy="Check the stages before the selector.",
        ) from error
    return TrainingTable(names, values, classes.astype(np.int64), spans, weight)
