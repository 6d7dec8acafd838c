"""The markets of the contract suite: with gaps, side series and several symbols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.testing.markets import planted_signal, random_walk
from onward.types import FloatArray, Market, SideSeries, from_ns

__all__ = ["ContractMarket", "contract_markets"]


@dataclass(frozen=True, eq=False)
class ContractMarket:
    """A market for the suite, with a name to tell it from others."""

    name: str
    market: Market

    def __str__(self) -> str:
        return self.name


def contract_markets(n_bars: int, *, seed: int = 0) -> Iterator[ContractMarket]:
    """Yield the markets that every stage must pass: with gaps, side series, several symbols.

    Parameters
    ----------
    n_bars
        Lookback of the stage; the markets have about 300 bars more.
    seed
        Seed of the walks.
    """
    length = n_bars + 300
    yield ContractMarket("one symbol", random_walk(length, seed=seed))
    gappy = _with_gaps(random_walk(length + 80, seed=seed + 1, volatility=0.01), seed)
    yield ContractMarket("gaps and side series", gappy.replace(series=_side_series(gappy, seed)))
    names = ("AAA/USD", "BBB/USD", "CCC/USD")
    panel = _unequal(random_walk(length + 60, seed=seed + 2, symbols=names))
    yield ContractMarket("unequal panel", panel.replace(series=_side_series(panel, seed)))
    yield ContractMarket("planted signal", planted_signal(length, seed=seed + 3))


def _with_gaps(market: Market, seed: int) -> Market:
    """Return the market without some bars: single ones, runs, and one hole of two days."""
    generator = np.random.default_rng(seed + 99)
    n = len(market)
    keep = np.ones(n, dtype=bool)
    keep[generator.choice(np.arange(1, n - 1), 12, replace=False)] = False
    for start, length in ((n // 3, 3), (n // 2, 7), (3 * n // 4, 49)):
        keep[start : start + length] = False
    return Market(market.bars[keep], market.timeframe, market.series)


def _unequal(panel: Market) -> Market:
    """Return a panel of a symbol with gaps, one that is listed late, and one that ends early."""
    keep = np.ones(len(panel), dtype=bool)
    first, second, third = panel.rows.values()
    n = first.stop - first.start
    keep[first.start + n // 2 : first.start + n // 2 + 4] = False
    keep[first.start + n - 40] = False
    keep[second.start : second.start + 35] = False
    keep[third.stop - 25 : third.stop] = False
    return Market(panel.bars[keep], panel.timeframe, panel.series)


def _side_series(market: Market, seed: int) -> dict[str, SideSeries]:
    """Return funding every 8 h, hourly open interest, daily fear & greed and a custom series.

    Availability lags the timestamps of all but funding; open interest holds a zero, as feeds do.
    """
    generator = np.random.default_rng(seed + 7)
    hour = 3_600_000_000_000
    start = int(market.open_time_ns.min())
    hours = int((market.open_time_ns.max() - start) // hour) + 1

    def build(symbol: str, step: int, delay: int, values: Mapping[str, FloatArray]) -> pd.DataFrame:
        stamps = start + step * hour * np.arange(len(next(iter(values.values()))), dtype=np.int64)
        return pd.DataFrame(
            {"symbol": symbol, "timestamp": from_ns(stamps), "available_at": from_ns(stamps + delay * hour)}
            | {key: array.astype(np.float64) for key, array in values.items()}
        )

    funding, interest = [], []
    for symbol in market.symbols:
        rate = 1e-4 + 5e-5 * generator.normal(size=hours // 8 + 1)
        funding.append(build(symbol, 8, 0, {"funding_rate": rate}))
        positions = 1e5 * np.exp(np.cumsum(generator.normal(0.0, 0.01, hours)))
        positions[hours // 7] = 0.0
        interest.append(build(symbol, 1, 1, {"open_interest": positions}))
    mood = np.clip(50.0 + np.cumsum(generator.integers(-9, 10, hours // 24 + 1)), 3.0, 97.0)
    custom = {"dev activity": generator.normal(size=hours // 5 + 1).cumsum()}
    frames = {
        "funding": pd.concat(funding, ignore_index=True),
        "open_interest": pd.concat(interest, ignore_index=True),
        "fear_greed": build("", 24, 24, {"fear_greed": mood}),
        "development": build("", 5, 3, custom),
    }
    return {name: SideSeries(name, frame) for name, frame in frames.items()}
