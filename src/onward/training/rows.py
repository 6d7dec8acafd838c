"""The rows that a fit has in hand: nothing that is fitted sees any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError
from onward.labels import require_classes
from onward.training.weighing import Weighing
from onward.types import FloatArray, IntArray, Spans

__all__ = ["TrainingRows"]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The rows in hand: nothing that is fitted sees any other.

    Attributes
    ----------
    X
        Causal features, float32, shape (n, n_columns); NaN = not known yet.
    y
        Classes -1, 0, 1, shape (n,).
    spans, weight
        Their spans and sample weights (mean 1).
    seed
        Seed of everything random in this fit.
    weighing
        How ``weight`` came about, so that fewer rows can be weighed anew; None keeps what they have.
    """

    X: pd.DataFrame
    y: npt.NDArray[Any]
    spans: Spans
    weight: FloatArray
    seed: int
    weighing: Weighing | None = None

    def __len__(self) -> int:
        return len(self.y)

    def same_as(self, other: TrainingRows) -> bool:
        """Whether whoever learns from these rows is handed the same bytes as from the others."""
        weighed, too = self.weighing, other.weighing
        return (
            self.seed == other.seed
            and (weighed is too if weighed is None or too is None else weighed.same_as(too))
            and self.X.columns.equals(other.X.columns)
            and self.X.index.equals(other.X.index)
            and self.spans.index.equals(other.spans.index)
            and _bytes_of(self.X.to_numpy(), self.y, self.spans.start, self.spans.end, self.weight)
            == _bytes_of(other.X.to_numpy(), other.y, other.spans.start, other.spans.end, other.weight)
        )

    def take(self, positions: IntArray, *, seed: int | None = None) -> Self:
        """Return some of the rows, weighed by themselves: what an inner fold learns from.

        Parameters
        ----------
        positions
            Positions into these rows.
        seed
            Seed of the fit on them; None keeps the seed.

        Raises
        ------
        LabelError
            When they hold one class only, or weigh nothing.
        """
        y = self.y[positions]
        try:
            require_classes(y, where="the training rows of an inner fold")
        except LabelError as error:
            raise LabelError(
                error.what,
                got=error.got,
                allowed=error.allowed,
                remedy="Use a longer time range, or raise training.inner_folds so that each fold learns from "
                "more rows.",
                settings=("training.inner_folds",),
            ) from error
        weighing = None if self.weighing is None else self.weighing.take(positions)
        weight = self.weight[positions] if weighing is None else weighing.weights()
        return type(self)(
            self.X.iloc[positions],
            y,
            self.spans.take(positions),
            weight / weight.mean(),
            self.seed if seed is None else seed,
            weighing,
        )


def _bytes_of(*arrays: npt.NDArray[Any]) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Return what tells arrays apart, NaN by its bits."""
    return [(array.dtype.str, array.shape, array.tobytes()) for array in arrays]
