"""What acting on out-of-fold predictions would have earned, beside holding and the naive rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.backtest import (
    BacktestResult,
    BacktestSettings,
    about_price,
    backtest,
    buy_and_hold,
    rule_backtest,
)
from onward.evaluation.baselines import rule_signals
from onward.evaluation.oof import CLASS_NAMES, OutOfFold
from onward.types import BoolArray, FloatArray, Market

__all__ = ["said_of_price", "strategies_to_dict", "strategy_backtests"]


def strategy_backtests(
    market: Market,
    oof: OutOfFold,
    terms: BacktestSettings,
    *,
    primary: FloatArray | None = None,
    verdicts: BoolArray | None = None,
) -> dict[str, BacktestResult]:
    """Return the backtests of the model, of holding and of each naive rule, all over the same bars.

    Parameters
    ----------
    market
        The bars.
    oof
        Pooled out-of-fold predictions.
    terms
        Fills, costs and sizes.
    primary, verdicts
        Of meta-labels: the primary signal at every bar, and which predictions are verdicts on it (all
        when None).

    Returns
    -------
    dict
        ``model``, ``model_before_costs``, ``buy_and_hold``, ``primary_signal`` where there is one, and
        the naive rules by name (``momentum``, ``mean_reversion``).
    """
    said = said_of_price(market, oof, terms, primary=primary, verdicts=verdicts)
    runs = {
        "model": backtest(market, said, terms),
        "model_before_costs": backtest(market, said, replace(terms, fee_bps=0.0, slippage_bps=0.0)),
        "buy_and_hold": buy_and_hold(market, said, terms),
    }
    if primary is not None:
        runs["primary_signal"] = rule_backtest(market, primary, said, terms)
    rows = market.index.get_indexer(oof.spans.index).astype(np.int64)
    for name, rule in rule_signals(market, rows, oof.spans).items():
        wanted = np.full(len(market), np.nan)
        wanted[rows] = rule
        runs[name] = rule_backtest(market, wanted, said, terms)
    return runs


def said_of_price(
    market: Market,
    oof: OutOfFold,
    terms: BacktestSettings,
    *,
    primary: FloatArray | None = None,
    verdicts: BoolArray | None = None,
) -> pd.DataFrame:
    """Return what was said about the price at every scored row: ``signal down range up`` by bar.

    Of verdicts on a primary signal, ``signal`` is that signal where following it is said to pay.
    """
    said = pd.DataFrame(oof.probability, columns=list(CLASS_NAMES), index=oof.spans.index)
    return about_price(market, said, primary, verdicts=verdicts, act_above=terms.act_above)


def strategies_to_dict(runs: Mapping[str, BacktestResult]) -> dict[str, Any]:
    """Return the terms, what a reader should know, and the figures of each strategy, as plain JSON values.

    Figures that are not defined (a Sharpe ratio of what never traded) are None.
    """
    model = runs["model"]
    terms = {name: value for name, value in asdict(model.settings).items() if value is not None}
    return {
        "terms": {name: _plain(value) for name, value in terms.items()},
        "notes": list(model.notes),
        "strategies": {
            name: {figure: _plain(value) for figure, value in run.statistics.to_dict().items()}
            for name, run in runs.items()
        },
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
