from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.data.availability import as_of
from onward.data.resample import closed_bars
from onward.errors import StageError
from onward.features.manual.higher_bars import (
    DAY,
    HOUR,
    MINUTE,
    WEEK,
    HigherBars,
    higher_lookback,
    higher_timeframes,
    label,
    session_timeframe,
)
from onward.features.manual.multi_timeframe import MultiTimeframe
from onward.testing.markets import random_walk
from tests.unit.features.manual_bars import ARRAYS, assert_promises, cut, frozen, thin, to_bars, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(MultiTimeframe(), make())


@pytest.mark.parametrize(
    ("base", "higher"),
    [
        (MINUTE, ["5m", "30m"]),
        (5 * MINUTE, ["30m", "2h"]),
        (15 * MINUTE, ["1h", "6h"]),
        (HOUR, ["4h", "1d"]),
        (4 * HOUR, ["1d", "1w"]),
        (DAY, ["1w"]),
        (WEEK, []),
        (7 * HOUR, ["1w"]),
    ],
)
def test_higher_timeframes_are_usual_multiples(base, higher):
    assert [label(t) for t in higher_timeframes(base)] == higher
    assert all(t % base == 0 for t in higher_timeframes(base))
    assert session_timeframe(HOUR) == DAY
    assert session_timeframe(DAY) == WEEK


def test_values_equal_those_of_the_closed_bars_joined_by_availability():
    market = random_walk(900)
    side = closed_bars(market, "4h")
    joined = as_of(market.replace(series={side.name: side}), side.name)
    found = MultiTimeframe().compute(to_bars(market))
    close = side.frame["close"]
    expected = market.bars["close"].to_numpy() / joined["close"].to_numpy() - 1
    np.testing.assert_allclose(found["4h_close_distance"], expected, rtol=1e-12, atol=1e-15)
    change = np.log(close).diff()
    volatility = as_of(
        market.replace(series={"v": replace(side, frame=side.frame.assign(close=change.rolling(14).std()))}),
        "v",
    )["close"]
    np.testing.assert_allclose(found["4h_volatility_14"], volatility, rtol=1e-9)


def test_a_row_sees_a_higher_bar_at_its_close_and_not_before():
    bars = walk(100)
    found = MultiTimeframe().compute(bars)["4h_close_distance"]
    assert np.isnan(found[:3]).all()
    assert found[3] == 0.0
    np.testing.assert_allclose(found[4:7], bars.close[4:7] / bars.close[3] - 1)
    assert found[7] == 0.0


def test_a_first_higher_bar_that_may_be_cut_is_left_out():
    bars = walk(100)
    assert len(HigherBars.of(bars, 4 * HOUR).close) == 25
    cut_short = HigherBars.of(cut(bars, 1, 100), 4 * HOUR)
    assert len(cut_short.close) == 24
    assert cut_short.close[0] == bars.close[7]
    assert len(HigherBars.of(cut(bars, 0, 0), 4 * HOUR).close) == 0


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0.02, 0.6),
    row=st.integers(0, 200),
    offset=st.integers(0, 23),
)
def test_the_lookback_holds_whatever_bars_are_missing(seed, share, row, offset):
    family = MultiTimeframe(window=5, rsi_window=5, return_windows=(1, 3))
    whole = cut(walk(1_500, seed=seed % 7), offset, 1_500)
    keep = np.random.default_rng(seed).random(len(whole)) > share
    bars = frozen(replace(whole, **{name: getattr(whole, name)[keep].copy() for name in ARRAYS}))
    lookback = family.lookback(HOUR)
    end = len(bars) - row
    batch = family.compute(bars)
    live = family.compute(cut(bars, end - lookback, end))
    for name, values in live.items():
        np.testing.assert_allclose(values[-1], batch[name][end - 1], rtol=1e-9, atol=1e-12, err_msg=name)


def test_one_bar_less_than_the_lookback_is_too_few_for_the_worst_row():
    bars = walk(24 * 12)
    n_days = 3
    last = 24 * 10 + 22  # the day of this row is about to close: nearly all of it is wasted
    lookback = higher_lookback(n_days, DAY, HOUR)

    def whole_days(n_bars: int) -> int:
        return len(HigherBars.of(cut(bars, last + 1 - n_bars, last + 1), DAY).close)

    assert whole_days(lookback) >= n_days
    assert whole_days(23 + 24 * n_days - 1) < n_days


def test_other_windows_name_other_columns():
    family = MultiTimeframe(window=9, return_windows=(2,), rsi_window=6, timeframe=DAY)
    assert family.columns()[:4] == ("1w_close_distance", "1w_sma_ratio_9", "1w_return_2", "1w_rsi_6")
    assert MultiTimeframe(timeframe=WEEK).columns() == ()
    with pytest.raises(StageError, match="window"):
        MultiTimeframe(window=1)
