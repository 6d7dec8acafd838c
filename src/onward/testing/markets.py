"""Markets whose truth is known: a random walk, and one with a planted signal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from onward.types import INDEX_NAMES, FloatArray, Market, SideSeries, from_ns

__all__ = ["planted_signal", "random_walk"]

HOUR = 3_600_000_000_000
START = 1_577_836_800_000_000_000  # 2020-01-01 00:00 UTC


def random_walk(
    n_bars: int = 4_000,
    *,
    seed: int = 0,
    symbols: Sequence[str] = ("SYNTH/USD",),
    volatility: float = 0.005,
    timeframe: int = HOUR,
) -> Market:
    """Return hourly bars whose log returns are iid Gaussian: no model has skill here.

    Parameters
    ----------
    n_bars
        Bars a symbol.
    seed
        Seed of the generator.
    symbols
        Names of the symbols; each walks on its own.
    volatility
        Standard deviation of a bar's log return.
    timeframe
        Length of a bar in ns.
    """
    generator = np.random.default_rng(seed)
    parts = [
        _bars(generator, generator.normal(0.0, volatility, n_bars), volatility, s, timeframe) for s in symbols
    ]
    return Market(pd.concat(parts).sort_index(), pd.Timedelta(timeframe, unit="ns"))


def planted_signal(
    n_bars: int = 4_000,
    *,
    seed: int = 0,
    volatility: float = 0.007,
    strength: float = 0.0009,
    persistence: float = 0.97,
) -> Market:
    """Return a random walk that drifts with an observable AR(1) driver of unit variance.

    The driver known at a bar's decision time moves the *next* bar by ``strength * driver``. It is
    given as the side series ``driver``, available at the decision time of its bar. With the
    defaults a model that knew the driver would reach an up/down AUC of 0.748 at 24 bars.
    """
    generator = np.random.default_rng(seed)
    driver = np.empty(n_bars)
    driver[0] = generator.normal()
    shocks = generator.normal(0.0, np.sqrt(1.0 - persistence**2), n_bars)
    for i in range(1, n_bars):
        driver[i] = persistence * driver[i - 1] + shocks[i]
    returns = generator.normal(0.0, volatility, n_bars)
    returns[1:] += strength * driver[:-1]
    bars = _bars(generator, returns, volatility, "SYNTH/USD", HOUR)
    known = from_ns(START + HOUR * (np.arange(n_bars, dtype=np.int64) + 1))
    frame = pd.DataFrame({"symbol": "", "timestamp": known, "available_at": known, "driver": driver})
    return Market(bars, pd.Timedelta(HOUR, unit="ns"), {"driver": SideSeries("driver", frame)})


def _bars(
    generator: np.random.Generator, returns: FloatArray, volatility: float, symbol: str, timeframe: int
) -> pd.DataFrame:
    close = 100.0 * np.exp(np.cumsum(returns))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = np.abs(generator.normal(0.0, 0.5 * volatility, (2, len(close))))
    high = np.maximum(open_, close) * np.exp(reach[0])
    low = np.minimum(open_, close) * np.exp(-reach[1])
    volume = np.exp(generator.normal(3.0, 0.5, len(close)))
    times = from_ns(START + timeframe * np.arange(len(close), dtype=np.int64))
    index = pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES)
    return pd.DataFrame(
        {"open": open_, "high": high, "low": low, "close": close, "volume": volume}, index=index
    )
