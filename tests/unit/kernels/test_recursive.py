from __future__ import annotations

import numpy as np
import pytest
import talib

from onward.errors import ConfigError
from onward.kernels.recursive import ema, ema_lookback, wilder, wilder_lookback
from onward.kernels.reference.rolling import recursive_mean


@pytest.mark.parametrize("window", [1, 2, 14, 50])
def test_equal_their_definition(window):
    values = np.random.default_rng(0).normal(100.0, 1.0, 200)
    alpha = 2.0 / (window + 1.0)
    np.testing.assert_allclose(ema(values, window), recursive_mean(values, window, alpha), rtol=1e-12)
    np.testing.assert_allclose(
        wilder(values, window), recursive_mean(values, window, 1.0 / window), rtol=1e-12
    )


def test_ema_equals_talib():
    values = np.random.default_rng(1).normal(100.0, 1.0, 300)
    np.testing.assert_allclose(ema(values, 20), talib.EMA(values, 20), rtol=1e-12)


def test_wilder_of_the_true_range_is_talibs_average_true_range():
    generator = np.random.default_rng(2)
    close = 100.0 + np.cumsum(generator.normal(size=300))
    high, low = close + generator.random(300), close - generator.random(300)
    true_range = talib.TRANGE(high, low, close)
    np.testing.assert_allclose(wilder(true_range, 14), talib.ATR(high, low, close, 14), rtol=1e-12)


def test_a_hole_starts_a_new_run():
    values = np.random.default_rng(3).normal(size=100)
    values[40] = np.nan
    found = ema(values, 10)
    assert np.isnan(found[40:50]).all()
    np.testing.assert_array_equal(found[41:], ema(values[41:], 10))


@pytest.mark.parametrize("window", [2, 14, 50, 100])
def test_lookback_forgets_the_seed(window):
    for average, lookback in ((ema, ema_lookback(window)), (wilder, wilder_lookback(window))):
        values = 100.0 + np.cumsum(np.random.default_rng(window).normal(size=lookback + 1_000))
        whole, short = average(values, window), average(values[-lookback:], window)
        assert abs(whole[-1] - short[-1]) <= 1e-9
        start = values[-lookback:].copy()
        start[0] += 1.0
        assert abs(average(start, window)[-1] - short[-1]) <= 1e-10


def test_refuse_a_window_that_is_none():
    with pytest.raises(ConfigError, match="window"):
        ema(np.arange(5.0), 0)
