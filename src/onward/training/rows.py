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
