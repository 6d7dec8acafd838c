"""By what a search chooses: the score of one inner fold, the higher the better."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.config.optimization import Objective
from onward.evaluation.backtest import BacktestSettings, about_price, backtest
from onward.evaluation.metrics import measure, ranked_probability_score
from onward.evaluation.oof import CLASS_NAMES
from onward.training.optimization.bench import Candidate
from onward.training.trainer import FoldOutcome
from onward.types import FloatArray, Market

__all__ = ["fold_score", "fold_signals", "signal_returns"]


def fold_score(objective: Objective, candidate: Candidate, outcome: FoldOutcome) -> float:
    """Return the score of a fold's test rows; NaN where it is not defined.

    Parameters
    ----------
    objective
        ``log_loss_skill``: 1 - log loss / that of the training rows' class frequencies.
        ``probability_skill``: the same with the ranked probability score, which knows that down is
        further from up than from range. ``direction_auc``, ``range_auc``: as verdicts use them.
        ``sharpe``: a year, after costs, of acting on what was said about the price, on the terms of
        the plan, as the report trades it.
    candidate
        What the fold was cut from.
    outcome
        What it learnt and predicted.
    """
    if objective == "sharpe":
        signals = fold_signals(candidate, outcome)
        result = backtest(candidate.dataset.market, signals, candidate.terms)
        return float(result.statistics.performance.sharpe)
    prior = np.tile(outcome.prior, (len(outcome.y), 1))
    if objective == "probability_skill":
        reference = ranked_probability_score(prior, outcome.y)
        reached = ranked_probability_score(outcome.probability, outcome.y)
        return 1.0 - reached / reference if reference > 0 else float("nan")
    return float(getattr(measure(outcome.probability, outcome.y, prior), objective))


def fold_signals(candidate: Candidate, outcome: FoldOutcome) -> pd.DataFrame:
    """Return what a fold said about the price of its test rows: ``signal down range up`` by bar.

    The signal of meta-labels is their primary signal where following it pays, else 0.
    """
    market = candidate.dataset.market
    bars = market.index[candidate.dataset.rows[outcome.fold.test]]
    said = pd.DataFrame(outcome.probability, columns=list(CLASS_NAMES), index=bars)
    return about_price(market, said, candidate.primary, act_above=candidate.terms.act_above)


def signal_returns(market: Market, side: FloatArray, settings: BacktestSettings) -> pd.Series:
    """Return the net return of acting on sides, by open time.

    Parameters
    ----------
    market
        The bars.
    side
        Side decided at each bar, NaN where nothing was predicted, shape (n_bars,).
    settings
        Terms of the backtest.
    """
    rows = np.flatnonzero(np.isfinite(side)).astype(np.int64)
    signals = pd.Series(side[rows], index=market.index[rows])
    result = backtest(market, signals, settings)
    return pd.Series(result.net_return, index=result.time)
