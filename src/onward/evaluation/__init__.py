"""Evaluation: scores of out-of-fold predictions, null bands, an honest verdict, overfitting, backtest.

The backtest itself is ``onward.evaluation.backtest.backtest``: the package keeps its name here.
"""

from onward.evaluation.backtest import BacktestResult, BacktestSettings
from onward.evaluation.judgement import Judgement, judge
from onward.evaluation.metrics import Metrics, measure
from onward.evaluation.null import NullBand, NullBands, null_band
from onward.evaluation.oof import OutOfFold
from onward.evaluation.overfitting import (
    BacktestOverfitting,
    SearchStatistics,
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
    search_statistics,
)
from onward.evaluation.performance import Performance
from onward.evaluation.scores import Scores
from onward.evaluation.verdict import ClassVerdict, Verdict

__all__ = [
    "BacktestOverfitting",
    "BacktestResult",
    "BacktestSettings",
    "ClassVerdict",
    "Judgement",
    "Metrics",
    "NullBand",
    "NullBands",
    "OutOfFold",
    "Performance",
    "Scores",
    "SearchStatistics",
    "Verdict",
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe_ratio",
    "judge",
    "measure",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "null_band",
    "probabilistic_sharpe_ratio",
    "probability_of_backtest_overfitting",
    "search_statistics",
]
