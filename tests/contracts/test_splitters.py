"""Every splitter of the catalogue against the contract, and the contract against splitters that break it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from onward.labels import ThresholdLabeler
from onward.splits import CATALOG, PurgedKFold, WalkForward
from onward.splits.timeline import Timeline
from onward.testing.markets import random_walk
from onward.testing.splitters import check_splitter
from onward.types import Fold, Spans


@pytest.fixture(scope="module")
def spans():
    panel = random_walk(130, symbols=("A", "B"), seed=2)
    holed = panel.replace(bars=panel.bars.drop(index=panel.index[40:55]))
    fixed = ThresholdLabeler(horizon_bars=4, mode="fixed").spans(holed)
    longer = np.random.default_rng(0).integers(0, 4, len(fixed)) ** 2 * 3_600_000_000_000
    return Spans(fixed.index, fixed.start, fixed.end + longer)


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_splitter_keeps_its_promises(name, spans):
    check_splitter(CATALOG[name](), spans)


@pytest.mark.parametrize(
    "splitter",
    [
        PurgedKFold(2, embargo=0),
        PurgedKFold(12, embargo="7h"),
        WalkForward(3, window=30, embargo=2),
        WalkForward(step=17, initial="30h", window="20h"),
    ],
    ids=repr,
)
def test_arguments_do_not_break_them(splitter, spans):
    check_splitter(splitter, spans)


class Unpurged(PurgedKFold):
    def _folds(self, spans):
        for fold in super()._folds(spans):
            yield Fold(fold.number, np.setdiff1d(np.arange(len(spans)), fold.test), fold.test)


class TooCareful(PurgedKFold):
    def _folds(self, spans):
        for fold in super()._folds(spans):
            yield Fold(fold.number, fold.train[1:], fold.test)


class ByRow(PurgedKFold):
    """Cuts rows instead of moments, so symbols fall apart."""

    def test_blocks(self, spans):
        for block in np.array_split(np.arange(len(spans)), self.n_splits):
            yield (block,)


class HalfCovered(PurgedKFold):
    def test_blocks(self, spans):
        yield from list(super().test_blocks(spans))[1::2]

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits // 2


class Miscounted(PurgedKFold):
    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits + 1


@dataclass(frozen=True)
class Positional(PurgedKFold):
    """Ignores which rows it is given."""

    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        return super().split(rows if len(X) == len(self.spans) else X)


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        (Unpurged, "rows it must not"),
        (TooCareful, "innocent rows"),
        (HalfCovered, "never tested though an earlier one is"),
        (Miscounted, "get_n_splits differs"),
        (Positional, "depends on the order of the rows"),
    ],
)
def test_broken_promises_are_found(cls, promise, spans):
    with pytest.raises(AssertionError, match=promise):
        check_splitter(cls(), spans)


def test_blocks_that_split_a_moment_are_refused_by_the_folds(spans):
    with pytest.raises(Exception, match="every row, of every symbol"):
        check_splitter(ByRow(), spans)


def test_something_else_is_not_a_splitter(spans):
    with pytest.raises(AssertionError, match="does not satisfy"):
        check_splitter(object(), spans)


def test_a_splitter_of_your_own_needs_test_blocks_only(spans):
    @dataclass(frozen=True)
    class LastThird(PurgedKFold):
        n_splits: int = 2

        def test_blocks(self, spans):
            timeline = Timeline.of(spans)
            count = len(timeline.moments)
            yield (timeline.rows_between(count // 3, 2 * count // 3),)
            yield (timeline.rows_between(2 * count // 3, count),)

    check_splitter(replace(LastThird(), embargo=1), spans)
