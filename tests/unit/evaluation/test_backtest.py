"""The backtest: what reaches the kernel, what it pays, and that nothing looks ahead."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError
from onward.evaluation.backtest import BacktestSettings, backtest, benchmarks, buy_and_hold, rule_backtest
from onward.evaluation.performance import performance
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market, SideSeries
from tests.unit.evaluation.small_markets import (
    FREE,
    HOUR,
    market_of,
    panel,
    random_probabilities,
    random_signal,
    with_funding,
)


def test_holding_earns_the_move_less_one_cost():
    market = market_of([100.0, 100.0, 110.0, 120.0])
    signal = pd.Series(1.0, index=market.index)
    result = buy_and_hold(market, signal, BacktestSettings(fee_bps=10.0, slippage_bps=0.0))
    assert result.equity[-1] == pytest.approx(1.2 * 0.999)
    assert result.activity.n_trades == result.activity.n_orders == 1
    assert result.position.tolist() == [0.0, 1.0, 1.0, 1.0]


def test_the_first_bar_after_the_last_signal_is_simulated_and_no_more():
    market = market_of([100.0] * 6)
    signal = pd.Series(1.0, index=market.index[1:3])
    result = backtest(market, signal, FREE)
    assert list(result.time) == list(market.open_time[1:4])
    assert result.position.tolist() == [0.0, 1.0, 1.0]
    late = backtest(market, signal, replace(FREE, fill="next_close"))
    assert late.position.tolist() == [0.0, 1.0, 1.0, 1.0]  # bought at the close, earns one bar later
    early = backtest(market, signal, replace(FREE, fill="same_close"))
    assert early.position.tolist() == [1.0, 1.0, 1.0]


def test_each_fill_has_its_price():
    market = market_of([100.0, 110.0, 130.0, 150.0], closes=[105.0, 120.0, 140.0, 160.0])
    signal = pd.Series([1.0], index=market.index[:1])
    for fill, bought, sold in (("next_open", 110, 120), ("next_close", 120, 140), ("same_close", 105, 120)):
        result = backtest(market, signal, replace(FREE, fill=fill))
        assert result.equity[-1] == pytest.approx(sold / bought), fill
        trade = result.trades.iloc[0]
        assert (trade["entry_price"], trade["exit_price"]) == (bought, sold)
        assert trade["open"]
        assert fill.partition("_")[2] in result.notes[0]


def test_bars_without_a_signal_are_flat():
    market = market_of([100.0] * 5)
    signal = pd.Series([1.0, np.nan, -1.0], index=market.index[[0, 1, 3]])
    result = backtest(market, signal, FREE)
    assert result.position.tolist() == [0.0, 1.0, 0.0, 0.0, -1.0]


def test_a_position_is_carried_through_a_gap():
    market = market_of([100.0, 100.0, 200.0], skip=(2, 3))  # the third bar opens after a gap
    result = backtest(market, pd.Series(1.0, index=market.index[:1]), FREE)
    assert result.net_return.tolist() == [0.0, 1.0]
    filled_late = backtest(market, pd.Series(1.0, index=market.index[1:2]), FREE)
    assert filled_late.position.tolist() == [0.0, 1.0]
    assert filled_late.time[-1] == market.open_time[-1]


def test_symbols_trade_their_share_and_never_mix():
    one, two = market_of([100.0, 100.0, 120.0]), market_of([50.0, 50.0, 45.0, 45.0], symbol="B")
    market = panel(one, two)
    signal = pd.Series(1.0, index=market.index)
    result = backtest(market, signal, FREE)
    assert result.net_return == pytest.approx([0.0, (0.2 - 0.1) / 2, 0.0, 0.0])
    assert result.by_symbol["A"].performance.total_return == pytest.approx(0.2)
    assert result.by_symbol["B"].performance.total_return == pytest.approx(-0.1)
    assert result.activity.n_trades == 2
    alone = backtest(one, signal.loc[["A"]], FREE)
    assert alone.performance.total_return == pytest.approx(0.2)
    weighted = backtest(market, signal, replace(FREE, weights={"A": 3.0, "B": 1.0}))
    assert weighted.equity[-1] == pytest.approx(0.75 * 1.2 + 0.25 * 0.9)
    only = backtest(market, signal, replace(FREE, weights={"A": 1.0, "B": 0.0}))
    assert set(only.by_symbol) == {"A"}


def test_a_missing_bar_keeps_its_value():
    # B has no bar at hour 2: its rise shows at hour 3, and A's share of the capital stays a half.
    one = market_of([100.0, 100.0, 100.0, 200.0], closes=[100.0, 100.0, 200.0, 200.0])
    two = market_of([100.0, 100.0, 150.0], symbol="B", skip=(2,), closes=[100.0, 100.0, 150.0])
    market = panel(one, two)
    result = backtest(market, pd.Series(1.0, index=market.index), FREE)
    assert result.equity == pytest.approx([1.0, 1.0, 1.5, 1.75])
    assert result.exposure == pytest.approx([0.0, 1.0, 1.0, 1.0])
    restored = backtest(market, pd.Series(1.0, index=market.index), replace(FREE, capital="restored"))
    assert restored.equity == pytest.approx([1.0, 1.0, 1.5, 1.5 * 1.25])


def test_a_symbol_that_begins_later_waits_in_cash():
    one = market_of([100.0, 100.0, 100.0, 200.0])
    two = market_of([10.0, 10.0], symbol="B", start="2024-01-01 02:00")
    market = panel(one, two)
    held = pd.Series(1.0, index=market.index)
    assert backtest(market, held, FREE).equity[-1] == pytest.approx(0.5 * 2.0 + 0.5)
    lent = backtest(market, held, replace(FREE, capital="restored"))
    assert lent.equity[-1] == pytest.approx(1.5)  # from the bar in which B begins A has a half only


def test_restoring_shares_costs_what_it_trades():
    one = market_of([100.0, 100.0, 100.0, 100.0], closes=[100.0, 200.0, 100.0, 100.0])
    market = panel(one, market_of([100.0] * 4, symbol="B"))
    held = pd.Series(1.0, index=market.index)
    terms = BacktestSettings(fee_bps=100.0, slippage_bps=0.0, capital="restored")
    dear = backtest(market, held, terms)
    # After the first bar A is two thirds of the capital: a sixth of it moves from A to B, both invested.
    assert dear.turnover[2] == pytest.approx(2 / 6)
    assert dear.cost[2] == pytest.approx(0.01 * 2 / 6)


def test_funding_is_paid_at_its_settlements():
    market = with_funding(market_of([100.0] * 6), [(2, 0.01), (4, -0.02), (4.5, 0.03), (99, 0.5)])
    long = backtest(market, pd.Series(1.0, index=market.index), FREE)
    # Held from the open of hour 1: what settles at 02:00 belongs to the bar that closes then.
    assert long.funding == pytest.approx([0.0, 0.01, 0.0, -0.02 / 0.99, 0.03 / 0.99 / (1 + 0.02 / 0.99), 0.0])
    assert long.equity[-1] == pytest.approx(1.0 - 0.01 + 0.02 - 0.03)
    short = backtest(market, pd.Series(-1.0, index=market.index), FREE)
    assert short.equity[-1] == pytest.approx(1.0 + 0.01 - 0.02 + 0.03)
    assert "3 settlements" in long.notes[1]
    off = backtest(market, pd.Series(1.0, index=market.index), replace(FREE, pay_funding=False))
    assert off.equity[-1] == 1.0
    assert "not paid" in off.notes[1]


def test_a_decision_cannot_dodge_a_settlement_it_knows():
    # The rate of 02:00 is known at 02:00: selling at the open of 02:00 comes too late, buying too.
    market = with_funding(market_of([100.0] * 6), [(2, 0.01)])
    leaves = pd.Series([1.0, 0.0, 0.0], index=market.index[[0, 1, 2]])
    enters = pd.Series([0.0, -1.0, 0.0], index=market.index[[0, 1, 2]])
    for fill in ("next_open", "same_close"):
        terms = replace(FREE, fill=fill)
        paid = backtest(market, leaves, terms).funding.sum()
        assert paid == pytest.approx(0.01), fill
        assert backtest(market, enters, terms).funding.sum() == 0.0, fill


def test_settlements_in_a_gap_are_paid_by_whoever_holds_through_it():
    market = with_funding(market_of([100.0, 100.0, 100.0], skip=(2, 3)), [(3, 0.01), (4, 0.02)])
    held = backtest(market, pd.Series(1.0, index=market.index[:1]), FREE)
    assert held.funding.tolist() == [0.0, 0.0]
    through = backtest(market, pd.Series(1.0, index=market.index[:2]), FREE)
    assert through.funding[-1] == pytest.approx(0.03)


def test_a_symbols_own_funding_wins_and_revisions_replace():
    market = market_of([100.0] * 4)
    time = market.open_time[0] + 2 * HOUR
    frame = pd.DataFrame(
        {
            "symbol": ["", "A", "A", "Z"],
            "timestamp": time,
            "available_at": [time, time, time + HOUR, time],
            "funding_rate": [0.1, 0.2, 0.3, 0.4],
        }
    )
    market = market.replace(series={"funding": SideSeries("funding", frame)})
    result = backtest(market, pd.Series(1.0, index=market.index), FREE)
    assert result.funding.sum() == pytest.approx(0.3)


def test_an_unknown_rate_is_said():
    market = with_funding(market_of([100.0] * 4), [(2, np.nan), (3, 0.01)])
    result = backtest(market, pd.Series(1.0, index=market.index), FREE)
    assert result.funding.sum() == pytest.approx(0.01)
    assert any("no known rate" in note for note in result.notes)
    other = with_funding(market_of([100.0] * 4), [(2, 0.01)], symbol="Z")
    bare = backtest(other, pd.Series(1.0, index=other.index), FREE)
    assert "No settlement falls into the bars of A." in bare.notes


def test_signals_of_unknown_bars_are_ignored():
    market = market_of([100.0] * 4)
    strangers = pd.MultiIndex.from_tuples(
        [("A", market.open_time[0] - HOUR), ("Z", market.open_time[1]), ("A", market.open_time[1])],
        names=INDEX_NAMES,
    )
    result = backtest(market, pd.Series([1.0, 1.0, -1.0], index=strangers), FREE)
    assert result.position.tolist() == [0.0, -1.0]


def test_predictions_are_acted_on_as_they_come():
    market = market_of([100.0] * 4)
    frame = pd.DataFrame(
        [[0.1, 0.2, 0.7], [0.6, 0.2, 0.2], [0.2, 0.6, 0.2]],
        columns=["down", "range", "up"],
        index=market.index[:3],
    )
    assert backtest(market, frame, FREE).position.tolist() == [0.0, 1.0, -1.0, 0.0]
    spoken = frame.assign(signal=[-1, 0, 1], decision_time=market.decision_time[:3])
    assert backtest(market, spoken, FREE).position.tolist() == [0.0, -1.0, 0.0, 1.0]


SIZINGS = ("fixed", "probability", "bet_size", "volatility_target", "kelly")


@pytest.mark.parametrize("sizing", SIZINGS)
@pytest.mark.parametrize("fill", ["next_open", "next_close", "same_close"])
@pytest.mark.parametrize("capital", ["apart", "restored"])
def test_the_future_does_not_reach_the_past(sizing, fill, capital):
    whole = with_funding(random_walk(240, seed=4, symbols=("A", "B")), [(h, 0.001) for h in range(0, 240, 8)])
    terms = BacktestSettings(
        sizing=sizing, fill=fill, capital=capital, volatility_window_bars=24, size_step=0.05
    )
    said = random_probabilities(whole)
    cut = whole.open_time[0] + 150 * HOUR
    before = np.asarray(whole.open_time < cut)
    noise = np.exp(np.random.default_rng(1).normal(0.0, 0.1, 480))
    scrambled = whole.replace(bars=whole.bars.mul(np.where(before, 1.0, noise), axis=0))
    other = random_probabilities(whole, seed=9)
    other[before] = said[before]
    first, second = backtest(whole, said, terms), backtest(scrambled, other, terms)
    truncated = backtest(whole.between(None, cut), said[before], terms)
    # A decision of the last bar before the cut is filled after it: the bar itself is still the same.
    for one in (second, truncated):
        for name in ("net_return", "equity", "exposure", "turnover", "cost", "funding"):
            assert getattr(one, name)[:149].tolist() == getattr(first, name)[:149].tolist(), name
        early = first.bars[np.asarray(first.bars.index.get_level_values(1) < cut - HOUR)]
        pd.testing.assert_frame_equal(one.bars.reindex(early.index), early)
    assert np.abs(first.bars["position"]).max() > 0.0


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_bar_holds_nothing_that_was_decided_at_its_own_close(fill):
    market = random_walk(100, seed=4)
    signal = random_signal(market)
    turned = signal.copy()
    turned.iloc[60:] = -turned.iloc[60:] + 0.5 * (turned.iloc[60:] == 0.0)
    terms = BacktestSettings(fill=fill)
    first, second = (backtest(market, one, terms) for one in (signal, turned))
    assert first.position[:61].tolist() == second.position[:61].tolist()
    assert first.position.iloc[61] != second.position.iloc[61]
    reached = 62 if fill == "next_close" else 61
    assert first.net_return[:61].tolist() == second.net_return[:61].tolist()
    assert first.net_return[reached] != second.net_return[reached]


def test_costs_only_ever_lower_the_equity():
    market = random_walk(500, seed=1)
    signal = random_signal(market, 1)
    cheap, dear = backtest(market, signal, FREE), backtest(market, signal)
    assert (dear.equity <= cheap.equity + 1e-12).all()
    assert dear.activity.turnover == pytest.approx(cheap.activity.turnover, rel=0.05)
    assert dear.cost.sum() == pytest.approx(7e-4 * dear.turnover.sum(), rel=0.01)


def test_figures_fit_the_curves_and_trades():
    market = random_walk(600, seed=6)
    result = backtest(market, random_signal(market, 6))
    assert result.performance == performance(result.net_return, periods_per_year=365.25 * 24)
    assert result.equity[-1] == pytest.approx(np.prod(1.0 + result.trades["net_return"]))
    assert result.activity.n_trades == len(result.trades)
    assert result.trades["bars"].min() >= 1
    assert result.activity.trade_hit_rate == pytest.approx((result.trades["net_return"] > 0).mean())
    frame = result.frame
    assert frame["drawdown"].min() == pytest.approx(result.performance.max_drawdown)
    assert result.activity.exposure == pytest.approx(frame["exposure"].mean())
    flat_after = result.trades[~result.trades["open"]]
    assert (flat_after["exit_time"] > flat_after["entry_time"]).all()
    assert set(result.statistics.to_dict()) >= {"sharpe", "turnover", "average_trade"}


def test_a_year_of_a_market_with_weekends_has_its_own_bars():
    days = pd.bdate_range("2020-01-01", periods=522, tz="UTC").as_unit("ns")
    index = pd.MultiIndex.from_product([["A"], days], names=INDEX_NAMES)
    price = 100.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 522)))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), price) | {"volume": 1.0}, index=index)
    market = Market(bars, pd.Timedelta(days=1))
    result = backtest(market, pd.Series(1.0, index=index), FREE)
    assert result.performance.periods_per_year == pytest.approx(261, abs=1)
    given = backtest(market, pd.Series(1.0, index=index), replace(FREE, periods_per_year=252.0))
    assert given.performance.periods_per_year == 252.0


def test_regimes_add_up():
    market = random_walk(900, seed=6)
    result = backtest(market, random_signal(market, 6), BacktestSettings(regime_window_bars=48))
    for kind in ("volatility", "trend"):
        part = result.by_regime.loc[kind]
        assert part["bars"].sum() == len(result.bars)
        assert part["log_growth"].sum() == pytest.approx(np.log(result.equity[-1]))
        assert part.loc["not known", "bars"] == 49  # 48 returns, and one bar until it is known


def test_a_bars_regime_was_known_when_it_opened():
    market = random_walk(300, seed=6)
    signal = random_signal(market, 6)
    terms = BacktestSettings(regime_window_bars=24)
    shaken = market.bars.copy()
    shaken.iloc[-1] *= 1.5  # the last bar's own move must not name its regime
    first, second = backtest(market, signal, terms), backtest(market.replace(bars=shaken), signal, terms)
    assert first.by_regime["bars"].tolist() == second.by_regime["bars"].tolist()


def test_a_shorts_ruin_is_said():
    market = market_of([100.0, 100.0, 250.0, 100.0])
    result = backtest(market, pd.Series(-1.0, index=market.index), FREE)
    assert result.equity[-1] == 0.0
    assert result.performance.total_return == -1.0
    assert any("lost everything" in note for note in result.notes)
    trade = result.trades.iloc[0]
    assert trade["net_return"] == -1.0
    assert not trade["open"]
    with_other = backtest(
        panel(market, market_of([100.0] * 4, symbol="B")), pd.Series(-1.0, index=market.index), FREE
    )
    assert with_other.equity[-1] == pytest.approx(0.5)


def test_benchmarks_share_bars_and_costs():
    market = random_walk(400, seed=2, symbols=("A", "B"))
    said = random_probabilities(market).iloc[100:300]
    for sizing in SIZINGS:
        terms = BacktestSettings(sizing=sizing, volatility_window_bars=24)
        model = backtest(market, said, terms)
        others = benchmarks(market, said, terms, horizon_bars=12)
        assert list(others) == ["buy_and_hold", "momentum", "mean_reversion"]
        for other in others.values():
            assert list(other.time) == list(model.time)
            assert other.settings.cost == terms.cost
        assert others["buy_and_hold"].activity.n_trades == 2
        assert others["momentum"].activity.n_trades > 2
    with pytest.raises(ConfigError, match="need a window"):
        benchmarks(market, said, horizon_bars=1)


def test_a_rule_trades_where_the_model_spoke():
    market = market_of([100.0] * 6)
    said = pd.Series([0.0, 0.0, 0.0], index=market.index[1:4])
    rule = np.array([1.0, 1.0, np.nan, -1.0, 1.0, 1.0])
    assert rule_backtest(market, rule, said, FREE).position.tolist() == [0.0, 1.0, 0.0, -1.0]


def test_a_backtest_does_not_load_the_models():
    code = "import sys, onward.evaluation.backtest; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
