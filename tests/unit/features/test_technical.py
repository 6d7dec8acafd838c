from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.technical_divergence import Divergence
from onward.features.manual.technical_levels import Levels
from onward.features.manual.technical_oscillators import Oscillators
from onward.features.manual.technical_trend import Trend
from tests.unit.features.manual_bars import assert_promises, changed, cut, sp500, thin, walk

FAMILIES = [Oscillators(), Trend(), Levels(), Divergence()]
DAY = 24 * 3_600_000_000_000


@pytest.mark.parametrize("make", [walk, thin])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_keeps_the_promises_of_a_family(family, make):
    # Wilder compares moves with moves and Quong prices with prices: on coarse ticks another unit
    # rounds ties another way.
    assert_promises(family, make(), scale_free=make is walk or family.name in ("levels", "divergence"))


def close_to(found, expected, name):
    known = ~np.isnan(expected)
    assert known.sum() > 200, name
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-8, atol=1e-8, err_msg=name)


def test_oscillators_equal_the_published_values():
    bars, talib = sp500()
    family = Oscillators(stochastic_window=14, williams_window=14, roc_windows=(10,))
    found = family.compute(bars)
    pairs = {
        "rsi_7": "RSI(7)",
        "rsi_14": "RSI(14)",
        "rsi_21": "RSI(21)",
        "stochastic_k_14": "STOCH(14,3,3)[k,d].0",
        "stochastic_d_14": "STOCH(14,3,3)[k,d].1",
        "williams_14": "WILLR(14)",
        "cci_20": "CCI(20)",
        "roc_10": "ROC(10)",
        "mfi_14": "MFI(14)",
    }
    assert set(pairs) == set(family.columns())
    for ours, theirs in pairs.items():
        close_to(found[ours], talib[theirs].to_numpy(), ours)


def test_trend_equals_the_published_values():
    bars, talib = sp500()
    found = Trend(aroon_window=14).compute(bars)
    for ours, theirs in {
        "adx_14": "ADX(14)",
        "plus_di_14": "PLUS_DI(14)",
        "minus_di_14": "MINUS_DI(14)",
        "aroon_14": "AROONOSC(14)",
    }.items():
        close_to(found[ours], talib[theirs].to_numpy(), ours)
    for i, ours in enumerate(("macd_line", "macd_signal", "macd_histogram")):
        close_to(found[ours] * bars.close, talib[f"MACD(12,26,9)[macd,signal,hist].{i}"].to_numpy(), ours)


def test_bands_equal_the_published_values():
    bars, talib = sp500()
    found = Levels(timeframe=DAY).compute(bars)
    top, middle, bottom = (talib[f"BBANDS(20,2,2)[up,mid,low].{i}"].to_numpy() for i in range(3))
    close_to(found["bollinger_position_20"], (bars.close - bottom) / (top - bottom), "position")
    close_to(found["bollinger_width_20"], (top - bottom) / middle, "width")


def test_efficiency_ratio_is_net_change_over_the_path():
    bars = walk(200)
    close = pd.Series(bars.close)
    expected = (close - close.shift(10)) / close.diff().abs().rolling(10).sum()
    np.testing.assert_allclose(Trend().compute(bars)["efficiency_10"], expected, rtol=1e-9)


def test_levels_stand_on_the_bars_before_the_row():
    bars = walk(400)
    high, low, close = (pd.Series(x) for x in (bars.high, bars.low, bars.close))
    found = Levels().compute(bars)
    top, bottom = high.shift(1).rolling(24).max(), low.shift(1).rolling(24).min()
    np.testing.assert_allclose(found["resistance_distance_24"], close / top - 1, rtol=1e-9)
    np.testing.assert_allclose(found["support_distance_24"], close / bottom - 1, rtol=1e-9)
    above = np.nan_to_num((close > top).to_numpy())
    assert above.any()
    assert (found["breakout_24"][above] > 0.0).all()
    inside = ((close <= top) & (close >= bottom)).to_numpy()
    assert (found["breakout_24"][inside] == 0.0).all()


def test_pivots_come_from_the_last_closed_day():
    bars = walk(24 * 5)
    found = Levels().compute(bars)
    day = slice(24, 48)
    high, low, close = bars.high[day].max(), bars.low[day].min(), bars.close[47]
    pivot = (high + low + close) / 3
    # The bar that opens at 23:00 is known at 00:00, when its own day has closed.
    for row in (47, 48, 60, 70):
        assert found["pivot_distance"][row] == pytest.approx(bars.close[row] / pivot - 1)
        assert found["resistance_1_distance"][row] == pytest.approx(bars.close[row] / (2 * pivot - low) - 1)
        assert found["support_1_distance"][row] == pytest.approx(bars.close[row] / (2 * pivot - high) - 1)
        assert found["resistance_2_distance"][row] == pytest.approx(
            bars.close[row] / (pivot + high - low) - 1
        )
        assert found["support_2_distance"][row] == pytest.approx(bars.close[row] / (pivot - high + low) - 1)
    assert np.isnan(found["pivot_distance"][:23]).all()
    assert found["pivot_distance"][71] != pytest.approx(bars.close[71] / pivot - 1)


def test_weekly_pivots_for_days_and_none_for_weeks():
    assert "pivot_distance" in Levels(timeframe=DAY).columns()
    assert "pivot_distance" not in Levels(timeframe=7 * DAY).columns()


def test_divergence_is_high_when_momentum_does_not_follow_the_price():
    rising_fast = np.linspace(0.0, 0.10, 40)
    then_slowly = 0.10 + np.cumsum(np.where(np.arange(40) % 2, -0.002, 0.0025))
    close = 100.0 * np.exp(
        np.concatenate([np.zeros(200) + np.arange(200) % 2 * 1e-4, rising_fast, then_slowly])
    )
    bars = cut(walk(len(close)), 0, len(close))
    object.__setattr__(bars, "close", close)
    found = Divergence(windows=(72,)).compute(bars)
    assert found["divergence_rsi_72"][-2] > 0.3
    assert np.nanmax(np.abs(found["divergence_rsi_72"])) <= 1.0


def test_cheap_coins_have_the_same_oscillators():
    bars = walk(600)
    cheap = changed(bars, open=1e-12, high=1e-12, low=1e-12, close=1e-12)
    for family in (Oscillators(), Trend()):
        dear = family.compute(bars)
        for name, values in family.compute(cheap).items():
            np.testing.assert_allclose(values, dear[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_flat_window_has_no_place_in_its_range():
    bars = thin()
    found = {**Oscillators().compute(bars), **Levels().compute(bars)}
    flat = slice(660, 700)
    for name in ("rsi_14", "stochastic_k_14", "williams_28", "cci_20", "mfi_14", "bollinger_position_20"):
        assert np.isnan(found[name][flat]).all(), name
        assert np.isfinite(found[name][720:760]).any(), name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Oscillators(rsi_windows=(1,)), "rsi_windows"),
        (lambda: Oscillators(roc_windows=(5, 5)), "roc_windows"),
        (lambda: Oscillators(cci_window=0), "cci_window"),
        (lambda: Trend(macd=(26, 12, 9)), "macd"),
        (lambda: Trend(macd=(12, 26)), "macd"),
        (lambda: Trend(adx_windows=(1.5,)), "adx_windows"),
        (lambda: Levels(windows=(0,)), "windows"),
        (lambda: Divergence(rsi_window=-3), "rsi_window"),
    ],
)
def test_windows_that_make_no_sense_are_refused(make, message):
    with pytest.raises(StageError, match=message):
        make()
