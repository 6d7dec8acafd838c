"""The rule of training rows against the rule as it is worded, on layouts that nobody would choose."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import SplitError
from onward.splits import (
    CombinatorialPurgedKFold,
    PurgedKFold,
    WalkForward,
    require_training_rows,
    training_rows,
)
from onward.splits.folds import cut_folds, ended_before, outside
from onward.testing.splitters import brute_force_training_rows, check_splitter
from onward.types import Fold, Spans, from_ns

HOUR = 3_600_000_000_000


def rows(*values):
    return np.array(values, dtype=np.int64)


def spans_of(start, end, symbols=None):
    start, end = np.array(start, dtype=np.int64) * HOUR, np.array(end, dtype=np.int64) * HOUR
    names = ["A"] * len(start) if symbols is None else symbols
    index = pd.MultiIndex.from_arrays([names, from_ns(start - HOUR)], names=["symbol", "open_time"])
    return Spans(index, start, end)


@st.composite
def layouts(draw, most=90):
    """Spans of one to three symbols, with gaps and labels of any length, in panel order."""
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 7, 60]), min_size=12, max_size=most))
    grid = np.cumsum(steps)
    start, end, names = [], [], []
    for symbol in "ABC"[: draw(st.integers(1, 3))]:
        present = draw(st.integers(0, 3))
        for number, moment in enumerate(grid.tolist()):
            if (number + present) % 4 or symbol == "A":
                length = draw(st.one_of(st.just(3), st.integers(0, 12), st.sampled_from([0, 200])))
                start.append(moment)
                end.append(moment + length)
                names.append(symbol)
    return spans_of(start, end, names)


EMBARGOES = st.sampled_from([None, 0, 1, 5, "90min", pd.Timedelta("2h")])


@settings(max_examples=60, deadline=None)
@given(layouts(), st.integers(2, 8), EMBARGOES)
def test_purged_k_fold_equals_brute_force(spans, n_splits, embargo):
    check_splitter(PurgedKFold(n_splits, embargo=embargo), spans)


@settings(max_examples=60, deadline=None)
@given(
    layouts(),
    st.integers(1, 6),
    st.sampled_from([0, 2, "90min"]),
    st.sampled_from([None, 1, 5, "4h"]),
)
def test_walk_forward_equals_brute_force(spans, n_splits, embargo, window):
    check_splitter(WalkForward(n_splits, embargo=embargo, window=window), spans)


@settings(max_examples=40, deadline=None)
@given(layouts(), st.sampled_from([1, 3, 4, "3h", "9h"]), st.sampled_from([None, 2, "5h"]))
def test_walk_forward_by_step_equals_brute_force(spans, step, initial):
    check_splitter(WalkForward(step=step, initial=initial), spans)


@settings(max_examples=20, deadline=None)
@given(layouts(), st.integers(2, 5), EMBARGOES)
def test_combinatorial_equals_brute_force(spans, n_groups, embargo):
    check_splitter(CombinatorialPurgedKFold(n_groups, max(1, n_groups - 2), embargo=embargo), spans)


@settings(max_examples=10, deadline=None)
@given(layouts(most=140), st.integers(9, 60), EMBARGOES)
def test_many_short_folds_equal_brute_force(spans, n_splits, embargo):
    n_splits = min(n_splits, len(np.unique(spans.start)))
    check_splitter(PurgedKFold(n_splits, embargo=embargo), spans, nested=False)


@settings(max_examples=60, deadline=None)
@given(layouts(most=40), st.data())
def test_training_rows_for_any_blocks_equal_brute_force(spans, data):
    moments = np.unique(spans.start)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(moments)), min_size=2, max_size=6)))
    blocks = []
    for first, last in zip(cuts[::2], cuts[1::2], strict=False):
        inside = (spans.start >= moments[first]) & (spans.start <= moments[last - 1])
        blocks.append(np.flatnonzero(inside))
    embargo = data.draw(st.integers(0, 5)) * HOUR
    candidates = outside(spans, blocks)
    expected = brute_force_training_rows(spans, blocks, candidates, embargo)
    assert np.array_equal(training_rows(spans, blocks, candidates, embargo), expected)
    backwards = training_rows(spans, blocks, candidates[::-1], embargo)
    assert np.array_equal(backwards, expected)


def test_a_label_that_touches_the_test_block_is_removed():
    spans = spans_of([0, 1, 2, 3], [1, 2, 3, 4])
    assert training_rows(spans, [rows(2)], rows(0, 1, 3), 0).tolist() == [0]
    shorter = spans_of([0, 2, 4, 6], [1, 3, 5, 7])
    assert training_rows(shorter, [rows(2)], rows(0, 1, 3), 0).tolist() == [0, 1, 3]


def test_the_longest_test_label_decides_not_the_last_one():
    spans = spans_of([0, 1, 2, 3, 4, 5], [4, 1, 2, 3, 4, 5])
    assert training_rows(spans, [rows(0, 1)], rows(2, 3, 4, 5), 0).tolist() == [5]


def test_purging_works_at_the_end_of_the_data():
    spans = spans_of([0, 1, 2, 3], [0, 3, 2, 3])
    assert training_rows(spans, [rows(3)], rows(0, 1, 2), 0).tolist() == [0, 2]


def test_the_embargo_counts_from_the_maximum_label_end_and_includes_its_last_moment():
    spans = spans_of(range(10), [2, 5, *range(2, 10)])
    kept = training_rows(spans, [rows(0, 1)], np.arange(2, 10), 2 * HOUR)
    assert kept.tolist() == [8, 9]


def test_there_is_no_embargo_before_a_block():
    spans = spans_of(range(6), range(6))
    assert training_rows(spans, [rows(4, 5)], np.arange(4), 100 * HOUR).tolist() == [0, 1, 2, 3]


def test_without_candidates_or_test_rows_nothing_is_removed():
    spans = spans_of(range(3), range(3))
    assert training_rows(spans, [rows(0)], rows(), 0).tolist() == []
    assert training_rows(spans, [], rows(2, 1), 0).tolist() == [1, 2]


def test_the_past_ends_strictly_before_the_first_test_decision():
    spans = spans_of(range(6), [1, 2, 4, 4, 5, 6])
    assert ended_before(spans, [rows(4)], 0).tolist() == [0, 1]
    assert ended_before(spans, [rows(4)], HOUR).tolist() == [0, 1]
    assert ended_before(spans, [rows(4)], 2 * HOUR).tolist() == [0]
    assert ended_before(spans, [rows(0)], 0).tolist() == []


def test_panels_are_purged_across_symbols():
    spans = spans_of([0, 1, 2, 3] * 2, [0, 2, 2, 3, 0, 1, 2, 3], ["A"] * 4 + ["B"] * 4)
    fold = PurgedKFold(2, embargo=0).folds(spans)[1]
    assert fold.test.tolist() == [2, 3, 6, 7]
    assert fold.train.tolist() == [0, 4, 5]


def test_an_inner_block_may_straddle_the_hole_of_an_outer_one():
    spans = spans_of(range(40), [min(i + 2, 39) for i in range(40)])
    outer = PurgedKFold(5).folds(spans)[2]
    inside = spans.take(outer.train)
    assert set(inside.start // HOUR) == {*range(14), *range(28, 40)}
    inner = PurgedKFold(3, embargo=1).folds(inside)[1]
    hours = inside.start // HOUR
    assert hours[inner.test].tolist() == [9, 10, 11, 12, 13, 28, 29, 30, 31]
    assert hours[inner.train].tolist() == [*range(7), *range(35, 40)]


def test_a_number_of_bars_is_not_stretched_by_a_hole():
    spans = spans_of([*range(10), *range(100, 110)], [*range(10), *range(100, 110)])
    assert PurgedKFold(2, embargo=3).folds(spans)[0].train.tolist() == list(range(10, 20))


def test_the_default_embargo_is_the_longest_span():
    spans = spans_of(range(20), [i + (4 if i == 3 else 1) for i in range(20)])
    default = PurgedKFold(4).folds(spans)
    given = PurgedKFold(4, embargo=4).folds(spans)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(default, given, strict=True))


@pytest.mark.parametrize(
    ("blocks", "what"),
    [
        ([], "tests nothing"),
        ([[]], "tests nothing"),
        ([[0], []], "tests nothing"),
        ([[9, 10]], "reaches outside"),
        ([[-1, 0]], "reaches outside"),
        ([[0, 2]], "has holes"),
        ([[0, 0, 1]], "has holes"),
        ([[0, 1], [1, 2]], "shares rows"),
    ],
)
def test_blocks_that_are_not_blocks_are_refused(blocks, what):
    spans = spans_of(range(10), range(10))
    with pytest.raises(SplitError, match=what) as caught:
        list(cut_folds(spans, [[rows(*block) for block in blocks]], embargo=0))
    assert caught.value.remedy


def test_half_a_moment_is_not_a_block():
    spans = spans_of([0, 1, 0, 1], [0, 1, 0, 1], ["A", "A", "B", "B"])
    with pytest.raises(SplitError, match="every row, of every symbol"):
        list(cut_folds(spans, [[rows(0, 1)]], embargo=0))


def test_folds_without_training_rows_are_refused_on_request():
    spans = spans_of([0, 1, 2, 3], [3, 3, 3, 3])
    folds = PurgedKFold(2).folds(spans)
    assert [len(fold.train) for fold in folds] == [0, 0]
    with pytest.raises(SplitError, match="leaves fold 0 too few training rows"):
        require_training_rows(folds)
    require_training_rows([Fold(0, rows(1), rows(0))])
    with pytest.raises(SplitError, match="at least 2"):
        require_training_rows([Fold(0, rows(1), rows(0))], at_least=2)
