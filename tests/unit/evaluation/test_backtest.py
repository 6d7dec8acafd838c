"""Equity after costs: figures against published values, and what reaches the kernel."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, DataError
from onward.evaluation.backtest import backtest, buy_and_hold, drawdown, performance
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures/references/performance.json").read_text(encoding="utf-8")
)
FREE = {"fee_bps": 0.0, "slippage_bps": 0.0}
HOUR = pd.Timedelta(hours=1)


def market_of(opens, *, symbol="A", start="2024-01-01", skip=()):
    """Return a market with these opens; each close is the next open. ``skip``: hours without a bar."""
    hours = [h for h in range(len(opens) + len(skip)) if h not in skip]
    times = pd.DatetimeIndex([pd.Timestamp(start, tz="UTC") + h * HOUR for h in hours])
    opens = np.asarray(opens, dtype=float)
    closes = np.append(opens[1:], opens[-1])
    bars = pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": 1.0,
        },
        index=pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES),
    )
    return Market(bars, HOUR)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["name"])
def test_figures_equal_published_values(case):
    net = np.array(case["returns"])
    found = performance(net, np.ones(len(net)), years=len(net) / case["periods_per_year"])
    expected = case["definition"]
    tolerance = REFERENCE["tolerance"]
    for name in ("sharpe", "sortino", "volatility", "total_return", "max_drawdown"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=tolerance), name
    assert found.cagr == pytest.approx(expected["cagr_by_periods"], abs=tolerance)
    assert found.calmar == pytest.approx(expected["calmar_by_periods"], abs=tolerance)


def test_holding_earns_the_move_less_one_cost():
    market = market_of([100.0, 100.0, 110.0, 120.0])
    signal = pd.Series(1.0, index=market.index)
    result = buy_and_hold(market, signal, fee_bps=10.0, slippage_bps=0.0)
    assert result.equity[-1] == pytest.approx(1.2 * 0.999)
    assert result.performance.n_trades == 1
    assert result.position.tolist() == [0.0, 1.0, 1.0, 1.0]


def test_the_first_bar_after_the_last_signal_is_simulated_and_no_more():
    market = market_of([100.0] * 6)
    signal = pd.Series(1.0, index=market.index[1:3])
    result = backtest(market, signal, **FREE)
    assert list(result.time) == list(market.open_time[1:4])
    assert result.position.tolist() == [0.0, 1.0, 1.0]


def test_bars_without_a_signal_are_flat():
    market = market_of([100.0] * 5)
    signal = pd.Series([1.0, np.nan, -1.0], index=market.index[[0, 1, 3]])
    result = backtest(market, signal, **FREE)
    assert result.position.tolist() == [0.0, 1.0, 0.0, 0.0, -1.0]


def test_a_position_is_carried_through_a_gap():
    market = market_of([100.0, 100.0, 200.0], skip=(2, 3))  # the third bar opens after a gap
    result = backtest(market, pd.Series(1.0, index=market.index[:1]), **FREE)
    assert result.net_return.tolist() == [0.0, 1.0]
    filled_late = backtest(market, pd.Series(1.0, index=market.index[1:2]), **FREE)
    assert filled_late.position.tolist() == [0.0, 1.0]
    assert filled_late.time[-1] == market.open_time[-1]


def test_symbols_share_the_equity_and_never_mix():
    one, two = market_of([100.0, 100.0, 120.0]), market_of([50.0, 50.0, 45.0, 45.0], symbol="B")
    market = Market(pd.concat([one.bars, two.bars]).sort_index(), HOUR)
    signal = pd.Series(1.0, index=market.index)
    result = backtest(market, signal, **FREE)
    # In the last hour only B has a bar, so it alone makes the mean.
    assert result.net_return == pytest.approx([0.0, (0.2 - 0.1) / 2, 0.0, 0.0])
    assert result.by_symbol["A"].total_return == pytest.approx(0.2)
    assert result.by_symbol["B"].total_return == pytest.approx(-0.1)
    assert result.performance.n_trades == 2
    alone = backtest(one, signal.loc[["A"]], **FREE)
    assert alone.performance.total_return == pytest.approx(result.by_symbol["A"].total_return)


def test_signals_of_unknown_bars_are_ignored():
    market = market_of([100.0] * 4)
    strangers = pd.MultiIndex.from_tuples(
        [("A", market.open_time[0] - HOUR), ("Z", market.open_time[1]), ("A", market.open_time[1])],
        names=INDEX_NAMES,
    )
    result = backtest(market, pd.Series([1.0, 1.0, -1.0], index=strangers), **FREE)
    assert result.position.tolist() == [0.0, -1.0]


def test_the_future_does_not_reach_the_past():
    market = random_walk(300, seed=4)
    signal = pd.Series(np.random.default_rng(0).integers(-1, 2, 300).astype(float), index=market.index)
    whole = backtest(market, signal, fee_bps=5.0, slippage_bps=2.0)
    cut = Market(market.bars.iloc[:200], market.timeframe)
    early = backtest(cut, signal.iloc[:200], fee_bps=5.0, slippage_bps=2.0)
    assert early.net_return[:199].tolist() == whole.net_return[:199].tolist()


def test_costs_only_ever_lower_the_equity():
    market = random_walk(500, seed=1)
    signal = pd.Series(np.random.default_rng(1).integers(-1, 2, 500).astype(float), index=market.index)
    cheap = backtest(market, signal, **FREE)
    dear = backtest(market, signal, fee_bps=5.0, slippage_bps=2.0)
    assert (dear.equity <= cheap.equity + 1e-12).all()
    assert dear.performance.turnover == cheap.performance.turnover > 0


def test_drawdown_counts_from_the_start():
    assert drawdown(np.array([0.9, 1.2, 0.6])) == pytest.approx([-0.1, 0.0, -0.5])
    assert len(drawdown(np.array([]))) == 0


def test_figures_that_are_not_defined_are_unknown():
    still = performance(np.zeros(10), np.zeros(10), years=1.0)
    assert np.isnan([still.sharpe, still.sortino, still.calmar]).all()
    assert still.total_return == still.max_drawdown == still.n_trades == 0
    steady = performance(np.full(10, 0.001), np.ones(10), years=1.0)
    assert np.isnan(steady.sharpe)
    nothing = performance(np.array([]), np.array([]), years=0.0)
    assert np.isnan(nothing.cagr)


@pytest.mark.parametrize(
    ("fee", "slippage"), [(-1.0, 0.0), (0.0, -0.1), (np.nan, 0.0), (np.inf, 0.0), (3_000.0, 2_000.0)]
)
def test_impossible_costs_are_refused(fee, slippage):
    market = market_of([100.0] * 3)
    with pytest.raises(ConfigError, match="costs of a trade are out of range"):
        backtest(market, pd.Series(1.0, index=market.index), fee_bps=fee, slippage_bps=slippage)


def test_signals_that_belong_to_no_bar_are_refused():
    market, other = market_of([100.0] * 3), market_of([100.0] * 3, symbol="B")
    for signal in (
        pd.Series(1.0, index=other.index),
        pd.Series(np.nan, index=market.index),
        pd.Series(dtype=float, index=market.index[:0]),
    ):
        with pytest.raises(DataError, match="no signal belongs to a bar"):
            backtest(market, signal, **FREE)
        with pytest.raises(DataError, match="no signal belongs to a bar"):
            buy_and_hold(market, signal, **FREE)


def test_other_bad_signals_are_refused():
    market = market_of([100.0] * 3)
    doubled = pd.Series(1.0, index=market.index.append(market.index[:1]))
    with pytest.raises(DataError, match="two signals"):
        backtest(market, doubled, **FREE)
    with pytest.raises(DataError, match="infinite"):
        backtest(market, pd.Series(np.inf, index=market.index), **FREE)
    with pytest.raises(DataError, match="not indexed by bars"):
        backtest(market, pd.Series(1.0, index=market.open_time), **FREE)
