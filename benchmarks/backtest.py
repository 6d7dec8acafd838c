"""A million bars through the backtest kernel, the whole backtest, and the search for overfitting."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks._clock import best_of
from benchmarks._table import Row
from onward.evaluation import probability_of_backtest_overfitting
from onward.evaluation.backtest import BacktestSettings, backtest
from onward.kernels.backtest import simulate
from onward.testing.markets import random_walk

BARS = 1_000_000
MINUTE = 60_000_000_000


def run(quick: bool = False) -> list[Row]:
    rounds = 3 if quick else 7
    generator = np.random.default_rng(0)
    market = random_walk(BARS, seed=0, volatility=0.001, timeframe=MINUTE)
    open_, close = (np.ascontiguousarray(market.bars[name].to_numpy()) for name in ("open", "close"))
    orders = generator.integers(-1, 2, BARS).astype(np.float64)
    funding = np.where(np.arange(BARS) % 480 == 479, 1e-4, 0.0)
    nothing = np.zeros(BARS)

    def kernel() -> object:
        return simulate(open_, close, orders, nothing, funding, 7e-4, False, 0.1, 0.0)

    signal = pd.Series(orders, index=market.index)
    terms = BacktestSettings()
    trials = generator.normal(0.0, 0.01, (10_000, 100))
    kernel()
    backtest(market, signal, terms)
    order = f"an order a bar, {len(kernel().entry):,} round trips, funding, warm"  # type: ignore[attr-defined]
    whole = "signals to curves, trades and figures, one symbol"
    return [
        Row("backtest kernel, 1,000,000 bars", best_of(kernel, rounds), "s", "<= 0.2", order),
        Row(
            "backtest(), 1,000,000 bars", best_of(lambda: backtest(market, signal, terms), 3), "s", "", whole
        ),
        Row(
            "overfitting: 100 trials x 10,000 rows, 16 blocks",
            best_of(lambda: probability_of_backtest_overfitting(trials), rounds),
            "s",
            "<= 2",
            "12,870 combinations",
        ),
    ]
