from __future__ import annotations

import numpy as np
import pytest

from onward.errors import StageError
from onward.features.manual.moving_average import MovingAverage
from tests.unit.features.manual_bars import assert_promises, cut, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(MovingAverage(), make(4_000))


def test_averages_equal_talib():
    bars, talib = sp500()
    family = MovingAverage(simple_windows=(10, 20, 50), exponential_windows=(10, 20, 50))
    found = family.compute(bars)
    for window in (10, 20, 50):
        for column, name in (("sma_ratio", "SMA"), ("ema_ratio", "EMA")):
            average = bars.close / (found[f"{column}_{window}"] + 1.0)
            np.testing.assert_allclose(average, talib[f"{name}({window})"], rtol=1e-8, err_msg=name)
    for column, name in (("wma_ratio_20", "WMA(20)"), ("dema_ratio_20", "DEMA(20)")):
        average = bars.close / (found[column] + 1.0)
        np.testing.assert_allclose(average, talib[name], rtol=1e-8, err_msg=name)


def test_crosses_are_averages_by_averages():
    bars, talib = sp500()
    found = MovingAverage(simple_crosses=((10, 50),), exponential_crosses=((20, 50),)).compute(bars)
    np.testing.assert_allclose(
        found["sma_cross_10_50"], talib["SMA(10)"] / talib["SMA(50)"] - 1.0, rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        found["ema_cross_20_50"], talib["EMA(20)"] / talib["EMA(50)"] - 1.0, rtol=1e-6, atol=1e-9
    )


def test_slope_is_the_change_of_the_average_a_bar():
    bars, talib = sp500()
    found = MovingAverage(slope_windows=(20,)).compute(bars)
    log = np.log(talib["SMA(20)"])
    np.testing.assert_allclose(found["sma_slope_20"], log.diff(5) / 5, rtol=1e-6, atol=1e-10)


def test_recursions_count_their_warm_up_in():
    family = MovingAverage(exponential_windows=(26,), simple_windows=(20,), double_windows=())
    bars = walk(3_000)
    batch = family.compute(bars)["ema_ratio_26"]
    short = family.compute(cut(bars, 3_000 - 60, 3_000))["ema_ratio_26"]
    assert abs(short[-1] - batch[-1]) > 1e-6, "60 bars are not enough, or this test shows nothing"
    assert family.lookback(bars.timeframe) > 12 * 27


@pytest.mark.parametrize(
    "options", [{"simple_windows": (1,)}, {"simple_crosses": ((5, 20), (5, 20))}, {"slope_windows": (0,)}]
)
def test_refuses_windows_that_are_none(options):
    with pytest.raises(StageError, match=next(iter(options))):
        MovingAverage(**options)
