"""What a learning pipeline is given, and what it gives back, as far as an audit must know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onward.errors import AuditError
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = ["Pipeline", "PipelineRun", "PipelineWorld", "Split", "as_run", "as_splits"]

Split: TypeAlias = tuple[IntArray, IntArray]
"""Positions of training rows and of test rows."""


@dataclass(frozen=True, eq=False)
class PipelineWorld:
    """Everything that a pipeline may learn from.

    Attributes
    ----------
    X
        Features, shape (n, columns); an array or a DataFrame.
    y
        Labels, shape (n,).
    outcome
        Forward returns behind the labels, float64, shape (n,).
    spans
        From decision to outcome of each row, closed on both ends, shape (n,).
    folds
        (training rows, test rows) of each fold, positions into the rows.
    market
        The bars behind the features, for pipelines that want them.
    """

    X: Any
    y: npt.NDArray[Any]
    outcome: FloatArray
    spans: Spans
    folds: tuple[Split, ...]
    market: Market | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.X), len(self.y), len(self.outcome), len(self.spans)}
        if len(lengths) != 1:
            raise AuditError(
                "The parts of the world have different lengths",
                got=f"X {len(self.X)}, y {len(self.y)}, outcome {len(self.outcome)}, spans {len(self.spans)}",
                allowed="one row each",
            )
        object.__setattr__(self, "folds", as_splits(self.folds, len(self.y)))
        if not self.folds:
            raise AuditError("The world has no folds", allowed="at least one (training rows, test rows)")

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class PipelineRun:
    """What a pipeline did.

    Attributes
    ----------
    predictions
        Out-of-sample predictions, shape (n,) or (n, classes); NaN where none was made.
    used
        Outer splits that were used; empty when they are the world's folds.
    inner
        Splits inside training sets (stacking, early stopping, calibration, search), positions
        into the world's rows.
    """

    predictions: FloatArray
    used: Sequence[Split] = ()
    inner: Sequence[Split] = ()


Pipeline: TypeAlias = Callable[[PipelineWorld], "PipelineRun | npt.NDArray[Any]"]
"""Something that learns from a world and predicts its test rows."""


def as_run(result: Any, n_rows: int) -> PipelineRun:
    """Return what a pipeline returned as a run, checked.

    Raises
    ------
    AuditError
        The predictions are not one row for each row of the world, or a split points outside.
    """
    run = result if isinstance(result, PipelineRun) else PipelineRun(np.asarray(result))
    predictions = np.asarray(run.predictions, dtype=np.float64)
    if predictions.ndim not in (1, 2) or len(predictions) != n_rows:
        raise AuditError(
            "The pipeline did not return one prediction a row",
            got=f"shape {predictions.shape} for {n_rows} rows",
            allowed="shape (rows,) or (rows, classes), NaN where no prediction was made",
        )
    return PipelineRun(predictions, as_splits(run.used, n_rows), as_splits(run.inner, n_rows))


def as_splits(splits: Iterable[Any], n_rows: int) -> tuple[Split, ...]:
    """Return splits as pairs of position arrays.

    A pair may also be (rows, splitter with ``split``): the splitter is then asked to split those
    rows, as scikit-learn's helpers do. Objects with ``train`` and ``test`` are taken too.
    """
    pairs: list[Split] = []
    for split in splits:
        train, test = (split.train, split.test) if hasattr(split, "train") else split
        if hasattr(test, "split"):
            rows = np.asarray(train, dtype=np.int64)
            pairs += [(rows[a], rows[b]) for a, b in test.split(np.empty((len(rows), 1)))]
        else:
            pairs.append((_positions(train), _positions(test)))
    for train, test in pairs:
        for rows in (train, test):
            if len(rows) and (rows.min() < 0 or rows.max() >= n_rows):
                raise AuditError(
                    "A split points outside the world",
                    got=f"positions {rows.min()} to {rows.max()}",
                    allowed=f"0 to {n_rows - 1}",
                )
    return tuple(pairs)


def _positions(rows: Any) -> IntArray:
    array = np.asarray(rows)
    return np.flatnonzero(array).astype(np.int64) if array.dtype == np.bool_ else array.astype(np.int64)
