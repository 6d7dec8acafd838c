from __future__ import annotations

import numpy as np
import pytest
import talib

from onward.errors import ConfigError, DataError
from onward.features.manual.talib_segments import talib_indicator, talib_indicators
from tests.unit.features.manual_bars import walk


def test_equals_talib_without_holes():
    bars = walk(300)
    found = talib_indicators("MACD", bars.close, fastperiod=12, slowperiod=26, signalperiod=9)
    expected = talib.MACD(bars.close, 12, 26, 9)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_one_unknown_value_does_not_poison_what_follows():
    close = walk(300).close.copy()
    close[100] = np.nan
    assert np.isnan(talib.EMA(close, 10)[101:]).all(), "this is what TA-Lib does on its own"
    found = talib_indicator("EMA", close, timeperiod=10)
    np.testing.assert_array_equal(found[:100], talib.EMA(close[:100], 10))
    np.testing.assert_array_equal(found[101:], talib.EMA(close[101:].copy(), 10))
    assert np.isnan(found[100])


def test_a_hole_in_any_input_cuts_all():
    bars = walk(300)
    low = bars.low.copy()
    low[[50, 51, 200]] = np.nan
    found = talib_indicator("ATR", bars.high, low, bars.close, timeperiod=14)
    piece = talib.ATR(bars.high[52:200].copy(), low[52:200].copy(), bars.close[52:200].copy(), 14)
    np.testing.assert_array_equal(found[52:200], piece)
    assert np.isnan(found[[50, 51, 200]]).all()


@pytest.mark.parametrize("n", [0, 1, 13, 14])
def test_short_and_empty_series(n):
    assert len(talib_indicator("RSI", np.arange(float(n)), timeperiod=14)) == n
    assert len(talib_indicators("BBANDS", np.full(n, np.nan), timeperiod=5)) == 3


def test_integer_outputs_become_float():
    bars = walk(100)
    found = talib_indicator("CDLENGULFING", bars.open, bars.high, bars.low, bars.close)
    assert found.dtype == np.float64


def test_unknown_function_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean EMA"):
        talib_indicator("EMAA", np.arange(5.0))
    with pytest.raises(ConfigError, match="no such function"):
        talib_indicator("get_functions", np.arange(5.0))


@pytest.mark.parametrize("parameters", [{"timeperiod": 0}, {"period": 3}, {"timeperiod": "x"}])
def test_refused_parameters_are_named(parameters):
    with pytest.raises(ConfigError, match="refused") as caught:
        talib_indicator("EMA", np.arange(30.0), **parameters)
    assert str(parameters) in str(caught.value)


def test_inputs_of_unequal_length():
    with pytest.raises(DataError, match="differ in length"):
        talib_indicator("ATR", np.arange(5.0), np.arange(5.0), np.arange(4.0), timeperiod=3)
    with pytest.raises(DataError, match="differ in length"):
        talib_indicator("EMA", timeperiod=3)
