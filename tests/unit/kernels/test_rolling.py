from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import ConfigError, DataError
from onward.kernels import rolling
from onward.kernels.reference import rolling as reference

each = reference.each_window

NUMBER = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e-9, 1e9]),
    st.just(float("nan")),
)
SERIES = st.lists(NUMBER, max_size=70).map(lambda x: np.array(x, dtype=np.float64))
WINDOW = st.integers(2, 12)


def reach(values, window):
    """Largest distance between two values of each window: what rounding is measured against."""
    return each(values, window, lambda part: float(part.max() - part.min()))


def assert_close(found, expected, allowed):
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    known = ~np.isnan(expected)
    assert (np.abs(found - expected)[known] <= np.broadcast_to(allowed, found.shape)[known]).all()


@given(SERIES, WINDOW)
@settings(deadline=None, max_examples=150)
def test_moments_equal_their_definition(values, window):
    size = each(values, window, lambda part: float(np.abs(part).max()))
    spread = reach(values, window)
    assert_close(rolling.rolling_sum(values, window), each(values, window, np.sum), 1e-12 * window * size)
    assert_close(rolling.rolling_mean(values, window), each(values, window, reference.mean), 1e-12 * size)
    for ddof in (0, 1):
        expected = each(values, window, lambda part, ddof=ddof: reference.std(part, ddof))
        assert_close(rolling.rolling_std(values, window, ddof), expected, 1e-12 * spread)


@given(SERIES, WINDOW)
@settings(deadline=None, max_examples=150)
def test_lines_equal_their_definition(values, window):
    spread = reach(values, window)
    found = rolling.rolling_regression(values, window)
    expected = [each(values, window, lambda part, k=k: reference.regression(part)[k]) for k in range(3)]
    # Where a window is flat ours is exactly 0; the definition leaves a rounding of the level.
    allowed = 1e-11 * spread + 1e-15 * each(values, window, lambda part: float(np.abs(part).max()))
    assert_close(found.slope, expected[0], allowed)
    assert_close(found.residual, expected[2], allowed)
    # A window whose spread is a rounding of its level has no determination worth comparing.
    real = spread > 1e-7 * each(values, window, lambda part: float(np.abs(part).max()))
    assert_close(found.rsquared[real], expected[1][real], 1e-8)


@given(SERIES, WINDOW)
@settings(deadline=None, max_examples=150)
def test_order_statistics_equal_their_definition(values, window):
    maximum, highest_at = rolling.rolling_maximum(values, window)
    minimum, lowest_at = rolling.rolling_minimum(values, window)
    np.testing.assert_array_equal(maximum, each(values, window, np.max))
    np.testing.assert_array_equal(minimum, each(values, window, np.min))
    np.testing.assert_array_equal(highest_at, each(values, window, reference.argmax))
    np.testing.assert_array_equal(lowest_at, each(values, window, reference.argmin))
    rank, quantiles = rolling.rolling_rank_and_quantiles(values, window, (0.0, 0.2, 0.5, 0.8, 1.0))
    np.testing.assert_allclose(rank, each(values, window, reference.rank), rtol=1e-12)
    for k, probability in enumerate((0.0, 0.2, 0.5, 0.8, 1.0)):
        expected = each(values, window, lambda part, p=probability: reference.quantile(part, p))
        assert_close(quantiles[k], expected, 1e-12 * reach(values, window) + 1e-300)


@given(SERIES, WINDOW)
@settings(deadline=None, max_examples=100)
def test_shape_equals_its_definition(values, window):
    found = rolling.rolling_shape(values, window)
    expected = [each(values, window, lambda part, k=k: reference.shape(part)[k]) for k in range(3)]
    spread = reach(values, window)
    assert_close(found.variance, expected[0], 1e-11 * spread**2)
    level = each(values, window, lambda part: float(np.abs(part).max()))
    real = (spread > 1e-7 * level) & (spread > 1e-60)
    assert_close(found.skewness[real], expected[1][real], 1e-7)
    assert_close(found.kurtosis[real], expected[2][real], 1e-6)


@given(SERIES, WINDOW, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=100)
def test_correlation_and_beta_equal_their_definition(x, window, seed):
    y = np.random.default_rng(seed).normal(size=len(x))
    spread = reach(x, window)
    sized = each(x, window, lambda part: float(np.abs(part).max()))
    real = (spread > 1e-7 * sized) & (spread > 1e-100)
    expected = np.full(len(x), np.nan)
    for row in np.flatnonzero(real):
        part = slice(row - window + 1, row + 1)
        expected[row] = reference.correlation(x[part], y[part])
    found = rolling.rolling_correlation(x, y, window)
    assert_close(found[real], expected[real], 1e-8)
    beta = rolling.rolling_beta(y, x, window)
    ratio = rolling.rolling_std(y, window) / np.where(real, rolling.rolling_std(x, window), np.nan)
    assert_close(beta[real], (expected * ratio)[real], 1e-7 * ratio[real])


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan]), max_size=40), WINDOW)
@settings(deadline=None, max_examples=100)
def test_counts_and_streaks_equal_their_definition(condition, window):
    values = np.array(condition, dtype=np.float64)
    np.testing.assert_array_equal(rolling.rolling_count(values, window), each(values, window, np.sum))
    np.testing.assert_array_equal(rolling.streak(values, window), each(values, window, reference.streak))


