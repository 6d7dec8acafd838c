import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.kernels.forward.trends import largest_trend, largest_trend_reference

PRICES = st.lists(
    st.one_of(st.integers(-40, 40).map(lambda k: 100.0 + k / 4.0), st.just(np.nan)), max_size=20
)


@given(PRICES, st.integers(2, 5), st.integers(0, 6), st.integers(1, 4))
def test_trends_equal_fitting_every_window(prices, shortest, longer, step):
    price = np.array(prices, dtype=np.float64)
    fast = largest_trend(price, shortest, shortest + longer, step)
    slow = largest_trend_reference(price, shortest, shortest + longer, step)
    np.testing.assert_array_equal(np.isnan(fast[0]), np.isnan(slow[0]))
    np.testing.assert_allclose(np.abs(fast[0]), np.abs(slow[0]), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(fast[1] > 0, ~np.isnan(slow[0]))


def test_windows_and_values_on_real_walks():
    walk = np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, 500))) * 100.0
    for step in (1, 5):
        fast = largest_trend(walk, 3, 24, step)
        slow = largest_trend_reference(walk, 3, 24, step)
        np.testing.assert_allclose(fast[0], slow[0], rtol=1e-8)
        np.testing.assert_array_equal(fast[1], slow[1])
        assert set((24 - fast[1][:476]) % step) == {0}


def test_the_t_value_is_that_of_least_squares():
    price = np.array([1.0, 2.0, 2.0, 4.0, 5.0])
    from scipy.stats import linregress

    fit = linregress(np.arange(5), price)
    t_value, window = largest_trend(price, 4, 4, 1)
    assert t_value[0] == pytest.approx(fit.slope / fit.stderr, rel=1e-12)
    assert window.tolist() == [4, 0, 0, 0, 0]


def test_a_straight_line_is_a_strong_trend_and_a_flat_one_none():
    up = largest_trend(np.arange(6.0), 2, 3, 1)[0]
    assert (up[:3] > 1e5).all()
    assert (largest_trend(-np.arange(6.0), 2, 3, 1)[0][:3] < -1e5).all()
    assert largest_trend(np.full(6, 0.1), 2, 3, 1)[0][:3].tolist() == [0.0, 0.0, 0.0]


def test_a_price_far_from_zero_costs_no_digits():
    walk = np.cumsum(np.random.default_rng(2).normal(0.0, 1.0, 100))
    near, far = largest_trend(walk, 3, 12, 1)[0], largest_trend(walk + 1e8, 3, 12, 1)[0]
    np.testing.assert_allclose(far[:88], near[:88], rtol=1e-5)
