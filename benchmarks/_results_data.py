"""Daily equity bars whose splits no longer look like crashes: ``python -m benchmarks._results_data OUT``.

The raw closes halve on a day of a 2:1 split. Adjusted closes would divide the *past* by what only
the future knew. So it is done the other way round: from its split on, a symbol's prices are
multiplied, and its volumes divided, by the factor of all splits so far. Every value uses only what
was known on its day, and returns are those of whoever held the shares. Dividends stay unpaid.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from benchmarks._markets import path_of

__all__ = ["SMALLEST_SPLIT", "prepare", "split_factors"]

SMALLEST_SPLIT = 1.3
"""Price over adjusted price, the day before over the day: the largest dividend here makes it 1.12."""


def split_factors(bars: pd.DataFrame) -> pd.Series:
    """Return the factor of each row of one symbol in order of time: 1 until its first split, 2 after 2:1."""
    ratio = bars["close"] / bars["adj_close"]
    step = (ratio.shift() / ratio).fillna(1.0)
    return step.where(step >= SMALLEST_SPLIT, 1.0).round(1).cumprod()


def prepare(source: Path, target: Path) -> Path:
    """Write the bars of ``source`` with prices that run on through splits, and return ``target``."""
    bars = pd.read_parquet(source).sort_values(["symbol", "timestamp"], ignore_index=True)
    factor = pd.concat([split_factors(group) for _, group in bars.groupby("symbol", sort=False)])
    for price in ("open", "high", "low", "close"):
        bars[price] *= factor
    bars["volume"] = bars["volume"] / factor
    bars.drop(columns="adj_close").to_parquet(target)
    return target


if __name__ == "__main__":
    prepare(path_of("daily_equity_ohlcv_5.parquet"), Path(sys.argv[1]))
