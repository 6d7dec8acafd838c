from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onward.errors import StageError
from onward.features.manual.price import Price
from tests.unit.features.manual_bars import assert_promises, cut, frozen, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(Price(), make())


def test_candle_shares_by_hand():
    bars = frozen(
        replace(
            cut(walk(3), 0, 3),
            open=np.array([10.0, 12.0, 13.0]),
            high=np.array([13.0, 13.0, 13.0]),
            low=np.array([9.0, 11.0, 13.0]),
            close=np.array([12.0, 11.5, 13.0]),
        )
    )
    found = Price().compute(bars)
    np.testing.assert_allclose(found["body"], [0.2, -0.5 / 12.0, 0.0])
    np.testing.assert_allclose(found["range"], [0.4, 2.0 / 12.0, 0.0])
    np.testing.assert_allclose(found["body_share"], [0.5, -0.25, 0.0])
    np.testing.assert_allclose(found["upper_shadow_share"], [0.25, 0.5, 0.0])
    np.testing.assert_allclose(found["lower_shadow_share"], [0.25, 0.25, 0.0])
    np.testing.assert_allclose(found["close_location"], [0.5, -0.5, 0.0])
    np.testing.assert_allclose(found["gap"], [np.nan, 0.0, np.log(13.0 / 11.5)])
    np.testing.assert_array_equal(found["inside_bar"], [np.nan, 1.0, 1.0])
    np.testing.assert_array_equal(found["outside_bar"], [np.nan, 0.0, 0.0])


def test_shares_of_a_candle_add_up():
    found = Price().compute(walk(500))
    total = np.abs(found["body_share"]) + found["upper_shadow_share"] + found["lower_shadow_share"]
    np.testing.assert_allclose(total, 1.0, rtol=1e-9)


def test_body_share_and_engulfing_equal_talib():
    bars, talib = sp500()
    found = Price().compute(bars)
    np.testing.assert_allclose(found["body_share"], talib["BOP"], rtol=1e-8)
    assert (talib["CDLENGULFING"] != 0).sum() > 10
    # TA-Lib has no opinion on the first two bars, and gives 80 where one end coincides.
    np.testing.assert_array_equal(found["engulfing"][2:], np.sign(talib["CDLENGULFING"][2:]))


def test_place_in_the_range_and_age_of_its_ends():
    bars = walk(300)
    found = Price(windows=(20,)).compute(bars)
    for row in (25, 140, 299):
        part = slice(row - 19, row + 1)
        high, low = bars.high[part], bars.low[part]
        place = (bars.close[row] - low.min()) / (high.max() - low.min())
        assert found["range_position_20"][row] == pytest.approx(place)
        assert found["high_age_20"][row] == pytest.approx((19 - high.argmax()) / 19)
        assert found["low_age_20"][row] == pytest.approx((19 - low.argmin()) / 19)
        assert found["high_distance_20"][row] == pytest.approx(bars.close[row] / high.max() - 1.0)
    assert np.isnan(found["range_position_20"][:19]).all()


def test_flat_window_puts_the_close_in_the_middle():
    flat = np.full(60, 5.0)
    bars = frozen(replace(walk(60), open=flat, high=flat.copy(), low=flat.copy(), close=flat.copy()))
    found = Price(windows=(20,)).compute(bars)
    assert (found["range_position_20"][19:] == 0.5).all()
    assert (found["body_share"] == 0.0).all()


@pytest.mark.parametrize("windows", [(1,), (0,), (20, 20), (2.5,), ("20",), (True,)])
def test_refuses_windows_that_are_none(windows):
    with pytest.raises(StageError, match="windows") as caught:
        Price(windows=windows)
    assert caught.value.got == repr(windows)
