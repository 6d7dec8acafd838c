"""What all splitters share: scikit-learn's interface around `onward.splits.folds`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from onward.errors import SplitError
from onward.splits.extent import Extent
from onward.splits.folds import cut_folds
from onward.splits.matching import match_spans
from onward.splits.timeline import Timeline
from onward.types import Fold, IntArray, Spans

__all__ = ["BaseSplitter"]


@dataclass(frozen=True)
class BaseSplitter(ABC):
    """A splitter says what is tested (`test_blocks`); which rows may be learnt from follows.

    Works wherever scikit-learn takes a ``cv``: ``cross_val_score``, ``GridSearchCV``, and nested
    in each other. To write your own, inherit, make it a frozen dataclass and give `test_blocks`.

    Parameters
    ----------
    spans
        Spans of the labels; needed by `split`, which finds each row of ``X`` in them by its
        index. `folds` takes its own.
    embargo
        What `embargo_length` turns into time. See the splitter.
    """

    _: KW_ONLY
    spans: Spans | None = field(default=None, repr=False, compare=False)
    embargo: Any = None

    past_only: ClassVar[bool] = False
    """Whether only rows whose label ended before the first test decision are candidates."""

    @abstractmethod
    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        """Yield, for each fold, its contiguous test blocks (sorted positions into ``spans``)."""

    @abstractmethod
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""

    def embargo_length(self, spans: Spans) -> int:
        """Return the embargo in nanoseconds: the longest span when none was set.

        A number of bars counts as that many times the bar length (the smallest distance between
        decision times), as elapsed time: holes that an outer split has cut do not stretch it.
        """
        if self.embargo is None:
            return spans.longest
        return Extent.parse(self.embargo, "embargo").in_time(Timeline.of(spans).bar)

    @property
    def training_window(self) -> Extent | None:
        """How much of the past is trained on; ``None`` for all of it."""
        return None

    def folds(self, spans: Spans) -> list[Fold]:
        """Return the purged and embargoed folds: positions into ``spans``.

        A fold may be left without training rows (`onward.splits.require_training_rows` refuses).

        Raises
        ------
        SplitError
            When there are too few decision times, or the spans are damaged.
        """
        return list(self._folds(spans))

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[IntArray, IntArray]]:  # noqa: ARG002
        """Yield (training positions, test positions) into ``X``, as scikit-learn wants them.

        Parameters
        ----------
        X
            Rows to split, a subset of ``spans`` in any order. A DataFrame or Series is matched by
            its index, anything else by position.
        y, groups
            Ignored; here for scikit-learn.

        Raises
        ------
        SplitError
            When the splitter has no spans, or they do not match ``X``.
        """
        for fold in self._folds(match_spans(self._own_spans(), X)):
            yield fold.train, fold.test

    def _folds(self, spans: Spans) -> Iterator[Fold]:
        Timeline.of(spans)
        return cut_folds(
            spans,
            self.test_blocks(spans),
            embargo=self.embargo_length(spans),
            past_only=self.past_only,
            window=self.training_window,
        )

    def _own_spans(self) -> Spans:
        if not isinstance(self.spans, Spans):
            raise SplitError(
                f"{type(self).__name__} does not know when the labels end",
                got=f"spans = {type(self.spans).__name__}",
                allowed="onward.types.Spans",
                remedy=f"Build it as {type(self).__name__}(..., spans=labels.spans).",
            )
        return self.spans
