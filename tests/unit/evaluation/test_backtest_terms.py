"""What a backtest is asked with: terms that a run sets, and those that are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.config import EvaluationConfig
from onward.errors import ConfigError, DataError
from onward.evaluation.backtest import BacktestSettings, backtest, buy_and_hold
from onward.testing.markets import random_walk
from tests.unit.evaluation.small_markets import FREE, market_of, random_signal


def test_settings_of_a_run_become_terms():
    config = EvaluationConfig.sealed(fee_bps=1.0, fill="next_close", sizing="kelly", max_position=2.0)
    terms = BacktestSettings.from_config(config, horizon_bars=12)
    assert (terms.fee_bps, terms.fill, terms.sizing, terms.max_position) == (1.0, "next_close", "kelly", 2.0)
    assert terms.horizon_bars == 12
    assert BacktestSettings.from_config(EvaluationConfig.sealed()) == BacktestSettings()


@pytest.mark.parametrize(
    ("fee", "slippage"), [(-1.0, 0.0), (0.0, -0.1), (np.nan, 0.0), (np.inf, 0.0), (3_000.0, 2_000.0)]
)
def test_impossible_costs_are_refused(fee, slippage):
    with pytest.raises(ConfigError, match="costs of a trade are out of range"):
        BacktestSettings(fee_bps=fee, slippage_bps=slippage)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fill": "yesterday"}, "Unknown fill"),
        ({"sizing": "martingale"}, "Unknown sizing"),
        ({"sides": "up"}, "Unknown sides"),
        ({"capital": "daily"}, "Unknown capital"),
        ({"max_drift": -0.1}, "max_drift"),
        ({"max_drift": np.nan}, "max_drift"),
        ({"position_size": 0.0}, "position_size"),
        ({"max_position": np.inf}, "max_position"),
        ({"size_step": -0.1}, "size_step"),
        ({"min_change": np.nan}, "min_change"),
        ({"target_volatility": -1.0}, "target_volatility"),
        ({"volatility_window_bars": 1}, "volatility_window_bars"),
        ({"horizon_bars": 1.5}, "horizon_bars"),
        ({"periods_per_year": 0.0}, "periods_per_year"),
        ({"weights": {"A": -1.0}}, "weights"),
        ({"weights": {}}, "weights"),
    ],
)
def test_impossible_terms_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        BacktestSettings(**values)


def test_weights_name_every_symbol():
    market = random_walk(20, symbols=("A", "B"))
    with pytest.raises(ConfigError, match="how the capital is shared"):
        backtest(market, random_signal(market), BacktestSettings(weights={"A": 1.0}))
    with pytest.raises(ConfigError, match="how the capital is shared"):
        backtest(market, random_signal(market), BacktestSettings(weights={"A": 0.0, "B": 0.0, "C": 1.0}))


def test_signals_that_belong_to_no_bar_are_refused():
    market, other = market_of([100.0] * 3), market_of([100.0] * 3, symbol="B")
    for signal in (
        pd.Series(1.0, index=other.index),
        pd.Series(np.nan, index=market.index),
        pd.Series(dtype=float, index=market.index[:0]),
    ):
        with pytest.raises(DataError, match="No signal belongs to a bar"):
            backtest(market, signal, FREE)
        with pytest.raises(DataError, match="No signal belongs to a bar"):
            buy_and_hold(market, signal, FREE)


def test_other_bad_signals_are_refused():
    market = market_of([100.0] * 3)
    one = pd.Series(1.0, index=market.index)
    doubled = pd.Series(1.0, index=market.index.append(market.index[:1]))
    for signal, message in (
        (doubled, "two signals"),
        (one * np.inf, "infinite"),
        (pd.Series(1.0, index=market.open_time), "not indexed by bars"),
        (one * 3.0, "more than the largest position"),
        (one.astype(object).map(lambda _: "up"), "no number"),
        (one.to_frame("strength"), "no column to act on"),
        ([1.0, 1.0, 1.0], "Series or DataFrame"),
        (pd.Series(1.0, index=pd.MultiIndex.from_tuples([("A", "x")])), "no times"),
        (pd.DataFrame(0.5, columns=["down", "range", "up"], index=market.index), "no probabilities"),
    ):
        with pytest.raises(DataError, match=message):
            backtest(market, signal, FREE)
    with pytest.raises(DataError, match="needs probabilities"):
        backtest(market, one, replace(FREE, sizing="probability"))
