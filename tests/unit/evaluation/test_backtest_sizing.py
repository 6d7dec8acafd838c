"""Sizes of positions against published values, and what each rule does with a market."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import ConfigError
from onward.evaluation.backtest import BacktestSettings, backtest
from onward.evaluation.backtest.signals import aligned
from onward.evaluation.backtest.sizing import (
    bet_size,
    discretised,
    kelly_bet,
    kelly_continuous,
    kelly_outcomes,
    target_positions,
    trailing_volatility,
)
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market

KELLY = json.loads((Path(__file__).parents[2] / "fixtures/references/kelly.json").read_text(encoding="utf-8"))
TERMS = BacktestSettings(volatility_window_bars=24)


def targets(market, signals, **terms):
    return target_positions(market, aligned(market, signals), replace(TERMS, **terms))


def said(market, rows):
    return pd.DataFrame(rows, columns=["down", "range", "up"], index=market.index[: len(rows)])


@pytest.mark.parametrize("case", KELLY["discrete"])
def test_kelly_of_a_bet(case):
    assert kelly_bet(case["p"], case["b"]) == pytest.approx(case["f"], abs=1e-10)


@pytest.mark.parametrize("case", KELLY["continuous"])
def test_kelly_of_gaussian_returns(case):
    assert kelly_continuous(case["mu"], case["sigma"], case["rf"]) == pytest.approx(case["f"])


def test_kelly_of_outcomes():
    case = KELLY["multi_outcome"]
    assert kelly_outcomes(case["outcomes"], case["probs"]) == pytest.approx(case["f"], abs=1e-6)
    # Even odds are the bet's own formula.
    assert kelly_outcomes([1.0, -1.0], [0.6, 0.4]) == pytest.approx(kelly_bet(0.6))


@pytest.mark.parametrize("case", KELLY["afml_bet_size"])
def test_bet_sizes_equal_published_values(case):
    assert bet_size(case["p"], case["K"]) == pytest.approx(case["size"], abs=1e-10)


def test_certain_and_impossible_bets():
    assert bet_size([0.0, 1.0, np.nan], 3)[:2].tolist() == [-1.0, 1.0]
    assert np.isnan(bet_size(np.nan))


@given(st.floats(-1.0, 1.0), st.sampled_from([0.1, 0.25, 0.5]))
def test_steps_are_multiples_nearby(size, step):
    found = float(discretised(size, step))
    assert abs(found - size) <= step / 2 + 1e-12
    assert round(found / step) == pytest.approx(found / step)


def test_probabilities_become_sizes():
    market = random_walk(40)
    rows = [[0.1, 0.2, 0.7], [0.5, 0.2, 0.3], [0.3, 0.4, 0.3]]
    found = targets(market, said(market, rows), sizing="probability")
    assert found[:3] == pytest.approx([0.6, -0.2, 0.0])
    assert np.isnan(found[3:]).all()
    stepped = targets(market, said(market, rows), sizing="probability", size_step=0.25)
    assert stepped[:3] == pytest.approx([0.5, -0.25, 0.0])
    halved = targets(market, said(market, rows), sizing="probability", position_size=0.5)
    assert halved[:3] == pytest.approx([0.3, -0.1, 0.0])
    certain = targets(market, said(market, rows), sizing="bet_size")
    assert certain[:3] == pytest.approx([float(bet_size(0.7, 3)), -float(bet_size(0.5, 3)), 0.0])


def test_the_largest_position_caps_every_size():
    market = random_walk(40)
    rows = [[0.1, 0.2, 0.7], [0.7, 0.2, 0.1]]
    assert targets(market, said(market, rows), max_position=0.5)[:2].tolist() == [0.5, -0.5]
    double = targets(market, said(market, rows), position_size=2.0, max_position=1.5)
    assert double[:2].tolist() == [1.5, -1.5]
    levered = pd.Series(1.8, index=market.index)
    assert targets(market, levered, max_position=2.0)[0] == 1.8


def test_sides_are_left_out():
    market = random_walk(40)
    rows = [[0.1, 0.2, 0.7], [0.7, 0.2, 0.1]]
    assert targets(market, said(market, rows), sides="long")[:2].tolist() == [1.0, 0.0]
    assert targets(market, said(market, rows), sides="short")[:2].tolist() == [0.0, -1.0]


def test_volatility_is_that_of_the_window_by_the_calendar():
    market = random_walk(200, volatility=0.01, seed=3)
    one, year = trailing_volatility(market, 50)
    close = np.log(market.bars["close"].to_numpy())
    assert np.isnan(one[:50]).all()
    assert one[120] == pytest.approx(np.diff(close[70:121]).std(ddof=1))
    assert year[120] == pytest.approx(one[120] * np.sqrt(8_766))
    assert np.isnan(trailing_volatility(market, 200)[0]).all()


def test_volatility_of_trading_days_knows_weekends():
    days = pd.bdate_range("2020-01-01", periods=400, tz="UTC").as_unit("ns")
    index = pd.MultiIndex.from_product([["A"], days], names=INDEX_NAMES)
    price = 100.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 400)))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), price) | {"volume": 1.0}, index=index)
    one, year = trailing_volatility(Market(bars, pd.Timedelta(days=1)), 250)
    assert year[399] / one[399] == pytest.approx(np.sqrt(261), rel=0.01)


def test_a_volatility_target_is_met_and_capped():
    market = random_walk(4_000, volatility=0.005, seed=1)  # 46.8 % a year
    signal = pd.Series(1.0, index=market.index)
    found = targets(market, signal, sizing="volatility_target", target_volatility=0.2)
    assert (found[:24] == 0.0).all()  # not known yet: stay out
    assert np.median(found[24:]) == pytest.approx(0.2 / (0.005 * np.sqrt(8_766)), rel=0.05)
    capped = targets(market, signal, sizing="volatility_target", target_volatility=5.0)
    assert set(capped[24:]) == {1.0}
    still = market.replace(bars=market.bars * 0.0 + 100.0)
    assert set(targets(still, signal, sizing="volatility_target")) == {0.0}


def test_kelly_sizes_grow_with_the_edge_and_shrink_with_the_risk():
    market = random_walk(200, volatility=0.005, seed=1)
    rows = np.tile([0.3, 0.3, 0.4], (200, 1))
    terms = {"sizing": "kelly", "kelly_fraction": 0.5, "horizon_bars": 24, "max_position": 20.0}
    found = targets(market, said(market, rows), **terms)
    move = trailing_volatility(market, 24)[0] * np.sqrt(24)
    # The outcomes +move, 0, -move have exactly this growth-optimal exposure.
    best = kelly_outcomes([move[100], 0.0, -move[100]], [0.4, 0.3, 0.3])
    assert found[100] == pytest.approx(0.5 * best, rel=1e-6)
    surer = targets(market, said(market, np.tile([0.2, 0.3, 0.5], (200, 1))), **terms)
    assert (surer[24:] > found[24:]).all()
    ranging = targets(market, said(market, np.tile([0.0, 1.0, 0.0], (200, 1))), **terms)
    assert set(ranging) == {0.0}


@pytest.mark.parametrize(
    "call",
    [
        lambda: kelly_bet(1.2),
        lambda: kelly_bet(0.5, 0.0),
        lambda: kelly_continuous(0.1, 0.0),
        lambda: kelly_outcomes([0.1, 0.2], [0.5, 0.5]),
        lambda: kelly_outcomes([0.1, -0.2], [0.5, 0.6]),
        lambda: kelly_outcomes([0.1, -0.2], [1.0]),
        lambda: bet_size(1.2),
        lambda: bet_size(0.5, 1),
        lambda: discretised(0.5, 0.0),
    ],
)
def test_bad_bets_are_refused(call):
    with pytest.raises(ConfigError):
        call()


def test_kelly_says_nothing_where_nothing_was_said():
    """A size of 0 there would simulate the years before the first prediction as well."""
    market = random_walk(300, seed=1)
    said = pd.DataFrame({"down": 0.2, "range": 0.3, "up": 0.5}, index=market.index[150:200])
    terms = BacktestSettings(sizing="kelly", volatility_window_bars=20)
    assert backtest(market, said, terms).time[0] == market.open_time[150]
