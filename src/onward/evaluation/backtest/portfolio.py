"""From the accounts of symbols to one portfolio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onward.errors import ConfigError
from onward.evaluation.backtest.account import Account
from onward.evaluation.backtest.settings import BacktestSettings
from onward.types import FloatArray, IntArray

__all__ = ["Portfolio", "combined", "shares_of"]


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Curves of a portfolio, one value a moment, as in `BacktestResult`."""

    time: IntArray
    net_return: FloatArray
    exposure: FloatArray
    net_exposure: FloatArray
    turnover: FloatArray
    cost: FloatArray
    funding: FloatArray


def shares_of(symbols: Sequence[str], settings: BacktestSettings) -> FloatArray:
    """Return the share of the capital of each symbol, sum 1.

    Raises
    ------
    ConfigError
        When weights are given and none of them is for a symbol that is traded, or a symbol has
        none.
    """
    if settings.weights is None:
        return np.full(len(symbols), 1.0 / len(symbols))
    missing = [symbol for symbol in symbols if symbol not in settings.weights]
    chosen = np.array([settings.weights.get(symbol, 0.0) for symbol in symbols], dtype=np.float64)
    if missing or chosen.sum() <= 0.0:
        raise ConfigError(
            "The weights do not say how the capital is shared",
            got=", ".join(settings.weights),
            allowed=f"a weight for each of {', '.join(symbols)}, one of them above 0",
            remedy="Name every traded symbol; a weight of 0 leaves one out.",
        )
    return np.asarray(chosen / chosen.sum())


def combined(accounts: Mapping[str, Account], settings: BacktestSettings) -> Portfolio:
    """Return the portfolio of accounts.

    A symbol without a bar keeps its value and exposure until its next one; before its first bar
    its share waits in cash (``apart``) or is lent to the others (``restored``).
    """
    shares = shares_of(list(accounts), settings)
    if len(accounts) == 1:
        account = next(iter(accounts.values()))
        one = account.outcome
        gross = np.abs(one.exposure)
        return Portfolio(account.time, one.net, gross, one.exposure, one.traded, one.cost, one.funding)
    time = np.unique(np.concatenate([account.time for account in accounts.values()]))
    places = [np.searchsorted(time, account.time) for account in accounts.values()]
    held = [account.outcome for account in accounts.values()]
    table = _Table(
        time,
        places,
        net=_spread(time, places, [one.net for one in held]),
        traded=_spread(time, places, [one.traded for one in held]),
        cost=_spread(time, places, [one.cost for one in held]),
        funding=_spread(time, places, [one.funding for one in held]),
        exposure=_carried(time, places, [one.exposure for one in held]),
    )
    return _apart(table, shares) if settings.capital == "apart" else _restored(table, shares, settings.cost)


@dataclass(frozen=True, eq=False)
class _Table:
    """Bars of all symbols side by side, shape (n_moments, n_symbols), 0 where there is none."""

    time: IntArray
    places: list[IntArray]
    net: FloatArray
    traded: FloatArray
    cost: FloatArray
    funding: FloatArray
    exposure: FloatArray


def _apart(table: _Table, shares: FloatArray) -> Portfolio:
    """Each symbol trades its share of the starting capital; nothing moves between them."""
    value = shares * np.cumprod(1.0 + table.net, axis=0)
    total = value.sum(axis=1)
    before = np.concatenate(([1.0], total[:-1]))
    started = np.vstack((shares, value[:-1]))
    return Portfolio(
        table.time,
        _over(total, before) - 1.0 + (before <= 0.0),
        _over((value * np.abs(table.exposure)).sum(axis=1), total),
        _over((value * table.exposure).sum(axis=1), total),
        _over((started * table.traded).sum(axis=1), before),
        _over((started * table.cost).sum(axis=1), before),
        _over((started * table.funding).sum(axis=1), before),
    )


def _restored(table: _Table, shares: FloatArray, cost: float) -> Portfolio:
    """Shares of the capital are restored at the start of every bar, among symbols that have begun."""
    begun = np.arange(len(table.time))[:, None] >= np.array([place[0] for place in table.places])
    weight = begun * shares
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    growth = 1.0 + (weight * table.net).sum(axis=1)
    drifted = np.divide(
        weight * (1.0 + table.net), growth[:, None], out=weight.copy(), where=growth[:, None] > 0.0
    )
    # Capital that moves between symbols takes their positions along.
    moved = np.zeros(len(table.time))
    moved[1:] = (np.abs(weight[1:] - drifted[:-1]) * np.abs(table.exposure[:-1])).sum(axis=1)
    net = np.maximum((1.0 - cost * moved) * growth - 1.0, -1.0)
    ruined = np.concatenate(([False], np.cumsum(net <= -1.0)[:-1] > 0))
    alive = np.where(ruined, 0.0, 1.0)
    return Portfolio(
        table.time,
        net * alive,
        (drifted * np.abs(table.exposure)).sum(axis=1) * alive,
        (drifted * table.exposure).sum(axis=1) * alive,
        ((weight * table.traded).sum(axis=1) + moved) * alive,
        ((weight * table.cost).sum(axis=1) + cost * moved) * alive,
        (weight * table.funding).sum(axis=1) * alive,
    )


def _spread(time: IntArray, places: list[IntArray], columns: list[FloatArray]) -> FloatArray:
    out = np.zeros((len(time), len(places)))
    for j, (place, column) in enumerate(zip(places, columns, strict=True)):
        out[place, j] = column
    return out


def _carried(time: IntArray, places: list[IntArray], columns: list[FloatArray]) -> FloatArray:
    """Spread values over moments, each kept until the next one."""
    out = np.zeros((len(time), len(places)))
    moment = np.arange(len(time))
    for j, (place, column) in enumerate(zip(places, columns, strict=True)):
        newest = np.searchsorted(place, moment, side="right") - 1
        out[:, j] = np.where(newest >= 0, column[np.maximum(newest, 0)], 0.0)
    return out


def _over(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0.0)
