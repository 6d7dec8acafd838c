"""By what a search chooses: the score of one inner fold, the higher the better."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.config.optimization import Objective
from onward.evaluation.backtest import BacktestSettings, backtest
from onward.evaluation.metrics import measure, ranked_probability_score
from onward.training.dataset import Dataset
from onward.training.trainer import FoldOutcome
from onward.types import FloatArray, IntArray, Market

__all__ = ["fold_score", "sides", "signal_returns"]


def fold_score(
    objective: Objective, dataset: Dataset, outcome: FoldOutcome, settings: BacktestSettings
) -> float:
    """Return the score of a fold's test rows; NaN where it is not defined.

    Parameters
    ----------
    objective
        ``log_loss_skill``: 1 - log loss / that of the training rows' class frequencies.
        ``probability_skill``: the same with the ranked probability score, which knows that down is
        further from up than from range. ``direction_auc``, ``range_auc``: as verdicts use them.
        ``sharpe``: a year, after costs, of acting on the most probable class.
    dataset
        What the fold was cut from.
    outcome
        What it learnt and predicted.
    settings
        Terms of the backtest.
    """
    if objective == "sharpe":
        rows = dataset.rows[outcome.fold.test]
        result = backtest(dataset.market, signal_series(dataset.market, rows, sides(outcome)), settings)
        return float(result.statistics.performance.sharpe)
    prior = np.tile(outcome.prior, (len(outcome.y), 1))
    if objective == "probability_skill":
        reference = ranked_probability_score(prior, outcome.y)
        reached = ranked_probability_score(outcome.probability, outcome.y)
        return 1.0 - reached / reference if reference > 0 else float("nan")
    return float(getattr(measure(outcome.probability, outcome.y, prior), objective))


def sides(outcome: FoldOutcome) -> IntArray:
    """Return the most probable class of each test row: -1, 0, 1."""
    return np.asarray(outcome.probability.argmax(axis=1) - 1, dtype=np.int64)


def signal_series(market: Market, rows: IntArray, side: IntArray) -> pd.Series:
    """Return sides as signals by (symbol, open time); ``rows`` are positions of bars."""
    return pd.Series(side.astype(np.float64), index=market.index[rows])


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
