"""K-fold cross-validation on both sides of the test block, purged and embargoed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onward.splits.base import BaseSplitter
from onward.splits.cutting import cut_evenly, require_count
from onward.splits.extent import Extent
from onward.splits.timeline import Timeline
from onward.types import IntArray, Spans

__all__ = ["PurgedKFold"]


@dataclass(frozen=True)
class PurgedKFold(BaseSplitter):
    """Test each of ``n_splits`` contiguous blocks once; train on what shares no instant with it.

    Every row is tested exactly once. Training rows lie before *and* after the test block: this
    answers "is there anything to learn here", with all data; `WalkForward` answers "would it have
    worked". See López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), chapter 7.

    Parameters
    ----------
    n_splits
        Number of folds, at least 2, cut by decision time into equal numbers of moments; all
        symbols of a moment fall on one side.
    spans
        Spans of the labels, for `split`.
    embargo
        Time after each test block's maximum label end in which no training row may decide: bars
        (int), a timedelta or text such as ``"36h"``. ``None``: the longest span.

    Raises
    ------
    SplitError
        When an argument is out of range; from `split` and `folds`, when the spans do not match
        or hold fewer decision times than folds.

    Examples
    --------
    >>> from onward.types import Spans
    >>> import pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=8, freq="h", tz="UTC")
    >>> spans = Spans.from_times(times[:-1], times[1:])
    >>> for fold in PurgedKFold(3, embargo=0).folds(spans):
    ...     print(fold.train, fold.test)
    [4 5 6] [0 1 2]
    [0 1 6] [3 4]
    [0 1 2 3] [5 6]
    """

    n_splits: int = 5

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_splits", require_count("n_splits", self.n_splits, 2))
        if self.embargo is not None:
            Extent.parse(self.embargo, "embargo")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds."""
        return self.n_splits

    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        """Yield each block as the only test block of its fold."""
        for block in cut_evenly(Timeline.of(spans), 0, self.n_splits):
            yield (block,)
