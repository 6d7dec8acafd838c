"""What models learn from and say: spans, labels, folds, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy.typing as npt

from onward.types.arrays import BoolArray, FloatArray, IntArray, to_ns

if TYPE_CHECKING:
    import pandas as pd  # when it is needed: a server that waits has no use for it

__all__ = ["Fold", "Labels", "Prediction", "Spans"]


@dataclass(frozen=True, eq=False)
class Spans:
    """The interval over which each labelled row's outcome unfolds, closed on both ends.

    Attributes
    ----------
    index
        (symbol, open time) of the labelled rows, a subset of the market's index in its order.
    start
        Decision time, ns UTC, shape (n,).
    end
        Outcome time: the first moment at which the label is known, ns UTC, shape (n,);
        ``end >= start``.
    """

    index: pd.Index
    start: IntArray
    end: IntArray

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def from_times(
        cls,
        start: Sequence[Any] | pd.DatetimeIndex,
        end: Sequence[Any] | pd.DatetimeIndex,
        index: pd.Index | None = None,
    ) -> Spans:
        """Build spans from timestamps (naive ones are taken as UTC)."""
        import pandas as pd

        starts = pd.DatetimeIndex(pd.to_datetime(start, utc=True))
        ends = pd.DatetimeIndex(pd.to_datetime(end, utc=True))
        return cls(index if index is not None else starts, to_ns(starts), to_ns(ends))

    def take(self, rows: IntArray | BoolArray) -> Spans:
        """Return the spans of some rows, given by position or mask."""
        return Spans(self.index[rows], self.start[rows], self.end[rows])

    @property
    def longest(self) -> int:
        """Length of the longest span in nanoseconds (0 when there is none)."""
        return int((self.end - self.start).max()) if len(self) else 0


@dataclass(frozen=True, eq=False)
class Labels:
    """Outcomes of the labelled rows.

    Attributes
    ----------
    y
        Shape (n,): int64 class -1, 0, 1 for ``kind="classes"``; float64 for ``kind="target"``.
        Aligned with ``spans``.
    spans
        Span of each label.
    weight
        Sample weight, float64, shape (n,), mean 1 over the rows they were made for.
    kind
        ``classes`` (down, range, up) or ``target`` (regression).
    """

    y: npt.NDArray[Any]
    spans: Spans
    weight: FloatArray
    kind: Literal["classes", "target"] = "classes"

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Fold:
    """One train/test split: positions into the spans that were split.

    Attributes
    ----------
    number
        0-based number of the fold.
    train
        Sorted positions of the training rows, purged and embargoed.
    test
        Sorted positions of the test rows.
    """

    number: int
    train: IntArray
    test: IntArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about bars, one row a bar.

    Attributes
    ----------
    frame
        Indexed like the bars; columns ``down range up`` (probabilities), ``signal`` (-1, 0, 1)
        and ``decision_time`` (UTC).
    model
        ``name/version`` of the model that spoke.
    warnings
        What the reader should know (missing side series, and so on).
    """

    frame: pd.DataFrame
    model: str
    warnings: tuple[str, ...] = ()
