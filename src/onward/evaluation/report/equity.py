"""What acting on the out-of-fold signals would have earned, beside holding and the naive rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.backtest import Backtest, Performance, backtest, buy_and_hold
from onward.evaluation.baselines import rule_signals
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.downsampling import bucket_edges, run_lengths, short_floats
from onward.evaluation.report.tables import Cell, Table, table
from onward.types import to_ns

__all__ = ["EquityView", "equity_view", "model_signal", "simulations"]

MOST_POINTS = 1_500
FALLS = ("Model", "Buy and hold")
"""Strategies whose falls are drawn: more than two lines hide each other."""
COLUMNS = (
    "Strategy",
    "Total return",
    "A year",
    "Volatility",
    "Sharpe",
    "Sortino",
    "Deepest fall",
    "Time invested",
    "Turnover a year",
    "Trades",
)


@dataclass(frozen=True)
class EquityView:
    """Equity curves, their figures, and one sentence that says how it went.

    Attributes
    ----------
    summary
        What became of 1 unit of money.
    costs
        The costs in words.
    table
        Figures of each strategy.
    by_symbol
        Figures of the model for each symbol; None for a single symbol.
    chart
        Data of the chart, plain JSON values.
    """

    summary: str
    costs: str
    table: Table
    by_symbol: Table | None
    chart: dict[str, Any]


def model_signal(content: ReportContent) -> pd.Series:
    """Return the most probable class of every scored row, -1, 0 or 1, by (symbol, open time)."""
    chosen = content.oof.probability.argmax(axis=1) - 1
    return pd.Series(chosen.astype(np.float64), index=content.oof.spans.index)


def simulations(content: ReportContent) -> dict[str, Backtest]:
    """Return the backtest of the model, of holding, and of each naive rule, all over the same bars."""
    signal = model_signal(content)
    market = content.market
    costs = {"fee_bps": content.fee_bps, "slippage_bps": content.slippage_bps}
    rows = market.index.get_indexer(content.oof.spans.index).astype(np.int64)
    runs = {
        "Model": backtest(market, signal, **costs),
        "Model before costs": backtest(market, signal, fee_bps=0.0, slippage_bps=0.0),
        "Buy and hold": buy_and_hold(market, signal, **costs),
    }
    for name, rule in rule_signals(market, rows, content.oof.spans).items():
        wanted = pd.Series(np.nan_to_num(rule), index=signal.index)
        runs[words.spoken(name).capitalize()] = backtest(market, wanted, **costs)
    return runs


def equity_view(content: ReportContent, runs: Mapping[str, Backtest]) -> EquityView:
    """Return the equity section of a report."""
    model = runs["Model"]
    return EquityView(
        summary=_summary(runs),
        costs=(
            f"{words.number(content.fee_bps, 1)} bps fee and {words.number(content.slippage_bps, 1)} bps "
            "slippage of the value traded, each side"
        ),
        table=table("Figures of each strategy", COLUMNS, [_row(n, r.performance) for n, r in runs.items()]),
        by_symbol=_by_symbol(model.by_symbol) if len(model.by_symbol) > 1 else None,
        chart=_chart(runs),
    )


def _summary(runs: Mapping[str, Backtest]) -> str:
    def became(name: str) -> str:
        return words.number(1.0 + runs[name].performance.total_return, 2)

    model = runs["Model"].performance
    return (
        f"Acting on the model's signals turned 1.00 into {became('Model')} after costs "
        f"({became('Model before costs')} before them), holding into {became('Buy and hold')}. On the way "
        f"the model's equity fell by up to {words.percent(-model.max_drawdown, 0)}."
    )


def _row(name: str, figures: Performance) -> tuple[str | Cell, ...]:
    total = figures.total_return
    return (
        Cell(name, "strong") if name == "Model" else name,
        Cell(words.signed_percent(total), "good" if total > 0 else "bad" if total < 0 else ""),
        words.signed_percent(figures.cagr),
        words.percent(figures.volatility),
        words.signed(figures.sharpe, 2),
        words.signed(figures.sortino, 2),
        words.percent(figures.max_drawdown),
        words.percent(figures.exposure, 0),
        f"{words.number(figures.turnover, 1)} ×",
        words.count(figures.n_trades),
    )


def _by_symbol(figures: Mapping[str, Performance]) -> Table:
    return table(
        "Figures of the model by symbol, each alone",
        ("Symbol", *COLUMNS[1:]),
        [_row(symbol, one) for symbol, one in figures.items()],
    )


def _chart(runs: Mapping[str, Backtest]) -> dict[str, Any]:
    """Cut every curve into the same buckets: the equity at their end, the deepest fall within."""
    time = to_ns(runs["Model"].time)
    starts = bucket_edges(len(time), MOST_POINTS)
    ends = np.append(starts[1:], len(time)) - 1
    return {
        "time": run_lengths(time[ends]),
        "merged": int(np.diff(starts, append=len(time)).max()),
        "curves": [
            {
                "name": name,
                "equity": short_floats(run.equity[ends]),
                "drawdown": short_floats(100 * np.minimum.reduceat(run.drawdown, starts), 4)
                if name in FALLS
                else None,
            }
            for name, run in runs.items()
        ],
    }
