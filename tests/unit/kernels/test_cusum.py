import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onward.kernels.cusum import cusum, cusum_reference

VALUES = st.one_of(st.integers(-8, 8).map(float), st.just(np.nan))
THRESHOLDS = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 3.0, 6.0]), st.just(np.nan))


@given(st.lists(st.tuples(VALUES, THRESHOLDS), max_size=30))
def test_events_equal_the_definition(rows):
    values = np.array([value for value, _ in rows], dtype=np.float64)
    threshold = np.array([border for _, border in rows], dtype=np.float64)
    np.testing.assert_array_equal(cusum(values, threshold), cusum_reference(values, threshold))


def test_a_move_across_a_hole_counts_in_full():
    values = np.array([0.0, np.nan, 2.0, np.nan])
    assert cusum(values, np.full(4, 1.0)).tolist() == [False, False, True, False]


def test_sums_begin_when_the_threshold_is_known():
    values = np.array([0.0, 5.0, 10.0, 11.0, 12.5])
    threshold = np.array([np.nan, np.nan, np.nan, 2.0, 2.0])
    assert cusum(values, threshold).tolist() == [False, False, False, False, True]
