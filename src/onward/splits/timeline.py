"""The decision times that are being split, whatever the order and number of rows at each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from onward.errors import SplitError
from onward.types import IntArray, Spans

__all__ = ["Timeline"]


@dataclass(frozen=True, eq=False)
class Timeline:
    """Distinct decision times and where each row lies among them.

    Splits are cut here and nowhere else, so all symbols of one moment fall on one side.

    Attributes
    ----------
    moments
        Distinct decision times, ascending, ns UTC, shape (m,).
    code
        For each row the number of its moment, shape (n,).
    """

    moments: IntArray
    code: IntArray

    def __len__(self) -> int:
        return len(self.code)

    @classmethod
    def of(cls, spans: Spans) -> Timeline:
        """Return the timeline of spans.

        Raises
        ------
        SplitError
            When there are no spans, their arrays differ in length, or one ends before it starts.
        """
        if len(spans) == 0:
            raise SplitError(
                "there is nothing to split",
                got="0 spans",
                allowed="at least two decision times",
                remedy="Use more data or a shorter label horizon.",
            )
        if not len(spans.start) == len(spans.end) == len(spans.index):
            raise SplitError(
                "index, start and end of the spans differ in length",
                got=f"{len(spans.index)}, {len(spans.start)} and {len(spans.end)}",
                allowed="three of equal length",
                remedy="Build the spans with Spans.from_times or take them from labels.spans.",
            )
        backwards = np.flatnonzero(spans.end < spans.start)
        if len(backwards):
            raise SplitError(
                "a span ends before it starts",
                got=f"{len(backwards)} spans, the first at {spans.index[int(backwards[0])]}",
                allowed="end >= start",
                remedy="Give the decision time as start and the time the outcome is known as end.",
            )
        moments, code = np.unique(spans.start, return_inverse=True)
        return cls(moments, code.astype(np.int64))

    @cached_property
    def bar(self) -> int:
        """Length of one bar, ns: the smallest distance between decision times (0 for a single one)."""
        return int(np.diff(self.moments).min()) if len(self.moments) > 1 else 0

    @property
    def length(self) -> pd.Timedelta:
        """Time from the first decision to the last."""
        return pd.Timedelta(int(self.moments[-1]) - int(self.moments[0]))

    def rows_between(self, first: int, last: int) -> IntArray:
        """Return the sorted positions of the rows at moments ``first <= number < last``."""
        edges = self._edges
        return np.sort(self._order[edges[first] : edges[last]])

    @cached_property
    def _order(self) -> IntArray:
        return np.argsort(self.code, kind="stable").astype(np.int64)

    @cached_property
    def _edges(self) -> IntArray:
        counts = np.bincount(self.code, minlength=len(self.moments))
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
