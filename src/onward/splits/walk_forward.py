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
from onward.splits.extent import Extent, told_length
from onward.splits.matching import match_spans
from onward.splits.timeline import Timeline
from onward.splits.walk_forward_start import first_scored, require_useful_window
from onward.types import Fold, IntArray, Spans

__all__ = ["WalkForward"]

DEFAULT_SPLITS = 5
MOST_RETRAINS = 10_000


@dataclass(frozen=True)
class WalkForward(BaseSplitter):
    """Test consecutive blocks; train only on rows whose label had ended before each began.

    The first block is never scored: there is no past to learn it from. After it, every row is
    tested exactly once, in order of time; a last block that is shorter than ``step`` counts too.
    With ``step`` this is a retraining schedule: ``WalkForward(step="14d", window="90d")`` is a
    model that is fitted anew every 14 days on the last 90 days, and used until the next one.

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
        Length of the block that is never scored: decision times (int) or time. ``None`` with
        ``step``: one step when expanding, else until the first window is full; in both cases until
        ``min_train_rows`` rows can be learnt from.
    step
        Length of each scored block, from one retrain to the next: decision times (int) or time.
    min_train_rows
        Training rows that every fold must have; 0 lets folds be empty.

    Raises
    ------
    SplitError
        When an argument is out of range, both ``n_splits`` and ``step`` are given, the spans are
        too few for the blocks, or purging leaves a fold fewer than ``min_train_rows``; with
        ``step`` also when the window is no longer than the labels last, the step is longer than
        the data, or there would be more than 10,000 folds.

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
    min_train_rows: int = 0

    past_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.n_splits is not None and self.step is not None:
            raise SplitError(
                "WalkForward takes the number of blocks or their length, not both",
                got=f"n_splits={self.n_splits!r}, step={self.step!r}",
                allowed="one of them",
                remedy="Leave out n_splits to cut as many blocks of that length as there are.",
                settings=("n_splits", "step"),
            )
        if self.step is None:
            n_splits = DEFAULT_SPLITS if self.n_splits is None else self.n_splits
            object.__setattr__(self, "n_splits", require_count("n_splits", n_splits, 1))
        object.__setattr__(self, "embargo", 0 if self.embargo is None else self.embargo)
        Extent.parse(self.embargo, "embargo")
        for name in ("window", "initial", "step"):
            if getattr(self, name) is not None:
                Extent.parse(getattr(self, name), name, smallest=1)
        object.__setattr__(self, "min_train_rows", require_count("min_train_rows", self.min_train_rows, 0))

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
                blocks = cut_evenly(timeline, self._first_scored(spans, timeline), self.n_splits)
        else:
            edges = self._edges(spans, timeline)
            blocks = [timeline.rows_between(int(a), int(b)) for a, b in pairwise(edges)]
        for block in blocks:
            yield (block,)

    def _folds(self, spans: Spans) -> Iterator[Fold]:
        if self.step is not None and self.training_window is not None:
            require_useful_window(spans, self.training_window, self.window)
        for fold in super()._folds(spans):
            if len(fold.train) < self.min_train_rows:
                raise SplitError(
                    f"purging and the window leave fold {fold.number} too few training rows",
                    got=f"{len(fold.train)} of min_train_rows={self.min_train_rows}",
                    allowed=f"at least {self.min_train_rows}",
                    remedy="Use a longer window or initial, a shorter horizon, or lower min_train_rows.",
                    settings=("min_train_rows", "window", "initial", "n_splits", "step"),
                )
            yield fold

    def _first_scored(self, spans: Spans, timeline: Timeline) -> int:
        first = first_scored(
            spans,
            timeline,
            initial=None if self.initial is None else Extent.parse(self.initial, "initial"),
            step=None if self.step is None else Extent.parse(self.step, "step"),
            window=self.training_window,
            embargo=self.embargo_length(spans),
            min_train_rows=self.min_train_rows,
        )
        if first >= len(timeline.moments):
            asked = {name: getattr(self, name) for name in ("initial", "step", "window", "min_train_rows")}
            words = ", ".join(f"{name}={value!r}" for name, value in asked.items() if value)
            raise SplitError(
                "the block that is never scored takes all the data",
                got=f"{len(timeline.moments)} decision times over {timeline.length}, {words}",
                allowed="an initial block, or a window and a step, that leave rows to score",
                remedy="Use a shorter window, initial or step, or more data.",
                settings=("initial", "window", "min_train_rows", "step"),
            )
        return first

    def _edges(self, spans: Spans, timeline: Timeline) -> IntArray:
        step, last = Extent.parse(self.step, "step"), len(timeline.moments)
        if step.in_time(1) > (last if step.bars is not None else timeline.length.value + timeline.bar):
            raise SplitError(
                "the step is longer than the data: there would be one retrain and no second",
                got=f"step={self.step!r}, {last} decision times over {timeline.length}",
                allowed="a step shorter than the data",
                remedy="Use a shorter step or more data.",
                settings=("step",),
            )
        if step.bars is None and step.nanoseconds < timeline.bar:
            raise SplitError(
                "the step is shorter than one bar: a model can be fitted anew once a bar and no sooner",
                got=f"step={self.step!r}, bars of {told_length(timeline.bar)}",
                allowed="one bar or more",
                remedy="Use a longer step, or shorter bars.",
                settings=("step",),
            )
        first = self._first_scored(spans, timeline)
        if step.bars is not None:
            edges = np.append(np.arange(first, last, step.bars), last).astype(np.int64)
        else:
            begin, end = timeline.moments[first], timeline.moments[-1]
            self._require_few((int(end) - int(begin)) // step.nanoseconds + 1)
            cuts = np.arange(begin, end + 1, step.nanoseconds, dtype=np.int64)
            edges = np.unique(np.append(np.searchsorted(timeline.moments, cuts), last)).astype(np.int64)
        self._require_few(len(edges) - 1)
        return edges

    def _require_few(self, n_retrains: int) -> None:
        if n_retrains > MOST_RETRAINS:
            raise SplitError(
                "the schedule asks for too many retrains",
                got=f"{n_retrains:,} (step={self.step!r})",
                allowed=f"at most {MOST_RETRAINS:,}",
                remedy="Use a longer step.",
                settings=("step",),
            )
