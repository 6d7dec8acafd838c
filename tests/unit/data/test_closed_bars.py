from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.data.availability import as_of
from onward.data.market import make_market
from onward.data.resample import closed_bars
from onward.errors import TimeframeError
from onward.testing.markets import random_walk
from onward.types import OHLCV


def _with(market, timeframe):
    series = closed_bars(market, timeframe)
    return as_of(market.replace(series={series.name: series}), series.name)


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d", "1w"])
def test_bars_equal_those_of_pandas(timeframe):
    market = random_walk(24 * 30, seed=4)
    rule = {"1h": "1h", "4h": "4h", "1d": "1D", "1w": "W-MON"}[timeframe]
    expected = (
        market.bars.droplevel(0)
        .resample(rule, label="left", closed="left")
        .agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    )
    ours = closed_bars(market, timeframe).frame.set_index("timestamp")[list(OHLCV)]
    assert 4 <= len(ours) <= len(expected)
    pd.testing.assert_frame_equal(ours, expected[: len(ours)], check_freq=False, check_names=False)


def test_a_bar_is_seen_at_its_close_and_not_before():
    market = random_walk(12)
    seen = _with(market, "4h")
    assert seen["close"][:3].isna().all()
    assert list(seen["close"][3:7]) == [market.bars["close"].iloc[3]] * 4
    assert list(seen["close"][7:11]) == [market.bars["close"].iloc[7]] * 4


def test_weeks_begin_on_monday():
    stamps = closed_bars(random_walk(24 * 30), "1w").frame["timestamp"]
    assert (stamps.dt.dayofweek == 0).all()
    assert (stamps.dt.hour == 0).all()


def test_the_future_moves_nothing():
    market = random_walk(200, symbols=("A", "B"), seed=2)
    market = market.replace(bars=market.bars.drop(market.bars.index[[30, 31, 32, 250]]))
    whole = _with(market, "4h")
    for moment in market.decision_time[[20, 31, 33, 90, 150]]:
        past = market.known_at(moment)
        pd.testing.assert_frame_equal(_with(past, "4h"), whole.loc[past.bars.index])


def test_a_bar_with_a_gap_is_made_of_what_exists_once_its_time_is_over():
    market = random_walk(12)
    market = market.replace(bars=market.bars.drop(market.bars.index[[2, 3]]))
    series = closed_bars(market, "4h").frame
    assert series["close"].iloc[0] == market.bars["close"].iloc[1]
    seen = _with(market, "4h")
    assert seen["close"][:2].isna().all()
    assert seen["close"].iloc[2] == market.bars["close"].iloc[1]


def test_bars_that_straddle_a_boundary_delay_the_higher_bar():
    base = random_walk(48).bars.droplevel(0)
    base.index = base.index + pd.Timedelta(30, unit="min")
    frame = closed_bars(make_market(base, timeframe="1h"), "1d").frame
    assert list(frame["available_at"].dt.strftime("%H:%M")) == ["00:30", "00:30"]


def test_unknown_volume_makes_an_unknown_sum():
    market = random_walk(8)
    bars = market.bars.copy()
    bars.iloc[1, 4] = np.nan
    volume = closed_bars(market.replace(bars=bars), "4h").frame["volume"]
    assert list(volume.isna()) == [True, False]


@pytest.mark.parametrize("timeframe", ["30m", "90m"])
def test_only_multiples_are_higher_timeframes(timeframe):
    with pytest.raises(TimeframeError, match="multiples of 1h"):
        closed_bars(random_walk(8), timeframe)


def test_no_bars_give_no_bars():
    market = random_walk(8)
    assert len(closed_bars(market.replace(bars=market.bars[:0]), "4h").frame) == 0
