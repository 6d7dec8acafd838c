"""Real markets to measure on, read from ``shared/data`` beside the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._table import NOT_MEASURED, Row
from onward.data.read import read_market
from onward.types import Market, from_ns

__all__ = [
    "HOURS",
    "MINUTES",
    "PERPETUAL",
    "SERIES",
    "hours",
    "path_of",
    "perpetual",
    "repeated",
    "skipped",
]

HOURS = "btc_usdt_spot_1h.parquet"
MINUTES = "fil_usdt_perp_1m.parquet"
SERIES = {
    "funding": "btc_usdt_funding_8h.parquet",
    "open_interest": "btc_usdt_open_interest_1h.parquet",
    "fear_greed": "fear_greed_daily.parquet",
}

PERPETUAL = ("btc_usdt_perp_1h.parquet", SERIES["funding"], SERIES["fear_greed"])


def path_of(name: str) -> Path:
    """Return where a file of real bars would be."""
    return Path(__file__).resolve().parents[2] / "shared" / "data" / name


def skipped(what: str, *names: str) -> list[Row] | None:
    """Return a row that says so when a file is absent, None when all are there."""
    absent = [name for name in names if not path_of(name).exists()]
    if not absent:
        return None
    return [Row(what, NOT_MEASURED, note=f"skipped: no data ({', '.join(absent)})")]


def hours(*, series: bool = False) -> Market:
    """Return the 70,006 hourly bars, with or without funding, open interest and fear & greed."""
    beside = {name: path_of(file) for name, file in SERIES.items()} if series else None
    return read_market(path_of(HOURS), timeframe="1h", symbol="BTC/USDT", series=beside)


def perpetual() -> Market:
    """Return the 55,351 hourly bars of the perpetual contract with funding and fear & greed."""
    beside = {name: path_of(SERIES[name]) for name in ("funding", "fear_greed")}
    return read_market(path_of(PERPETUAL[0]), timeframe="1h", symbol="BTC/USDT", series=beside)


def repeated(market: Market, times: int) -> Market:
    """Return the bars of a symbol several times over, to see how cost grows with rows."""
    values = np.tile(market.bars.to_numpy(), (times, 1))
    moments = market.open_time_ns[0] + market.timeframe_ns * np.arange(len(values), dtype=np.int64)
    index = pd.MultiIndex.from_product([market.symbols, from_ns(moments)], names=["symbol", "open_time"])
    return Market(pd.DataFrame(values, index, market.bars.columns), market.timeframe)
