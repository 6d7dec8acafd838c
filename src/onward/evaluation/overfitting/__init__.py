"""How much of a good result is the search that found it: deflated Sharpe ratios, CSCV."""

from onward.evaluation.overfitting.cscv import BacktestOverfitting, probability_of_backtest_overfitting
from onward.evaluation.overfitting.search import SearchStatistics, effective_trials, search_statistics
from onward.evaluation.overfitting.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)

__all__ = [
    "BacktestOverfitting",
    "SearchStatistics",
    "deflated_sharpe_ratio",
    "effective_trials",
    "expected_maximum_sharpe_ratio",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "probabilistic_sharpe_ratio",
    "probability_of_backtest_overfitting",
    "search_statistics",
]