def test_pandas_agrees_on_a_walk():
    values = np.cumsum(np.random.default_rng(0).normal(size=500))
    frame = pd.Series(values)
    for window in (2, 7, 60, 499, 500):
        mine = rolling.rolling_moments(values, window)
        np.testing.assert_allclose(mine[0], frame.rolling(window).mean(), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(mine[1], frame.rolling(window).std(), rtol=1e-9, atol=1e-8)
        np.testing.assert_allclose(
            rolling.rolling_median(values, window), frame.rolling(window).median(), rtol=1e-12
        )
        mean, deviation = mine
        np.testing.assert_allclose(rolling.rolling_zscore(values, window), (values - mean) / deviation)


def test_ties_rank_at_their_average_and_the_oldest_extreme_counts():
    values = np.array([2.0, 1.0, 2.0, 2.0])
    assert rolling.rolling_rank(values, 4)[-1] == (1 + 0.5 * (3 + 1)) / 4
    assert rolling.rolling_argmax(values, 4)[-1] == 0.0
    assert rolling.rolling_argmin(values, 3)[-1] == 0.0


def test_flat_windows():
    values = np.full(30, 1.0 / 3.0)
    mean, deviation = rolling.rolling_moments(values, 7)
    assert (mean[6:] == 1.0 / 3.0).all()
    assert (deviation[6:] == 0.0).all()
    assert np.isnan(rolling.rolling_zscore(values, 7)).all()
    assert np.isnan(rolling.rolling_correlation(values, np.arange(30.0), 7)).all()
    assert np.isnan(rolling.rolling_rsquared(values, 7)).all()
    assert (rolling.rolling_slope(values, 7)[6:] == 0.0).all()


def test_lag_and_difference():
    values = np.array([1.0, 4.0, 9.0])
    np.testing.assert_array_equal(rolling.lag(values, 1), [np.nan, 1.0, 4.0])
    np.testing.assert_array_equal(rolling.lag(values, 0), values)
    np.testing.assert_array_equal(rolling.lag(values, 9), [np.nan] * 3)
    np.testing.assert_array_equal(rolling.difference(values, 2), [np.nan, np.nan, 8.0])


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_series_shorter_than_the_window_are_not_known(values):
    for function in (rolling.rolling_sum, rolling.rolling_std, rolling.rolling_max, rolling.rolling_rank):
        found = function(np.array(values), 3)
        assert found.shape == (len(values),)
        assert np.isnan(found).all()


def test_input_kinds_share_one_compiled_kernel_and_stay_untouched():
    from onward.kernels.rolling_blocks import block_sum

    values = np.arange(10.0)
    locked = values.copy()
    locked.flags.writeable = False
    expected = rolling.rolling_sum(values, 3)
    before = len(block_sum.signatures)
    for other in (
        locked,
        np.arange(20.0)[::2] / 2.0,
        pd.Series(values),
        range(10),
        values.astype(np.float32),
    ):
        np.testing.assert_array_equal(rolling.rolling_sum(other, 3), expected)
    assert len(block_sum.signatures) == before == 1
    np.testing.assert_array_equal(values, np.arange(10.0))
    assert values.flags.writeable


@pytest.mark.parametrize("window", [0, -3, 2.0, "5", None, True])
def test_refuses_a_window_that_is_none(window):
    with pytest.raises(ConfigError, match="window") as caught:
        rolling.rolling_sum(np.arange(5.0), window)
    assert repr(window) in str(caught.value)


def test_refuses_a_window_without_degrees_of_freedom():
    with pytest.raises(ConfigError, match="at least 2"):
        rolling.rolling_std(np.arange(5.0), 1)
    with pytest.raises(ConfigError, match="at least 2"):
        rolling.rolling_slope(np.arange(5.0), 1)


def test_refuses_what_is_no_series():
    with pytest.raises(DataError, match="one dimension"):
        rolling.rolling_sum(np.ones((3, 2)), 2)
    with pytest.raises(DataError, match="one dimension"):
        rolling.rolling_sum(3.0, 2)
    with pytest.raises(DataError, match="not numbers"):
        rolling.rolling_sum(["a", "b"], 2)
    with pytest.raises(DataError, match="differ in length"):
        rolling.rolling_correlation(np.ones(3), np.ones(4), 2)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_refuses_a_probability_that_is_none(probability):
    with pytest.raises(ConfigError, match="0 to 1"):
        rolling.rolling_quantile(np.arange(5.0), 2, probability)
