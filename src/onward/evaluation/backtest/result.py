"""What a backtest gives: curves, positions, trades and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from onward.evaluation.backtest.by_regime import regime_table
from onward.evaluation.backtest.settings import BacktestSettings
from onward.evaluation.performance import Performance, drawdown
from onward.types import FloatArray, Market

__all__ = ["Activity", "BacktestResult", "Statistics"]


@dataclass(frozen=True)
class Activity:
    """What was traded and held. Shares of the equity of the moment; per-year figures by calendar.

    Attributes
    ----------
    exposure
        Mean gross exposure (absolute value held over equity).
    net_exposure
        Mean signed exposure.
    time_invested
        Share of bars that end with a position.
    turnover
        Value traded over equity, a year.
    cost_per_year, funding_per_year
        Fees and slippage paid, and funding paid (positive) or received, over equity, a year.
    n_orders
        Fills.
    n_trades
        Round trips: a position that keeps its side from opening to closing; one that is open at
        the end counts.
    trade_hit_rate
        Share of round trips that ended with a gain after all costs.
    trade_profit_factor
        Sum of their gains over sum of their losses.
    average_trade, median_trade, best_trade, worst_trade
        Net return of a round trip, a share of the symbol's equity at its opening.
    average_trade_bars
        Bars that a round trip was held, mean.
    """

    exposure: float
    net_exposure: float
    time_invested: float
    turnover: float
    cost_per_year: float
    funding_per_year: float
    n_orders: int
    n_trades: int
    trade_hit_rate: float
    trade_profit_factor: float
    average_trade: float
    median_trade: float
    best_trade: float
    worst_trade: float
    average_trade_bars: float


@dataclass(frozen=True)
class Statistics:
    """Figures of one curve: what it earned, and what was done for it."""

    performance: Performance
    activity: Activity

    def to_dict(self) -> dict[str, float]:
        """Return all figures by name."""
        return {**self.performance.to_dict(), **asdict(self.activity)}


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """Outcome of a backtest of one symbol or a portfolio.

    Attributes
    ----------
    settings
        The terms, fill and sizing included.
    notes
        What a reader should know: whether funding was paid, symbols that never traded ...
    time
        Open time of each bar of the simulation, UTC, shape (n,): every moment at which a symbol
        has a bar.
    net_return
        Net return of the portfolio from the close of the bar before, shape (n,).
    equity
        Growth of 1, after all costs, at the close of each bar, shape (n,).
    exposure, net_exposure
        Gross and signed exposure at the close of each bar, shape (n,).
    turnover, cost, funding
        Value traded, costs and funding paid in each bar over the equity, shape (n,).
    bars
        By (symbol, open time) of the simulated bars: ``position`` (target held at the close),
        ``exposure`` (target moved by prices since), ``net_return``, ``turnover``, ``cost``,
        ``funding``; of each symbol's own account.
    trades
        Round trips by entry time: ``symbol side entry_time exit_time bars entry_price exit_price
        size net_return open``. Times (UTC) and prices are those of the fills; ``net_return`` is
        growth of the symbol's account, all costs included; ``open`` ones are valued at the last
        close.
    statistics
        Figures of the portfolio.
    by_symbol
        Figures of each symbol's own account.
    market
        The bars that were traded.
    """

    settings: BacktestSettings
    notes: tuple[str, ...]
    time: pd.DatetimeIndex
    net_return: FloatArray
    equity: FloatArray
    exposure: FloatArray
    net_exposure: FloatArray
    turnover: FloatArray
    cost: FloatArray
    funding: FloatArray
    bars: pd.DataFrame
    trades: pd.DataFrame
    statistics: Statistics
    by_symbol: Mapping[str, Statistics]
    market: Market

    @property
    def performance(self) -> Performance:
        """Figures of the portfolio's returns."""
        return self.statistics.performance

    @property
    def activity(self) -> Activity:
        """What the portfolio traded and held."""
        return self.statistics.activity

    @property
    def position(self) -> pd.Series:
        """Target position held at the close of each simulated bar, by (symbol, open time)."""
        return self.bars["position"]

    @cached_property
    def drawdown(self) -> FloatArray:
        """Fall from the highest equity so far, a share of it, 0 or negative, shape (n,)."""
        return drawdown(self.equity)

    @cached_property
    def by_regime(self) -> pd.DataFrame:
        """Figures by volatility and trend regime, see `onward.evaluation.backtest.by_regime`."""
        return regime_table(self.market, self.bars, self.settings.regime_window_bars)

    @property
    def frame(self) -> pd.DataFrame:
        """Curves by open time: net return, equity, drawdown, exposures, turnover, cost, funding."""
        curves = ("net_return", "equity", "drawdown", "exposure", "net_exposure")
        columns = {name: np.asarray(getattr(self, name)) for name in (*curves, "turnover", "cost", "funding")}
        return pd.DataFrame(columns, index=self.time.rename("open_time"))
