"""What acting on the out-of-fold signals would have earned, beside holding and the naive rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.backtest import Activity, BacktestResult, BacktestSettings, Statistics
from onward.evaluation.performance import Performance
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.downsampling import bucket_edges, run_lengths, short_floats
from onward.evaluation.report.tables import Cell, Row, Table, records, table
from onward.evaluation.strategies import said_of_price, strategy_backtests
from onward.types import to_ns

__all__ = ["EquityView", "equity_view", "model_signal", "simulations", "terms_of"]

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
    terms
        How orders were filled and sized, whether funding was paid: one sentence each.
    table
        Figures of each strategy.
    details
        Everything else about the model and holding: tails, falls, trades, costs, funding.
    regimes
        The model by volatility and by trend regime.
    by_symbol
        Figures of the model for each symbol; None for a single symbol.
    chart
        Data of the chart, plain JSON values.
    """

    summary: str
    costs: str
    terms: tuple[str, ...]
    table: Table
    details: Table
    regimes: tuple[Table, ...]
    by_symbol: Table | None
    chart: dict[str, Any]

    @property
    def positive(self) -> bool:
        """Whether every value drawn is above zero, so that a log scale can show it."""
        return all(value is None or value > 0 for curve in self.chart["curves"] for value in curve["equity"])


def model_signal(content: ReportContent) -> pd.DataFrame:
    """Return what the model said about the price at every scored row (see `said_of_price`)."""
    return said_of_price(
        content.market, content.oof, terms_of(content), primary=content.primary, verdicts=content.verdicts
    )


def terms_of(content: ReportContent) -> BacktestSettings:
    """Return the terms of the equity curves: those of the content, else its costs with the defaults."""
    return content.backtest or BacktestSettings(fee_bps=content.fee_bps, slippage_bps=content.slippage_bps)


def simulations(content: ReportContent) -> dict[str, BacktestResult]:
    """Return the backtest of the model, of holding, and of each naive rule, by their names in the report."""
    runs = strategy_backtests(
        content.market, content.oof, terms_of(content), primary=content.primary, verdicts=content.verdicts
    )
    return {words.spoken(name).capitalize(): run for name, run in runs.items()}


def equity_view(content: ReportContent, runs: Mapping[str, BacktestResult]) -> EquityView:
    """Return the equity section of a report."""
    model = runs["Model"]
    terms = terms_of(content)
    return EquityView(
        summary=_summary(runs),
        costs=(
            f"{words.number(terms.fee_bps, 1)} bps fee and {words.number(terms.slippage_bps, 1)} bps "
            "slippage of the value traded, each side"
        ),
        terms=model.notes,
        table=table("Figures of each strategy", COLUMNS, [_row(n, r.statistics) for n, r in runs.items()]),
        details=_details(model, runs["Buy and hold"]),
        regimes=_regimes(model.by_regime),
        by_symbol=_by_symbol(model.by_symbol) if len(model.by_symbol) > 1 else None,
        chart=_chart(runs),
    )


def _summary(runs: Mapping[str, BacktestResult]) -> str:
    def became(name: str) -> str:
        return words.number(1.0 + runs[name].performance.total_return, 2)

    model = runs["Model"].performance
    return (
        f"Acting on the model's signals turned 1.00 into {became('Model')} after costs "
        f"({became('Model before costs')} before them), holding into {became('Buy and hold')}. On the way "
        f"the model's equity fell by up to {words.percent(-model.max_drawdown, 0)}."
    )


def _row(name: str, figures: Statistics) -> tuple[str | Cell, ...]:
    earned, done = figures.performance, figures.activity
    total = earned.total_return
    return (
        Cell(name, "strong") if name == "Model" else name,
        Cell(words.signed_percent(total), "good" if total > 0 else "bad" if total < 0 else ""),
        words.signed_percent(earned.cagr),
        words.percent(earned.volatility),
        words.signed(earned.sharpe, 2),
        words.signed(earned.sortino, 2),
        words.percent(earned.max_drawdown),
        words.percent(done.time_invested, 0),
        f"{words.number(done.turnover, 1)} ×",
        words.count(done.n_trades),
    )


def _details(model: BacktestResult, holding: BacktestResult) -> Table:
    """Return the rarer figures of the model beside those of holding, one a row."""
    both = (model.statistics, holding.statistics)

    def earned(label: str, shown: Callable[[Performance], str]) -> Row:
        return [label, *(shown(one.performance) for one in both)]

    def done(label: str, shown: Callable[[Activity], str]) -> Row:
        return [label, *(shown(one.activity) for one in both)]

    rows: list[Row] = [
        earned("Calmar (a year over deepest fall)", lambda p: words.signed(p.calmar, 2)),
        earned("Longest time below a peak, bars", lambda p: words.count(p.max_drawdown_periods)),
        earned("Ulcer index (root mean square of the falls)", lambda p: words.percent(p.ulcer_index)),
        earned("Bars with a gain, of those that moved", lambda p: words.percent(p.hit_rate)),
        earned("Profit factor (gains over losses)", lambda p: words.number(p.profit_factor, 2)),
        earned("Skewness", lambda p: words.signed(p.skewness, 2)),
        earned("Excess kurtosis", lambda p: words.signed(p.excess_kurtosis, 1)),
        earned("Value at risk, a bar, 5 %", lambda p: words.percent(p.value_at_risk, 2)),
        earned("Mean loss beyond it", lambda p: words.percent(p.expected_shortfall, 2)),
        done("Gross exposure, mean", lambda a: words.percent(a.exposure, 0)),
        done("Net exposure, mean", lambda a: words.signed_percent(a.net_exposure, 0)),
        done("Fees and slippage, a year", lambda a: words.percent(a.cost_per_year)),
        done("Funding paid, a year", lambda a: words.signed_percent(a.funding_per_year)),
        done("Fills", lambda a: words.count(a.n_orders)),
        done("Round trips with a gain", lambda a: words.percent(a.trade_hit_rate)),
        done("Average round trip", lambda a: words.signed_percent(a.average_trade, 2)),
        done("Bars a round trip is held, mean", lambda a: words.number(a.average_trade_bars, 1)),
    ]
    return table("Further figures", ("Figure", "Model", "Buy and hold"), rows, narrow=True)


def _regimes(figures: pd.DataFrame) -> tuple[Table, ...]:
    columns = ("Bars", "Exposure", "Growth", "Sharpe, a bar", "Bars with a gain")
    return tuple(
        table(
            f"The model by {kind} regime, as known when each bar opened",
            (kind.capitalize(), *columns),
            [_regime(str(name), row) for name, row in zip(part.index, records(part), strict=True)],
        )
        for kind, part in (
            (str(kind), figures.loc[kind]) for kind in figures.index.get_level_values(0).unique()
        )
    )


def _regime(name: str, row: Mapping[str, Any]) -> Row:
    return [
        name,
        words.count(row["bars"]),
        words.percent(row["exposure"], 0),
        words.signed_percent(float(np.expm1(row["log_growth"]))),
        words.signed(row["sharpe_per_period"], 3),
        words.percent(row["hit_rate"]),
    ]


def _by_symbol(figures: Mapping[str, Statistics]) -> Table:
    return table(
        "Figures of the model by symbol, each alone",
        ("Symbol", *COLUMNS[1:]),
        [_row(symbol, one) for symbol, one in figures.items()],
    )


def _chart(runs: Mapping[str, BacktestResult]) -> dict[str, Any]:
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
