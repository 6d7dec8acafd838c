"""Equity after costs: what acting on the out-of-fold signals would have earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.kernels.backtest import net_returns
from onward.types import FloatArray, IntArray, Market

__all__ = ["Backtest", "Performance", "backtest", "buy_and_hold", "performance"]

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Performance:
    """Figures of one equity curve. Shares, not percent; per-year figures by calendar time.

    Attributes
    ----------
    total_return, cagr
        Growth over the whole period, and a year.
    volatility
        Standard deviation of bar returns x sqrt(bars a year).
    sharpe
        Mean over standard deviation of bar returns x sqrt(bars a year), no risk-free rate; NaN
        when nothing moved.
    max_drawdown
        Deepest fall from a former peak of the equity, negative or 0.
    exposure
        Mean absolute position.
    turnover
        Sum of absolute changes of position, a year.
    n_trades
        Number of times the position changed.
    """

    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    max_drawdown: float
    exposure: float
    turnover: float
    n_trades: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Backtest:
    """Equity of a portfolio that gives each symbol an equal share.

    Attributes
    ----------
    time
        Open time of each bar of the simulation, UTC.
    net_return
        Mean net return of the symbols that have a bar then, shape (n,).
    equity
        Growth of 1, after costs, at the end of each bar, shape (n,).
    performance
        Figures of the curve.
    by_symbol
        Figures of each symbol alone.
    """

    time: pd.DatetimeIndex
    net_return: FloatArray
    equity: FloatArray
    performance: Performance
    by_symbol: Mapping[str, Performance]


def backtest(market: Market, signal: pd.Series, *, fee_bps: float, slippage_bps: float) -> Backtest:
    """Simulate acting on signals: decided at the close of a bar, filled at the next open.

    Parameters
    ----------
    market
        Bars; those from the first to one after the last signal are used.
    signal
        Target position by (symbol, open time): -1 short, 0 flat, 1 long. Bars without a signal
        between the first and the last are flat. Shorts pay no borrowing cost or funding here.
    fee_bps, slippage_bps
        Cost of a trade, basis points of the value traded, each side.
    """
    first, last = _reach(market, signal)
    cost = (fee_bps + slippage_bps) / 1e4
    returns: dict[str, pd.Series] = {}
    figures: dict[str, Performance] = {}
    targets = signal.reindex(market.index).to_numpy(np.float64)
    for symbol, rows in market.rows.items():
        times = market.open_time_ns[rows]
        chosen = np.flatnonzero((times >= first) & (times <= last + market.timeframe_ns))
        if len(chosen) == 0:
            continue
        bars = market.bars.iloc[rows].iloc[chosen]
        wanted = np.nan_to_num(targets[rows][chosen], nan=0.0)
        net, held = net_returns(
            bars["open"].to_numpy(np.float64), bars["close"].to_numpy(np.float64), wanted, cost
        )
        index = market.open_time[rows][chosen]
        returns[symbol] = pd.Series(net, index=index)
        figures[symbol] = performance(net, held, _years(index, market.timeframe))
    return _portfolio(returns, figures, market)


def buy_and_hold(market: Market, signal: pd.Series, *, fee_bps: float, slippage_bps: float) -> Backtest:
    """Return the same simulation for holding every symbol over the same bars."""
    first, last = _reach(market, signal)
    within = (market.open_time_ns >= first) & (market.open_time_ns <= last)
    held = pd.Series(1.0, index=market.index[within])
    return backtest(market, held, fee_bps=fee_bps, slippage_bps=slippage_bps)


def performance(net: FloatArray, held: FloatArray, years: float) -> Performance:
    """Return the figures of a series of bar returns and positions over a number of years."""
    equity = np.cumprod(1.0 + net)
    total = float(equity[-1] - 1.0) if len(equity) else 0.0
    a_year = len(net) / years if years > 0 else np.nan
    deviation = float(net.std(ddof=1)) if len(net) > 1 else 0.0
    changes = np.abs(np.diff(held, prepend=0.0))
    peak = np.maximum.accumulate(np.append(1.0, equity))[1:]
    return Performance(
        total_return=total,
        cagr=float((1.0 + total) ** (1.0 / years) - 1.0) if years > 0 and total > -1.0 else float("nan"),
        volatility=deviation * float(np.sqrt(a_year)),
        sharpe=float(net.mean() / deviation * np.sqrt(a_year)) if deviation > 0 else float("nan"),
        max_drawdown=float((equity / peak - 1.0).min(initial=0.0)),
        exposure=float(np.abs(held).mean()) if len(held) else 0.0,
        turnover=float(changes.sum() / years) if years > 0 else float("nan"),
        n_trades=int(np.count_nonzero(changes)),
    )


def _portfolio(returns: Mapping[str, pd.Series], figures: dict[str, Performance], market: Market) -> Backtest:
    if len(returns) == 1:
        symbol, net = next(iter(returns.items()))
        values = net.to_numpy(np.float64)
        return Backtest(
            pd.DatetimeIndex(net.index), values, np.cumprod(1.0 + values), figures[symbol], figures
        )
    table = pd.DataFrame(returns).sort_index()
    values = table.mean(axis=1).to_numpy(np.float64)
    index = pd.DatetimeIndex(table.index)
    whole = performance(values, np.zeros(len(values)), _years(index, market.timeframe))
    mean = {
        name: float(np.mean([getattr(f, name) for f in figures.values()]))
        for name in ("exposure", "turnover")
    }
    trades = sum(f.n_trades for f in figures.values())
    combined = Performance(**{**whole.to_dict(), **mean, "n_trades": trades})
    return Backtest(index, values, np.cumprod(1.0 + values), combined, figures)


def _reach(market: Market, signal: pd.Series) -> tuple[int, int]:
    rows: IntArray = np.asarray(market.index.get_indexer(signal.index), dtype=np.int64)
    times = market.open_time_ns[rows[rows >= 0]]
    return int(times.min()), int(times.max())


def _years(index: pd.DatetimeIndex, timeframe: pd.Timedelta) -> float:
    return float((index[-1] - index[0] + timeframe) / pd.Timedelta(days=DAYS_PER_YEAR))
