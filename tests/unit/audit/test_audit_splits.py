"""Overlap against brute force; rows and copies on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.audit.report import Ledger
from onward.audit.splits import check_duplicates, first_overlap
from onward.audit.world import PipelineWorld
from onward.types import Spans


def spans_of(pairs):
    start = np.array([s for s, _ in pairs], dtype=np.int64)
    end = start + np.array([length for _, length in pairs], dtype=np.int64)
    return Spans(pd.RangeIndex(len(pairs)), start, end)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=2, max_size=24),
    st.randoms(use_true_random=False),
)
def test_overlap_equals_brute_force(pairs, random):
    spans = spans_of(pairs)
    rows = list(range(len(pairs)))
    random.shuffle(rows)
    cut = random.randrange(1, len(rows))
    train, test = np.array(rows[:cut]), np.array(rows[cut:])
    touching = [
        int(i)
        for i in train
        if any(spans.start[j] <= spans.end[i] and spans.end[j] >= spans.start[i] for j in test)
    ]
    found = first_overlap(spans, train, test)
    if not touching:
        assert found is None
        return
    assert found is not None
    n_rows, learner, tested = found
    assert (n_rows, learner) == (len(touching), touching[0])
    assert tested in test
    assert spans.start[tested] <= spans.end[learner]
    assert spans.end[tested] >= spans.start[learner]


def test_spans_that_touch_in_one_instant_overlap():
    assert first_overlap(spans_of([(0, 5), (5, 5)]), np.array([0]), np.array([1])) is not None
    assert first_overlap(spans_of([(0, 5), (6, 5)]), np.array([0]), np.array([1])) is None
    nothing = np.array([], dtype=np.int64)
    assert first_overlap(spans_of([(0, 5)]), np.array([0]), nothing) is None


def duplicates(X, outcome, train, test):
    n = len(X)
    world = PipelineWorld(
        np.asarray(X, float),
        np.zeros(n),
        np.asarray(outcome, float),
        spans_of([(10 * i, 1) for i in range(n)]),
        ((np.array(train), np.array(test)),),
    )
    ledger = Ledger()
    check_duplicates(world, world.folds, (), ledger)
    return list(ledger.findings.values())


def test_a_row_on_both_sides_is_a_leak():
    (finding,) = duplicates([[1], [2], [3]], [0.1, 0.2, 0.3], [0, 1], [1, 2])
    assert (finding.severity, finding.row) == ("leak", "1")


def test_copies_are_a_leak_and_coarse_features_a_warning():
    (copy,) = duplicates([[1], [2], [1]], [0.1, 0.2, 0.1], [0, 1], [2])
    assert copy.severity == "leak"
    assert "same forward return" in copy.detail
    (coarse,) = duplicates([[1], [2], [1]], [0.1, 0.2, 0.3], [0, 1], [2])
    assert coarse.severity == "warning"


def test_rows_without_any_value_are_no_copies():
    assert duplicates([[np.nan], [2], [np.nan]], [0.1, 0.2, 0.1], [0, 1], [2]) == []
    assert duplicates([[1.0], [2], [3]], [0.1, 0.2, 0.1], [0, 1], [2]) == []
