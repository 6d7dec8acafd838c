import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.forward import (
    UNKNOWN_TIME,
    forward_log_return,
    forward_log_return_reference,
    forward_time,
)

PRICES = st.lists(
    st.one_of(st.floats(0.01, 1e6), st.sampled_from([np.nan, np.inf, 0.0, -1.0])), min_size=0, max_size=30
)


@settings(deadline=None)
@given(PRICES, st.integers(1, 40))
def test_returns_equal_going_row_by_row(prices, horizon):
    price = np.array(prices, dtype=np.float64)
    np.testing.assert_array_equal(
        forward_log_return(price, horizon), forward_log_return_reference(price, horizon)
    )


def test_returns_are_logarithms_of_price_ratios():
    out = forward_log_return(np.array([1.0, 2.0, 4.0, 1.0]), 2)
    assert out[:2] == pytest.approx([np.log(4.0), np.log(0.5)])
    assert np.isnan(out[2:]).all()


def test_times_count_bars_across_gaps():
    out = forward_time(np.array([0, 10, 90, 100], dtype=np.int64), 2)
    assert out.tolist() == [90, 100, UNKNOWN_TIME, UNKNOWN_TIME]


@pytest.mark.parametrize("horizon", [3, 4, 100])
def test_a_horizon_beyond_the_data_knows_nothing(horizon):
    assert np.isnan(forward_log_return(np.ones(3), horizon)).all()
    assert (forward_time(np.arange(3, dtype=np.int64), horizon) == UNKNOWN_TIME).all()
