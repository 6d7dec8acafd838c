"""Regimes are known at the close of their bar; they follow the bars of one symbol only."""

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError
from onward.evaluation.regimes import TREND_NAMES, VOLATILITY_NAMES, regimes
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market

HOUR = pd.Timedelta(hours=1)


def market_of(close, symbol="A"):
    times = pd.date_range("2024-01-01", periods=len(close), freq="h", tz="UTC").as_unit("ns")
    index = pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES)
    columns = dict.fromkeys(("open", "high", "low", "close"), np.asarray(close, dtype=float))
    return Market(pd.DataFrame({**columns, "volume": 1.0}, index=index), HOUR)


def test_a_random_walk_spends_a_third_of_the_time_in_each_regime():
    found = regimes(random_walk(6_000, seed=2), window_bars=48)
    for column, names in (("volatility", VOLATILITY_NAMES), ("trend", TREND_NAMES)):
        shares = found[column][found[column] != ""].value_counts(normalize=True)
        assert set(shares.index) == set(names)
        assert shares.between(0.23, 0.43).all(), column


def test_they_say_what_they_are_called():
    generator = np.random.default_rng(0)
    scales = np.tile(np.repeat([0.001, 0.005, 0.02], 300), 4)
    drift = np.tile(np.repeat([0.002, 0.0, -0.02], 300), 4)
    close = 100 * np.exp(np.cumsum(generator.normal(0.0, scales) + drift))
    found = regimes(market_of(close), window_bars=50)
    # Once every kind of market has been seen (from the third round on) they are told apart.
    kinds = {1_800: ("calm", "rising"), 2_100: ("normal", None), 2_400: ("wild", "falling")}
    for start, (volatility, trend) in kinds.items():
        part = found.iloc[start + 100 : start + 290]
        assert (part["volatility"] == volatility).mean() > 0.8, volatility
        assert trend is None or set(part["trend"]) == {trend}


def test_nothing_later_moves_a_regime():
    market = random_walk(600, seed=9)
    noise = np.exp(np.random.default_rng(1).normal(0.0, 0.2, 600))
    noise[:400] = 1.0
    shaken = market.replace(bars=market.bars.mul(noise, axis=0))
    first, second = regimes(market, window_bars=48), regimes(shaken, window_bars=48)
    pd.testing.assert_frame_equal(first.iloc[:400], second.iloc[:400])
    cut = regimes(market.between(None, market.open_time[400]), window_bars=48)
    pd.testing.assert_frame_equal(first.iloc[:400], cut)


def test_short_windows_and_still_prices_have_none():
    found = regimes(market_of(np.linspace(100, 120, 30)), window_bars=20)
    assert (found.iloc[:20] == "").all(axis=None)
    assert (found.iloc[20:] != "").all(axis=None)
    still = regimes(market_of(np.full(40, 7.3)), window_bars=20)
    assert set(still["trend"]) == {""}
    assert set(still["volatility"].iloc[20:]) == {"normal"}
    assert (regimes(market_of(np.full(5, 7.3))) == "").all(axis=None)


def test_symbols_do_not_mix():
    alone = random_walk(800, seed=3, symbols=("A",))
    louder = random_walk(800, seed=5, symbols=("B",), volatility=0.05)
    both = Market(pd.concat([alone.bars, louder.bars]).sort_index(), HOUR)
    pd.testing.assert_frame_equal(
        regimes(both, window_bars=60).loc[["A"]], regimes(alone, window_bars=60), check_names=True
    )


@pytest.mark.parametrize("window", [1, 0, -5])
def test_a_window_needs_two_returns(window):
    with pytest.raises(ConfigError, match="needs a window"):
        regimes(random_walk(50), window_bars=window)
