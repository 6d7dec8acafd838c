"""Equity after costs: what acting on the out-of-fold signals would have earned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import ConfigError, DataError
from onward.kernels.backtest import net_returns
from onward.types import FloatArray, IntArray, Market, from_ns, to_ns

__all__ = ["Backtest", "Performance", "backtest", "buy_and_hold", "drawdown", "performance"]

MOST_A_YEAR = 50.0
"""Log growth a year beyond which a figure says nothing (a day's 15 % over again every day)."""
YEAR = pd.Timedelta(days=365.25)


@dataclass(frozen=True)
class Performance:
    """Figures of one equity curve. Shares, not percent; per-year figures by calendar time.

    Attributes
    ----------
    total_return, cagr
        Growth over the whole period, and a year; the latter NaN when a short period would make it
        astronomical.
    volatility
        Standard deviation of bar returns x sqrt(bars a year).
    sharpe
        Mean over standard deviation of bar returns x sqrt(bars a year), no risk-free rate; NaN
        when nothing moved.
    sortino
        The same over the root mean square of the negative bar returns; NaN when there is none.
    max_drawdown
        Deepest fall from a former peak of the equity, negative or 0.
    calmar
        ``cagr`` over the depth of the deepest fall; NaN when there is none.
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
    sortino: float
    max_drawdown: float
    calmar: float
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
        Open time of each bar of the simulation, UTC, shape (n,).
    net_return
        Mean net return of the symbols that have a bar then, shape (n,).
    equity
        Growth of 1, after costs, at the end of each bar, shape (n,).
    position
        Position held in each simulated bar by (symbol, open time).
    performance
        Figures of the curve.
    by_symbol
        Figures of each symbol alone.
    """

    time: pd.DatetimeIndex
    net_return: FloatArray
    equity: FloatArray
    position: pd.Series
    performance: Performance
    by_symbol: Mapping[str, Performance]

    @property
    def drawdown(self) -> FloatArray:
        """Fall from the highest equity so far, a share of it, 0 or negative, shape (n,)."""
        return drawdown(self.equity)


@dataclass(frozen=True, eq=False)
class _Holding:
    """What one symbol earned: rows of the market, net return and position of each."""

    rows: IntArray
    net: FloatArray
    held: FloatArray
    performance: Performance


def backtest(market: Market, signal: pd.Series, *, fee_bps: float, slippage_bps: float) -> Backtest:
    """Simulate acting on signals: decided at the close of a bar, filled at the next bar's open.

    The next bar is the next one there is: a position is carried through a gap, and a signal
    before a gap is filled after it. The last position is valued at the last close and not sold.
    Shorts pay no borrowing cost or funding here. With several symbols each is given an equal share
    of the equity at every bar.

    Parameters
    ----------
    market
        Bars. Those from the first signal to one after the last are simulated.
    signal
        Target position by (symbol, open time) of the deciding bar, as a share of equity: -1 short,
        0 flat, 1 long. Bars without a signal, or with NaN, mean flat.
    fee_bps, slippage_bps
        Cost of a trade, basis points of the value traded, each side.

    Raises
    ------
    DataError
        When no signal belongs to a bar of the market, or a bar has two.
    ConfigError
        When costs are negative or eat the whole trade.
    """
    cost = _cost(fee_bps, slippage_bps)
    target = _targets(market, signal)
    decided = market.open_time_ns[~np.isnan(target)]
    if len(decided) == 0:
        raise DataError(
            "no signal belongs to a bar of the market",
            got=f"{len(signal)} signals, {len(market)} bars of {', '.join(market.symbols) or 'no symbol'}",
            allowed="signals indexed by (symbol, open time), known values",
            remedy="Pass the market that the signals were made on.",
        )
    first, last = int(decided.min()), int(decided.max())
    holdings: dict[str, _Holding] = {}
    for symbol, rows in market.rows.items():
        times = market.open_time_ns[rows]
        start = int(np.searchsorted(times, first))
        # One bar more than the last decision: it is the one in which that decision is held.
        stop = min(int(np.searchsorted(times, last, side="right")) + 1, len(times))
        if stop > start:
            chosen = np.arange(rows.start + start, rows.start + stop, dtype=np.int64)
            holdings[symbol] = _hold(market, chosen, np.nan_to_num(target[chosen]), cost)
    return _portfolio(market, holdings)


def buy_and_hold(market: Market, signal: pd.Series, *, fee_bps: float, slippage_bps: float) -> Backtest:
    """Return the same simulation for holding every symbol over the bars that signals reach."""
    target = _targets(market, signal)
    decided = market.open_time_ns[~np.isnan(target)]
    first, last = (int(decided.min()), int(decided.max())) if len(decided) else (1, 0)
    within = (market.open_time_ns >= first) & (market.open_time_ns <= last)
    held = pd.Series(1.0, index=market.index[within])
    return backtest(market, held, fee_bps=fee_bps, slippage_bps=slippage_bps)


def drawdown(equity: FloatArray) -> FloatArray:
    """Return the fall from the highest value so far (1 included, where the curve starts), shape (n,)."""
    peak = np.maximum(np.maximum.accumulate(equity), 1.0) if len(equity) else equity
    return np.asarray(equity / peak - 1.0, dtype=np.float64)


def performance(net: FloatArray, held: FloatArray, years: float) -> Performance:
    """Return the figures of bar returns and positions over a number of years.

    With ``years = n / periods_per_year`` they are the textbook figures of `n` periods.

    Parameters
    ----------
    net
        Net return of each bar, shape (n,).
    held
        Position in each bar, shape (n,).
    years
        Calendar time that the bars cover.
    """
    equity = _growth(net)
    total = float(equity[-1] - 1.0) if len(equity) else 0.0
    a_year = len(net) / years if years > 0 else float("nan")
    deviation = float(net.std(ddof=1)) if len(net) > 1 else 0.0
    downside = float(np.sqrt(np.mean(np.minimum(net, 0.0) ** 2))) if len(net) else 0.0
    mean = float(net.mean()) if len(net) else 0.0
    cagr = _a_year(total, years)
    deepest = float(drawdown(equity).min(initial=0.0))
    changes = np.abs(np.diff(held, prepend=0.0))
    # A constant return has no deviation beyond rounding; its ratio would be a huge accident.
    nothing = 1e-12 * max(abs(mean), 1e-300)
    return Performance(
        total_return=total,
        cagr=cagr,
        volatility=deviation * a_year**0.5,
        sharpe=mean / deviation * a_year**0.5 if deviation > nothing else float("nan"),
        sortino=mean / downside * a_year**0.5 if downside > 0.0 else float("nan"),
        max_drawdown=deepest,
        calmar=cagr / -deepest if deepest < 0.0 else float("nan"),
        exposure=float(np.abs(held).mean()) if len(held) else 0.0,
        turnover=float(changes.sum() / years) if years > 0 else float("nan"),
        n_trades=int(np.count_nonzero(changes)),
    )


def _cost(fee_bps: float, slippage_bps: float) -> float:
    if not (fee_bps >= 0.0 and slippage_bps >= 0.0 and fee_bps + slippage_bps < 5_000.0):
        raise ConfigError(
            "the costs of a trade are out of range",
            got=f"fee_bps = {fee_bps}, slippage_bps = {slippage_bps}",
            allowed="0 or more each, below 5000 together (turning a position trades it twice)",
            remedy="Give costs in basis points: 5 means 0.05 % of the value traded.",
        )
    return (fee_bps + slippage_bps) / 1e4


def _targets(market: Market, signal: pd.Series) -> FloatArray:
    """Return the target of every bar, NaN where there is none; signals of unknown bars are ignored."""
    target = np.full(len(market), np.nan)
    index = signal.index
    if not isinstance(index, pd.MultiIndex) or index.nlevels != 2:
        raise DataError(
            "signals are not indexed by bars",
            got=f"an index of {index.nlevels} level(s)",
            allowed="(symbol, open time)",
            remedy="Index the signals like the market's bars.",
        )
    codes = np.asarray(index.codes[0])
    stamps = to_ns(pd.DatetimeIndex(index.levels[1]))[np.asarray(index.codes[1])]
    values = signal.to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        raise DataError("a signal is infinite", allowed="a share of equity, or NaN for none")
    for code, symbol in enumerate(index.levels[0]):
        rows = market.rows.get(str(symbol))
        if rows is None:
            continue
        mine = np.flatnonzero(codes == code)
        times = market.open_time_ns[rows]
        place = np.searchsorted(times, stamps[mine])
        there = place < len(times)
        there[there] = times[place[there]] == stamps[mine][there]
        if np.bincount(place[there], minlength=1).max() > 1:
            raise DataError(
                "a bar has two signals",
                got=f"symbol {symbol}",
                allowed="one signal a bar",
                remedy="Drop the duplicates.",
            )
        target[rows.start + place[there]] = values[mine[there]]
    return target


def _hold(market: Market, rows: IntArray, target: FloatArray, cost: float) -> _Holding:
    open_ = np.ascontiguousarray(market.bars["open"].to_numpy(dtype=np.float64)[rows])
    close = np.ascontiguousarray(market.bars["close"].to_numpy(dtype=np.float64)[rows])
    net, held = net_returns(open_, close, target, cost)
    times = market.open_time_ns[rows]
    return _Holding(rows, net, held, performance(net, held, _years(times, market)))


def _portfolio(market: Market, holdings: Mapping[str, _Holding]) -> Backtest:
    rows = np.concatenate([holding.rows for holding in holdings.values()])
    held = np.concatenate([holding.held for holding in holdings.values()])
    net = np.concatenate([holding.net for holding in holdings.values()])
    times = market.open_time_ns[rows]
    if len(holdings) > 1:
        times, place = np.unique(times, return_inverse=True)
        net = np.bincount(place, weights=net) / np.bincount(place)
    figures = {symbol: holding.performance for symbol, holding in holdings.items()}
    combined = next(iter(figures.values()))
    if len(figures) > 1:
        curve = performance(net, np.zeros(len(net)), _years(times, market)).to_dict()
        parts = list(figures.values())
        curve["exposure"] = float(np.mean([part.exposure for part in parts]))
        curve["turnover"] = float(np.mean([part.turnover for part in parts]))
        curve["n_trades"] = sum(part.n_trades for part in parts)
        combined = Performance(**curve)
    return Backtest(
        time=from_ns(times),
        net_return=net,
        equity=_growth(net),
        position=pd.Series(held, index=market.index[rows], name="position"),
        performance=combined,
        by_symbol=MappingProxyType(figures),
    )


def _years(times: IntArray, market: Market) -> float:
    return float((times[-1] - times[0] + market.timeframe_ns) / YEAR.value)


def _a_year(total: float, years: float) -> float:
    if years <= 0.0:
        return float("nan")
    if total <= -1.0:
        return -1.0
    rate = math.log1p(total) / years
    return math.expm1(rate) if rate < MOST_A_YEAR else float("nan")


def _growth(net: FloatArray) -> FloatArray:
    return np.asarray(np.cumprod(1.0 + net), dtype=np.float64)
