"""What a backtest has to be compared with: holding, and the naive rules, on the same bars and terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from onward.errors import ConfigError
from onward.evaluation.backtest.result import BacktestResult
from onward.evaluation.backtest.settings import BacktestSettings
from onward.evaluation.backtest.simulation import backtest, decisions
from onward.types import FloatArray, Market

__all__ = ["benchmarks", "buy_and_hold", "rule_backtest"]


def buy_and_hold(
    market: Market, signals: pd.Series | pd.DataFrame, settings: BacktestSettings | None = None
) -> BacktestResult:
    """Return the backtest of holding every symbol, all of its capital, over the bars signals reach.

    Parameters are those of `backtest`; sizing, sides and steps do not apply to holding.
    """
    terms = settings if settings is not None else BacktestSettings()
    _, (first, last) = decisions(market, signals, terms)
    within = (market.open_time_ns >= first) & (market.open_time_ns <= last)
    held = pd.Series(1.0, index=market.index[within])
    return backtest(market, held, _plain(terms, max_position=1.0))


def rule_backtest(
    market: Market,
    rule: FloatArray,
    signals: pd.Series | pd.DataFrame,
    settings: BacktestSettings | None = None,
) -> BacktestResult:
    """Return the backtest of a rule's signal on the bars at which the signals spoke.

    Parameters
    ----------
    market
        The bars.
    rule
        The rule's signal at every bar: -1, 0, 1, NaN (flat) where not known, shape (n_bars,).
    signals, settings
        As in `backtest`. Rules have no probabilities: sizing by them becomes ``fixed``.
    """
    terms = settings if settings is not None else BacktestSettings()
    target, _ = decisions(market, signals, terms)
    spoke = ~np.isnan(target)
    wanted = pd.Series(np.nan_to_num(rule[spoke]), index=market.index[spoke])
    if terms.sizing == "volatility_target":
        return backtest(market, wanted, terms)
    own = replace(_plain(terms), sides=terms.sides, position_size=terms.position_size)
    return backtest(market, wanted, own)


def benchmarks(
    market: Market,
    signals: pd.Series | pd.DataFrame,
    settings: BacktestSettings | None = None,
    *,
    horizon_bars: int = 24,
) -> dict[str, BacktestResult]:
    """Return holding, momentum and mean reversion on the same bars, costs and fills.

    Parameters
    ----------
    market, signals, settings
        As in `backtest`.
    horizon_bars
        How far the naive rules look back, at least 2: as far as the labels look ahead.
    """
    # Rules live beside the models, and those bring their libraries along.
    from onward.evaluation.baselines import mean_reversion_signal, momentum_signal

    if horizon_bars < 2:
        raise ConfigError("The naive rules need a window", got=horizon_bars, allowed="2 bars or more")
    rules = {
        "momentum": momentum_signal(market, horizon_bars),
        "mean_reversion": mean_reversion_signal(market, horizon_bars),
    }
    return {
        "buy_and_hold": buy_and_hold(market, signals, settings),
        **{name: rule_backtest(market, rule, signals, settings) for name, rule in rules.items()},
    }


def _plain(terms: BacktestSettings, **changes: object) -> BacktestSettings:
    plain: dict[str, object] = {
        "sizing": "fixed",
        "sides": "both",
        "position_size": 1.0,
        "size_step": 0.0,
        "min_change": 0.0,
        **changes,
    }
    return replace(terms, **plain)  # type: ignore[arg-type]
