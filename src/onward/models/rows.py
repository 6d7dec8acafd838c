"""The rows that models take: checked, in one form, whatever they came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ModelError
from onward.types import CLASSES, FloatArray, IntArray

__all__ = ["column_names", "feature_matrix", "training_rows"]


def column_names(X: pd.DataFrame | npt.NDArray[Any]) -> tuple[str, ...] | None:
    """Return the names of the columns; None for an array."""
    return tuple(str(c) for c in X.columns) if isinstance(X, pd.DataFrame) else None


def feature_matrix(X: pd.DataFrame | npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return features as a C-contiguous float32 matrix, as both batch and live rows are cast.

    Raises
    ------
    ModelError
        When they are not numbers, not a matrix, or infinite in float32.
    """
    try:
        with np.errstate(over="ignore"):  # what overflows is infinite, and refused below by name
            values = np.ascontiguousarray(
                X.to_numpy(np.float32) if isinstance(X, pd.DataFrame) else X, np.float32
            )
    except (TypeError, ValueError) as error:
        raise ModelError(
            "the features are not numbers", got=str(error), allowed="numeric columns, NaN for unknown"
        ) from error
    if values.ndim != 2 or values.shape[1] == 0:
        raise ModelError(
            "the feature matrix has the wrong shape",
            got=values.shape,
            allowed="(n_rows, n_features) with at least one feature",
            remedy="Switch on a feature stage, or loosen the selection.",
        )
    if np.isinf(values).any():
        column = int(np.flatnonzero(np.isinf(values).any(axis=0))[0])
        label = str(X.columns[column]) if isinstance(X, pd.DataFrame) else f"column {column}"
        raise ModelError(
            "a feature is infinite",
            got=label,
            allowed="finite float32 values, NaN for unknown",
            remedy="Make the feature stage return NaN there.",
        )
    return values


def training_rows(
    X: pd.DataFrame | npt.NDArray[Any], y: npt.NDArray[Any], sample_weight: FloatArray | None
) -> tuple[npt.NDArray[np.float32], IntArray, FloatArray | None]:
    """Return features, class codes (0, 1, 2) and weights of the rows that count.

    Rows of weight zero are left out: a model must not learn from them in any way, neither bin
    edges nor medians nor which classes there are.

    Raises
    ------
    ModelError
        When shapes disagree, a class is unknown, a weight is negative, NaN or infinite, all
        weights are zero, or a feature is infinite.
    """
    values = feature_matrix(X)
    codes = _class_codes(y)
    if len(values) != len(codes):
        raise ModelError(
            "features and labels differ in length",
            got=f"{len(values)} and {len(codes)} rows",
            allowed="one label a row",
            remedy="Pass the training rows of both.",
        )
    if len(codes) == 0:
        raise ModelError("there are no training rows", remedy="Use a longer time range or fewer folds.")
    if sample_weight is None:
        return values, codes, None
    weight = _weights(sample_weight, len(codes))
    counts = weight > 0
    if counts.all():
        return values, codes, weight
    return values[counts], codes[counts], weight[counts]


def _class_codes(y: npt.NDArray[Any]) -> IntArray:
    values = np.asarray(y)
    if values.ndim != 1 or not np.isin(values, CLASSES).all():
        raise ModelError(
            "the labels are not classes",
            got=f"{values.dtype} array of shape {values.shape}",
            allowed="one of -1, 0, 1 a row",
            remedy="Use a labeler of kind 'classes'.",
        )
    return values.astype(np.int64) + 1


def _weights(sample_weight: FloatArray, n_rows: int) -> FloatArray:
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ModelError(
            "the sample weights are unusable",
            got=f"shape {weight.shape}",
            allowed=f"{n_rows} finite weights, none negative, not all zero",
            remedy="Leave the weights out, or take those of the labeler.",
        )
    return weight
