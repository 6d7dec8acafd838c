"""A window's value is its own: not of what came before it, and not of where the series began."""

from __future__ import annotations

import numpy as np
import pytest

from onward.kernels import rolling

STATISTICS = {
    "sum": rolling.rolling_sum,
    "mean": rolling.rolling_mean,
    "std": rolling.rolling_std,
    "zscore": rolling.rolling_zscore,
    "slope": rolling.rolling_slope,
    "rsquared": rolling.rolling_rsquared,
    "residual": rolling.rolling_residual,
    "skewness": lambda x, w: rolling.rolling_shape(x, w).skewness,
    "correlation": lambda x, w: rolling.rolling_correlation(x, rolling.lag(x, LAG) + np.sin(x), w),
    "rank": rolling.rolling_rank,
    "median": rolling.rolling_median,
    "max": rolling.rolling_max,
}
WINDOW = 48
LAG = 3


@pytest.fixture(scope="module")
def long_walk():
    generator = np.random.default_rng(5)
    return 60_000.0 + np.cumsum(generator.normal(0.0, 3.0, 720_000))


@pytest.mark.parametrize("name", STATISTICS)
def test_late_windows_equal_short_histories(name, long_walk):
    batch = STATISTICS[name](long_walk, WINDOW)
    for row in (700_000, 700_001, 719_999):
        latest = STATISTICS[name](long_walk[row + 1 - WINDOW - LAG : row + 1], WINDOW)[-1]
        scale = batch[row - 1_000 : row + 1].std()
        assert abs(latest - batch[row]) <= 1e-9 * scale, name


@pytest.mark.parametrize("name", STATISTICS)
def test_a_huge_value_leaves_nothing_behind(name):
    generator = np.random.default_rng(6)
    calm = generator.normal(100.0, 1.0, 1_000)
    shaken = calm.copy()
    shaken[[400, 431, 480]] = 1e15, -1e12, 1e60
    expected = STATISTICS[name](calm, WINDOW)
    found = STATISTICS[name](shaken, WINDOW)
    untouched = np.r_[WINDOW + LAG : 400, 480 + WINDOW + LAG : 1_000]
    scale = np.nanstd(expected)
    assert np.abs(found - expected)[untouched].max() <= 1e-9 * scale
    assert not np.allclose(found[480:500], expected[480:500]), "the huge value must have been seen"


@pytest.mark.parametrize("name", STATISTICS)
def test_an_unknown_value_hides_the_windows_that_hold_it_and_no_others(name):
    generator = np.random.default_rng(7)
    values = generator.normal(100.0, 1.0, 500)
    holed = values.copy()
    holed[[200, 230, 231]] = np.nan
    expected, found = STATISTICS[name](values, WINDOW), STATISTICS[name](holed, WINDOW)
    reach = LAG if name == "correlation" else 0
    assert np.isnan(found[200 : 231 + WINDOW + reach]).all()
    after = slice(231 + WINDOW + reach, None)
    np.testing.assert_allclose(found[after], expected[after], rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(found[:200], expected[:200])


@pytest.mark.parametrize("name", STATISTICS)
def test_truncation_changes_no_bit(name):
    values = np.random.default_rng(8).normal(100.0, 1.0, 500)
    whole = STATISTICS[name](values, WINDOW)
    for stop in (WINDOW, 333, 499):
        np.testing.assert_array_equal(STATISTICS[name](values[:stop], WINDOW), whole[:stop])


def test_shape_is_equal_to_the_last_bit_from_any_start():
    values = np.random.default_rng(9).normal(100.0, 1.0, 500)
    whole = rolling.rolling_shape(values, WINDOW)
    for start in (1, 17, 300):
        for late, early in zip(rolling.rolling_shape(values[start:], WINDOW), whole, strict=True):
            np.testing.assert_array_equal(late[WINDOW - 1 :], early[start + WINDOW - 1 :])


@pytest.mark.parametrize("window", [48, 720, 5_000])
def test_deviation_survives_an_anchor_far_from_the_rest(window):
    # The anchor of a block is the worst member possible when all others are alike.
    values = np.full(3 * window, 1.0)
    values[1::2] += 1e-6
    values[window] = 1e6
    found = rolling.rolling_std(values, window)
    part = values[window : 2 * window]
    assert found[2 * window - 1] == pytest.approx(part.std(ddof=1), rel=1e-9)
