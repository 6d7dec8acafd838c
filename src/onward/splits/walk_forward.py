"""Train on the past, test on what came next, move on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from onward.errors import SplitError
from onward.splits.base import BaseSplitter
from onward.splits.cutting import cut_evenly, require_count
from onward.splits.extent import Extent
from onward.splits.matching import match_spans
from onward.splits.timeline import Timeline
from onward.types import IntArray, Spans

__all__ = ["WalkForward"]

DEFAULT_SPLITS = 5


@dataclass(frozen=True)
class WalkForward(BaseSplitter):
    """Test consecutive blocks; train only on rows whose label had ended before each began.

    The first block is never scored: there is no past to learn it from. After it, every row is
    tested exactly once, in order of time; a last block that is shorter than ``step`` counts too.

    Parameters
    ----------
    n_splits
        Number of scored blocks, equal in decision times (5 unless ``step`` is given; give one of
        the two). Without ``initial`` the unscored block is as long as the others.
    spans
        Spans of the labels, for `split`.
    embargo
        Time that must lie between the end of a training label and the first test decision: bars
        (int), a timedelta or text such as ``"36h"``; ``None`` is 0. The label must have ended
        before in any case.
    window
        ``None``: train on all of the past (expanding). Else on its newest part only (rolling):
        the last so many decision times (int), or so long (time), among the rows that may be
        trained on.
    initial
        Length of the block that is never scored: decision times (int) or time.
    step
        Length of each scored block: decision times (int) or time.

    Raises
    ------
    SplitError
        When an argument is out of range, both ``n_splits`` and ``step`` are given, or the spans
        are too few for the blocks.

    Examples
    --------
    >>> from onward.types import Spans
    >>> import pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=9, freq="h", tz="UTC")
    >>> spans = Spans.from_times(times[:-1], times[1:])
    >>> for fold in WalkForward(3).folds(spans):
    ...     print(fold.train, fold.test)
    [0] [2 3]
    [0 1 2] [4 5]
    [0 1 2 3 4] [6 7]
    """

    n_splits: int | None = None
    _: KW_ONLY
    embargo: Any = 0
    window: Any = None
    initial: Any = None
    step: Any = None

    past_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.n_splits is not None and self.step is not None:
            raise SplitError(
                "WalkForward takes the number of blocks or their length, not both",
                got=f"n_splits={self.n_splits!r}, step={self.step!r}",
                allowed="one of them",
                remedy="Leave out n_splits to cut as many blocks of that length as there are.",
            )
        if self.step is None:
            n_splits = DEFAULT_SPLITS if self.n_splits is None else self.n_splits
            object.__setattr__(self, "n_splits", require_count("n_splits", n_splits, 1))
        object.__setattr__(self, "embargo", 0 if self.embargo is None else self.embargo)
        Extent.parse(self.embargo, "embargo")
        for name in ("window", "initial", "step"):
            if getattr(self, name) is not None:
                Extent.parse(getattr(self, name), name, smallest=1)

    @property
    def training_window(self) -> Extent | None:
        """How much of the past is trained on; ``None`` for all of it."""
        return None if self.window is None else Extent.parse(self.window, "window")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds; with ``step`` it follows from the spans (of ``X``)."""
        if self.n_splits is not None:
            return self.n_splits
        spans = self._own_spans()
        return sum(1 for _ in self.test_blocks(spans if X is None else match_spans(spans, X)))

    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        """Yield each scored block as the only test block of its fold."""
        timeline = Timeline.of(spans)
        if self.n_splits is not None:
            if self.initial is None:
                blocks = cut_evenly(timeline, 0, self.n_splits + 1)[1:]
            else:
                blocks = cut_evenly(timeline, self._first_scored(timeline), self.n_splits)
        else:
            edges = self._edges(timeline)
            blocks = [timeline.rows_between(int(a), int(b)) for a, b in pairwise(edges)]
        for block in blocks:
            yield (block,)

    def _first_scored(self, timeline: Timeline) -> int:
        initial = Extent.parse(self.step if self.initial is None else self.initial, "initial")
        if initial.bars is None:
            first = int(np.searchsorted(timeline.moments, timeline.moments[0] + initial.nanoseconds))
        else:
            first = initial.bars
        if first >= len(timeline.moments):
            raise SplitError(
                "the block that is never scored takes all the data",
                got=f"{len(timeline.moments)} decision times, initial={self.initial!r}, step={self.step!r}",
                allowed="an initial block that leaves rows to score",
                remedy="Use a shorter initial (or step), or more data.",
            )
        return first

    def _edges(self, timeline: Timeline) -> IntArray:
        first, step = self._first_scored(timeline), Extent.parse(self.step, "step")
        last = len(timeline.moments)
        if step.bars is not None:
            return np.append(np.arange(first, last, step.bars), last).astype(np.int64)
        begin, end = timeline.moments[first], timeline.moments[-1]
        cuts = np.arange(begin, end + 1, step.nanoseconds, dtype=np.int64)
        return np.unique(np.append(np.searchsorted(timeline.moments, cuts), last)).astype(np.int64)
