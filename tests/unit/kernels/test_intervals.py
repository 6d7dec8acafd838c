import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.intervals import (
    concurrency,
    concurrency_reference,
    overlaps_any,
    overlaps_any_reference,
    uniqueness_at,
    uniqueness_every,
    uniqueness_reference,
)

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"


def ints(*values):
    return np.array(values, dtype=np.int64)


@st.composite
def intervals(draw, smallest=0):
    start = np.array(draw(st.lists(st.integers(0, 40), min_size=smallest, max_size=25)), dtype=np.int64)
    length = [draw(st.one_of(st.integers(0, 3), st.integers(0, 40))) for _ in start]
    return start, start + np.array(length, dtype=np.int64)


@settings(deadline=None)
@given(intervals(), intervals())
def test_overlap_equals_comparing_every_pair(some, others):
    assert np.array_equal(overlaps_any(*some, *others), overlaps_any_reference(*some, *others))


def test_intervals_that_touch_overlap():
    assert overlaps_any(ints(0, 5), ints(2, 6), ints(3), ints(5)).tolist() == [False, True]
    assert overlaps_any(ints(0), ints(3), ints(3), ints(5)).tolist() == [True]


def test_the_longest_reaching_interval_counts_not_the_last_one():
    assert overlaps_any(ints(8), ints(9), ints(0, 1), ints(10, 2)).tolist() == [True]


def test_nothing_overlaps_with_nothing():
    assert overlaps_any(ints(1), ints(2), ints(), ints()).tolist() == [False]
    assert overlaps_any(ints(), ints(), ints(1), ints(2)).tolist() == []


@settings(deadline=None)
@given(intervals(smallest=1))
def test_concurrency_equals_counting(some):
    instants = np.arange(-1, 85, dtype=np.int64)
    assert np.array_equal(concurrency(*some, instants), concurrency_reference(*some, instants))


@settings(deadline=None)
@given(intervals(smallest=1), st.integers(1, 5))
def test_uniqueness_equals_averaging_instant_by_instant(some, step):
    start, end = some[0] * step, some[1] * step
    instants = np.arange(start.min(), end.max() + 1, step, dtype=np.int64)
    expected = uniqueness_reference(start, end, instants)
    np.testing.assert_allclose(uniqueness_at(start, end, instants), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(uniqueness_every(start, end, step), expected, rtol=0, atol=1e-12)


def test_an_interval_that_covers_no_instant_has_no_uniqueness():
    assert np.isnan(uniqueness_at(ints(3), ints(4), ints(0, 10))).all()
    assert len(uniqueness_every(ints(), ints(), 1)) == 0


def test_published_concurrency_and_uniqueness():
    case = json.loads((REFERENCES / "weights.json").read_text())["generated"]
    events = np.array(case["events"], dtype=np.int64)
    bars = np.arange(len(case["close"]), dtype=np.int64)
    assert concurrency(events[:, 0], events[:, 1], bars).tolist() == case["concurrency"]
    for uniqueness in (
        uniqueness_at(events[:, 0], events[:, 1], bars),
        uniqueness_every(events[:, 0], events[:, 1], 1),
    ):
        np.testing.assert_allclose(uniqueness, case["average_uniqueness"], rtol=0, atol=1e-9)


def test_prefix_sums_lose_nothing_on_long_histories():
    start = np.arange(400_000, dtype=np.int64)
    unique = uniqueness_every(start, start + 24, 1)
    np.testing.assert_allclose(unique[200_000:399_000], 1 / 25, rtol=0, atol=1e-10)
