"""What every stage that is fitted on labels asks of its training rows, checked in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError, StageError
from onward.types import CLASSES, FloatArray, IntArray, Spans

__all__ = ["checked_classes"]


def checked_classes(
    X: pd.DataFrame,
    y: npt.NDArray[Any],
    spans: Spans,
    weight: FloatArray | None = None,
    *,
    stage: str,
    otherwise: str,
) -> IntArray:
    """Return the labels as whole numbers after checking that all arguments tell of the same rows.

    Parameters
    ----------
    X
        Features, one row or more, one column or more, unique names.
    y
        Classes -1, 0, 1, shape (n,).
    spans
        Spans of the same rows.
    weight
        Weights of the same rows, if the stage takes them.
    stage
        What the messages call the stage.
    otherwise
        How to do without it, for labels that are not classes; a clause in the imperative.

    Raises
    ------
    StageError
        When the arguments differ in length, there is no column, or a name occurs twice.
    LabelError
        When the labels are not classes.
    NotEnoughDataError
        When there are no rows.
    """
    labels = np.asarray(y)
    lengths = {"rows": len(X), "labels": len(labels) if labels.ndim else 0, "spans": len(spans)}
    if weight is not None:
        lengths["weights"] = len(weight)
    if len(set(lengths.values())) != 1:
        raise StageError(
            f"what {stage} is fitted on differs in length",
            got=", ".join(f"{count} {name}" for name, count in lengths.items()),
            allowed="one label, one span and, if any, one weight a row",
            remedy="Pass the training rows of all of them.",
        )
    if labels.ndim != 1 or not np.isin(labels, CLASSES).all():
        raise LabelError(
            f"{stage} needs class labels",
            got=f"{labels.dtype} array of shape {labels.shape}",
            allowed="one of -1, 0, 1 a row",
            remedy=f"Use a labeler of kind 'classes', or {otherwise}.",
        )
    if len(X) == 0:
        raise NotEnoughDataError(
            f"there are no training rows to fit {stage} on",
            remedy="Use a longer time range or fewer folds.",
        )
    if X.shape[1] == 0:
        raise StageError(
            f"there are no columns to fit {stage} on",
            got="0 columns",
            allowed="one or more",
            remedy="Check the stages before it.",
        )
    repeated = X.columns[X.columns.duplicated()]
    if len(repeated):
        raise StageError(
            "a column name occurs twice",
            got=repr(str(repeated[0])),
            allowed="unique column names",
            remedy="Rename one of the two, in the stages before this one.",
        )
    return labels.astype(np.int64)
