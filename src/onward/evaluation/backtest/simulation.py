"""The backtest itself: signals in, result out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from onward.errors import DataError
from onward.evaluation.backtest.account import TRADE_COLUMNS, Account, run_account
from onward.evaluation.backtest.portfolio import combined, shares_of
from onward.evaluation.backtest.result import Activity, BacktestResult, Statistics
from onward.evaluation.backtest.settings import BacktestSettings
from onward.evaluation.backtest.signals import aligned
from onward.evaluation.backtest.sizing import target_positions
from onward.evaluation.performance import compounded, performance
from onward.types import FloatArray, IntArray, Market, from_ns

__all__ = ["backtest", "decisions"]

YEAR_NS = 365.25 * 86_400 * 1e9


def backtest(
    market: Market, signals: pd.Series | pd.DataFrame, settings: BacktestSettings | None = None
) -> BacktestResult:
    """Simulate acting on signals under stated terms.

    A signal is decided at the close of its bar and filled at the next bar there is (its open by
    default): a position is carried through a gap, and a signal before a gap is filled after it.
    Bars without a signal between the first and the last one mean flat. The last position is valued
    at the last close and not sold. Shorts pay no borrowing cost. Nothing at a bar depends on
    anything decided or known later.

    Parameters
    ----------
    market
        Bars, and funding where it is to be paid. Simulated are those from the first signal to the
        one after the last (two after it for fills at the next close).
    signals
        By (symbol, open time) of the deciding bar: a Series of sides or target positions (-1
        short, 0 flat, 1 long, a share of equity), or a DataFrame with ``signal`` or
        ``down range up`` as predictions have. NaN means flat; signals of bars that the market does
        not have are ignored.
    settings
        The terms; default: `BacktestSettings()`.

    Raises
    ------
    DataError
        When signals cannot be read, belong to no bar, or a bar has two; when sizing needs
        probabilities and there are none.
    ConfigError
        When weights leave a traded symbol out.
    """
    terms = settings if settings is not None else BacktestSettings()
    target, window = decisions(market, signals, terms)
    accounts: dict[str, Account] = {}
    for symbol in market.symbols:
        account = run_account(market, symbol, target, window, terms)
        if account is not None:
            accounts[symbol] = account
    if terms.weights is not None:
        accounts = {s: a for s, a in accounts.items() if terms.weights.get(s, 1.0) > 0.0} or accounts
    whole = combined(accounts, terms)
    trades = _trades(accounts)
    curves = {
        name: getattr(whole, name) for name in ("exposure", "net_exposure", "turnover", "cost", "funding")
    }
    figures = {symbol: _of_one(market, terms, account) for symbol, account in accounts.items()}
    return BacktestResult(
        settings=terms,
        notes=_notes(market, accounts, terms),
        time=from_ns(whole.time),
        net_return=whole.net_return,
        equity=compounded(whole.net_return),
        **curves,
        bars=_bars(market, accounts),
        trades=trades,
        statistics=next(iter(figures.values()))
        if len(figures) == 1
        else _statistics(market, terms, whole.time, whole.net_return, curves, accounts, trades),
        by_symbol=MappingProxyType(figures),
        market=market,
    )


def decisions(
    market: Market, signals: pd.Series | pd.DataFrame, settings: BacktestSettings
) -> tuple[FloatArray, tuple[int, int]]:
    """Return the target decided at each bar (NaN where nothing was said) and the first and last moment.

    Raises
    ------
    DataError
        When nothing was said at any bar of the market.
    """
    said = aligned(market, signals)
    target = target_positions(market, said, settings)
    moments = market.open_time_ns[~np.isnan(target)]
    if len(moments) == 0:
        raise DataError(
            "No signal belongs to a bar of the market",
            got=f"{len(signals)} signals, {len(market)} bars of {', '.join(market.symbols) or 'no symbol'}",
            allowed="signals indexed by (symbol, open time), known values",
            remedy="Pass the market that the signals were made on.",
        )
    return target, (int(moments.min()), int(moments.max()))


def _bars(market: Market, accounts: Mapping[str, Account]) -> pd.DataFrame:
    rows = np.concatenate([account.rows for account in accounts.values()])
    columns = {
        "position": "position",
        "exposure": "exposure",
        "net_return": "net",
        "turnover": "traded",
        "cost": "cost",
        "funding": "funding",
    }
    values = {
        name: np.concatenate([getattr(account.outcome, field) for account in accounts.values()])
        for name, field in columns.items()
    }
    return pd.DataFrame(values, index=market.index[rows])


def _trades(accounts: Mapping[str, Account]) -> pd.DataFrame:
    parts = [account.trades for account in accounts.values() if len(account.trades)]
    if not parts:
        return next(iter(accounts.values())).trades
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["entry_time", "symbol"], kind="stable", ignore_index=True)[list(TRADE_COLUMNS)]


def _of_one(market: Market, settings: BacktestSettings, account: Account) -> Statistics:
    outcome = account.outcome
    curves = {
        "exposure": np.abs(outcome.exposure),
        "net_exposure": outcome.exposure,
        "turnover": outcome.traded,
        "cost": outcome.cost,
        "funding": outcome.funding,
    }
    own = {account.symbol: account}
    return _statistics(market, settings, account.time, outcome.net, curves, own, account.trades)


def _statistics(
    market: Market,
    settings: BacktestSettings,
    time: IntArray,
    net: FloatArray,
    curves: Mapping[str, FloatArray],
    accounts: Mapping[str, Account],
    trades: pd.DataFrame,
) -> Statistics:
    years = (int(time[-1]) - int(time[0]) + market.timeframe_ns) / YEAR_NS
    a_year = settings.periods_per_year or len(time) / years
    years = len(time) / a_year
    returned = trades["net_return"].to_numpy(dtype=np.float64)
    gained, lost = returned[returned > 0.0], returned[returned < 0.0]
    n = len(returned)
    activity = Activity(
        exposure=float(curves["exposure"].mean()),
        net_exposure=float(curves["net_exposure"].mean()),
        time_invested=float(np.mean(curves["exposure"] > 0.0)),
        turnover=float(curves["turnover"].sum() / years),
        cost_per_year=float(curves["cost"].sum() / years),
        funding_per_year=float(curves["funding"].sum() / years),
        # Restoring a target that already holds trades a rounding error, which is no order.
        n_orders=sum(int(np.count_nonzero(a.outcome.traded > 1e-12)) for a in accounts.values()),
        n_trades=n,
        trade_hit_rate=len(gained) / n if n else np.nan,
        trade_profit_factor=float(gained.sum() / -lost.sum()) if len(lost) else np.nan,
        average_trade=float(returned.mean()) if n else np.nan,
        median_trade=float(np.median(returned)) if n else np.nan,
        best_trade=float(returned.max()) if n else np.nan,
        worst_trade=float(returned.min()) if n else np.nan,
        average_trade_bars=float(trades["bars"].mean()) if n else np.nan,
    )
    return Statistics(performance(net, periods_per_year=a_year), activity)


def _notes(market: Market, accounts: Mapping[str, Account], settings: BacktestSettings) -> tuple[str, ...]:
    notes = [f"Each signal is {settings.sentence}."]
    if not settings.pay_funding:
        notes.append("Funding is not paid.")
    elif "funding" not in market.series:
        notes.append("The market has no funding series: none is paid.")
    else:
        counts = [account.funding for account in accounts.values() if account.funding is not None]
        total, unknown = sum(f.n_settlements for f in counts), sum(f.n_unknown for f in counts)
        notes.append(f"Funding is paid at {total:,} settlements of the funding series.")
        if unknown:
            notes.append(f"{unknown:,} of them have no known rate and are paid as 0.")
        bare = [s for s, a in accounts.items() if a.funding is not None and a.funding.n_settlements == 0]
        if bare:
            notes.append(f"No settlement falls into the bars of {', '.join(bare)}.")
    if len(accounts) > 1:
        shares = shares_of(list(accounts), settings)
        kept = "restored in every bar" if settings.capital == "restored" else "left alone from then on"
        equal = np.allclose(shares, shares[0])
        how = "equal shares" if equal else "shares by weight"
        notes.append(f"{len(accounts)} symbols start with {how} of the capital, {kept}.")
    ruined = [s for s, a in accounts.items() if (a.outcome.net == -1.0).any()]
    if ruined:
        notes.append(f"The account of {', '.join(ruined)} lost everything.")
    return tuple(notes)
