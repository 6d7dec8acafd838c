"""Backtest of signals: what acting on them would have earned, after costs and funding."""

from onward.evaluation.backtest.benchmarks import benchmarks, buy_and_hold, rule_backtest
from onward.evaluation.backtest.meta import about_price, followed
from onward.evaluation.backtest.result import Activity, BacktestResult, Statistics
from onward.evaluation.backtest.settings import BacktestSettings
from onward.evaluation.backtest.simulation import backtest

__all__ = [
    "Activity",
    "Backtest",
    "BacktestResult",
    "BacktestSettings",
    "Statistics",
    "about_price",
    "backtest",
    "benchmarks",
    "buy_and_hold",
    "followed",
    "rule_backtest",
]

Backtest = BacktestResult
"""The name by which reports know a result."""
