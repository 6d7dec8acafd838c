"""Every choice of test groups, so that one history gives many backtest paths."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from onward.errors import SplitError, told_count
from onward.splits.base import BaseSplitter
from onward.splits.cutting import cut_evenly, require_count
from onward.splits.extent import Extent
from onward.splits.timeline import Timeline
from onward.types import IntArray, Spans

__all__ = ["CombinatorialPurgedKFold"]

MOST_SPLITS = 10_000


@dataclass(frozen=True)
class CombinatorialPurgedKFold(BaseSplitter):
    """Test every choice of ``n_test_groups`` out of ``n_groups`` contiguous groups.

    Each group is tested in `n_paths` folds; put together, the test predictions form that many
    complete backtest paths (`backtest_paths`). See López de Prado, *Advances in Financial Machine
    Learning* (Wiley 2018), 12.3-12.4.

    Parameters
    ----------
    n_groups
        Contiguous groups of equal numbers of decision times, at least 2.
    n_test_groups
        Groups tested at a time, at least 1 and fewer than ``n_groups``.
    spans
        Spans of the labels, for `split`.
    embargo
        As in `onward.splits.PurgedKFold`, after each group.

    Raises
    ------
    SplitError
        When an argument is out of range or there would be more than 10,000 folds.
    """

    n_groups: int = 6
    n_test_groups: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_groups", require_count("n_groups", self.n_groups, 2))
        object.__setattr__(self, "n_test_groups", require_count("n_test_groups", self.n_test_groups, 1))
        if self.n_test_groups >= self.n_groups:
            raise SplitError(
                "no group is left to train on",
                got=f"n_test_groups={self.n_test_groups} of n_groups={self.n_groups}",
                allowed=f"n_test_groups 1 to {self.n_groups - 1}",
                remedy="Test fewer groups or cut more of them.",
                settings=("n_test_groups", "n_groups"),
            )
        n_folds = self.get_n_splits()
        if n_folds > MOST_SPLITS:
            raise SplitError(
                "there are too many combinations of test groups",
                got=f"{told_count(n_folds)} folds ({self.n_test_groups} of {self.n_groups} groups)",
                allowed=f"at most {MOST_SPLITS:,}",
                remedy="Use fewer groups; 6 groups tested 2 at a time give 15 folds and 5 paths.",
                settings=("n_groups", "n_test_groups"),
            )
        if self.embargo is not None:
            Extent.parse(self.embargo, "embargo")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds, C(n_groups, n_test_groups)."""
        return math.comb(self.n_groups, self.n_test_groups)

    @property
    def n_paths(self) -> int:
        """Number of complete backtest paths, C(n_groups - 1, n_test_groups - 1)."""
        return math.comb(self.n_groups - 1, self.n_test_groups - 1)

    def backtest_paths(self) -> IntArray:
        """Return which fold predicts each group of each path, shape (n_paths, n_groups).

        Path ``p`` takes a group's predictions from the ``p``-th fold that tests it.
        """
        tested_in: list[list[int]] = [[] for _ in range(self.n_groups)]
        for fold, groups in enumerate(self._choices()):
            for group in groups:
                tested_in[group].append(fold)
        return np.array(tested_in, dtype=np.int64).T.copy()

    def groups(self, spans: Spans) -> IntArray:
        """Return the number of each row's group, shape (n,).

        Raises
        ------
        SplitError
            When there are fewer decision times than groups.
        """
        found = np.empty(len(spans), dtype=np.int64)
        for number, rows in enumerate(cut_evenly(Timeline.of(spans), 0, self.n_groups)):
            found[rows] = number
        return found

    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        """Yield the groups of each choice, in lexicographic order."""
        groups = cut_evenly(Timeline.of(spans), 0, self.n_groups)
        for choice in self._choices():
            yield tuple(groups[group] for group in choice)

    def _choices(self) -> Iterator[tuple[int, ...]]:
        return combinations(range(self.n_groups), self.n_test_groups)
