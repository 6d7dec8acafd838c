"""One symbol's account: orders from targets, the simulation, its round trips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.evaluation.backtest.funding import Funding, funding_by_bar
from onward.evaluation.backtest.settings import BacktestSettings
from onward.kernels.backtest import Simulation, simulate
from onward.types import FloatArray, IntArray, Market, from_ns

__all__ = ["TRADE_COLUMNS", "Account", "bars_needed", "run_account"]

TRADE_COLUMNS = (
    "symbol",
    "side",
    "entry_time",
    "exit_time",
    "bars",
    "entry_price",
    "exit_price",
    "size",
    "net_return",
    "open",
)


@dataclass(frozen=True, eq=False)
class Account:
    """A simulated account of one symbol.

    Attributes
    ----------
    symbol
        The symbol.
    rows
        Rows of the market that were simulated, shape (n,).
    time
        Their open times, ns UTC.
    outcome
        What the kernel found.
    funding
        What settled within the bars; None when none is paid.
    trades
        Round trips, columns `TRADE_COLUMNS`.
    """

    symbol: str
    rows: IntArray
    time: IntArray
    outcome: Simulation
    funding: Funding | None
    trades: pd.DataFrame


def bars_needed(settings: BacktestSettings) -> int:
    """Return how many bars after a decision are needed until it has earned something."""
    return 2 if settings.fill == "next_close" else 1


def run_account(
    market: Market,
    symbol: str,
    target: FloatArray,
    window: tuple[int, int],
    settings: BacktestSettings,
) -> Account | None:
    """Simulate one symbol over the bars that decisions reach; None when there is no such bar.

    Parameters
    ----------
    market
        The bars.
    symbol
        The symbol.
    target
        Target position decided at each bar of the market, NaN where nothing was said: flat within
        the window, kept after it.
    window
        Open times of the first and last decision of all symbols, ns UTC.
    settings
        The terms.
    """
    own = market.rows[symbol]
    times = market.open_time_ns[own]
    start = int(np.searchsorted(times, window[0]))
    decided = int(np.searchsorted(times, window[1], side="right"))
    stop = min(decided + bars_needed(settings), len(times))
    if stop <= start:
        return None
    rows = np.arange(own.start + start, own.start + stop, dtype=np.int64)
    time = np.ascontiguousarray(market.open_time_ns[rows])
    wanted = target[rows]
    wanted[: decided - start] = np.nan_to_num(wanted[: decided - start])
    if settings.fill != "same_close":
        wanted = np.concatenate(([0.0], wanted[:-1]))
    open_, close = (_prices(market, name, rows) for name in ("open", "close"))
    paid = funding_by_bar(market, symbol, time) if settings.pay_funding else None
    nothing = np.zeros(len(rows))
    outcome = simulate(
        open_,
        close,
        np.ascontiguousarray(wanted, dtype=np.float64),
        paid.gap if paid else nothing,
        paid.bar if paid else nothing,
        float(settings.cost),
        settings.fill != "next_open",
        float("inf") if settings.max_drift is None else float(settings.max_drift),
        float(settings.min_change),
    )
    price = open_ if settings.fill == "next_open" else close
    delay = 0 if settings.fill == "next_open" else market.timeframe_ns
    trades = _trades(symbol, outcome, time, delay, price, close, market.timeframe_ns)
    return Account(symbol, rows, time, outcome, paid, trades)


def _prices(market: Market, name: str, rows: IntArray) -> FloatArray:
    return np.ascontiguousarray(market.bars[name].to_numpy(dtype=np.float64)[rows])


def _trades(
    symbol: str,
    outcome: Simulation,
    time: IntArray,
    delay: int,
    price: FloatArray,
    close: FloatArray,
    timeframe: int,
) -> pd.DataFrame:
    entry, exit_ = outcome.entry, outcome.exit
    # The last round trip has no closing fill when its position is still there, or was lost.
    unfilled = np.zeros(len(entry), dtype=bool)
    ruined = np.zeros(len(entry), dtype=bool)
    if len(entry):
        ruined[-1] = outcome.growth[-1] == 0.0
        unfilled[-1] = ruined[-1] or outcome.exposure[-1] != 0.0
    left = np.where(unfilled, time[exit_] + timeframe, time[exit_] + delay)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "side": np.sign(outcome.size).astype(np.int64),
            "entry_time": from_ns(time[entry] + delay),
            "exit_time": from_ns(left),
            "bars": exit_ - entry + (unfilled & (delay == 0)),
            "entry_price": price[entry],
            "exit_price": np.where(unfilled, close[exit_], price[exit_]),
            "size": outcome.size,
            "net_return": outcome.growth - 1.0,
            "open": unfilled & ~ruined,
        },
        columns=list(TRADE_COLUMNS),
    )
