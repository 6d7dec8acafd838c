"""The equity section of a report: terms, further figures and regimes beside the curves."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.evaluation.backtest import BacktestSettings
from onward.evaluation.oof import OutOfFold
from onward.evaluation.report.equity import equity_view, simulations, terms_of
from onward.testing.markets import random_walk
from onward.types import Market, Spans

HOUR = 3_600_000_000_000


@dataclass(frozen=True)
class Content:
    """The parts of a report's content that the equity section reads."""

    market: Market
    oof: OutOfFold
    fee_bps: float = 5.0
    slippage_bps: float = 2.0
    backtest: BacktestSettings | None = None
    primary: np.ndarray | None = None
    verdicts: np.ndarray | None = None


def content_of(**changes):
    market = random_walk(900, seed=3)
    rows = np.arange(100, 800)
    start = market.decision_time_ns[rows]
    generator = np.random.default_rng(1)
    probability = generator.dirichlet([2.0, 2.0, 2.0], len(rows))
    y = generator.integers(-1, 2, len(rows))
    spans = Spans(market.index[rows], start, start + 24 * HOUR)
    prior = np.full((len(rows), 3), 1.0 / 3.0)
    return Content(
        market, OutOfFold(spans, np.zeros(len(rows), dtype=np.int64), y, probability, prior), **changes
    )


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_costs_of_the_content_are_the_default_terms():
    content = content_of(fee_bps=3.0)
    assert terms_of(content) == BacktestSettings(fee_bps=3.0, slippage_bps=2.0)
    terms = BacktestSettings(sizing="probability", fill="next_close")
    assert terms_of(content_of(backtest=terms)) is terms


def test_everything_is_simulated_under_the_same_terms():
    terms = BacktestSettings(
        sizing="volatility_target", volatility_window_bars=24, sides="long", fill="next_close"
    )
    runs = simulations(content_of(backtest=terms))
    assert list(runs) == ["Model", "Model before costs", "Buy and hold", "Momentum", "Mean reversion"]
    for run in runs.values():
        assert list(run.time) == list(runs["Model"].time)
        assert run.settings.fill == "next_close"
        assert run.position.min() >= 0.0
    assert runs["Model before costs"].cost.sum() == 0.0


def test_the_section_says_its_terms_figures_and_regimes():
    content = content_of()
    runs = simulations(content)
    found = equity_view(content, runs)
    assert "next bar's open" in found.terms[0]
    assert "none is paid" in found.terms[1]
    model, regimes = runs["Model"], runs["Model"].by_regime
    details = {row[0]: row[1:] for row in texts(found.details)}
    assert details["Fills"][0] == f"{model.activity.n_orders:,}"
    assert details["Bars with a gain, of those that moved"][0] == f"{100 * model.performance.hit_rate:.1f} %"
    assert [len(table.rows) for table in found.regimes] == [4, 4]
    calm = texts(found.regimes[0])[0]
    assert calm[:2] == ["calm", f"{regimes.loc[('volatility', 'calm'), 'bars']:,}"]
    assert found.by_symbol is None


def test_the_drawn_fall_is_the_deepest():
    content = content_of()
    runs = simulations(content)
    chart = equity_view(content, runs).chart
    drawn = min(chart["curves"][0]["drawdown"])
    assert drawn == pytest.approx(100 * runs["Model"].performance.max_drawdown, abs=1e-3)
    assert chart["curves"][0]["equity"][-1] == pytest.approx(runs["Model"].equity[-1], rel=1e-4)


def test_the_page_of_performance_runs():
    page = (Path(__file__).parents[3] / "docs/explanation/backtest.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```python\n")[1:]]
    space = {"np": np, "pd": pd}
    for block in blocks:
        exec(compile(block, "backtest.md", "exec"), space)
    assert space["figures"].sharpe != 0.0
    assert len(space["result"].equity)


def test_verdicts_on_a_primary_signal_are_traded_as_that_signal():
    plain = content_of()
    primary = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], len(plain.market))
    content = replace(plain, primary=primary, backtest=BacktestSettings(act_above=0.4))
    runs = simulations(content)
    assert list(runs)[3] == "Primary signal"
    held = runs["Model"].position.to_numpy()[1:]
    pays = content.oof.probability[:, 2] > 0.4
    assert held.tolist() == (primary[100:800] * pays).tolist()
    assert runs["Primary signal"].position.to_numpy()[1:].tolist() == primary[100:800].tolist()
    assert texts(equity_view(content, runs).table)[0][0] == "Model"
    assert "Primary signal" not in simulations(plain)
