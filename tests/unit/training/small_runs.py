"""Trainings that take a fraction of a second: few features, few rounds, few shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from onward.testing.markets import planted_signal, random_walk
from onward.training.plan import TrainingPlan
from onward.types import INDEX_NAMES, Market, SideSeries

SMALL: dict[str, Any] = {
    "features.stages": ["manual"],
    "features.manual.families": ["returns"],
    "labels.horizon_bars": 6,
    "labels.window_bars": 24,
    "validation.n_splits": 3,
    "model.n_rounds": 5,
    "selection.n_shifts": 20,
    "selection.n_information_shifts": 10,
    "selection.n_null": 5,
    "evaluation.n_shifts": 100,
    "training.n_threads": 1,
}


def small_plan(**overrides: Any) -> TrainingPlan:
    """The small plan with other values: ``section__name=value``."""
    changes = {name.replace("__", "."): value for name, value in overrides.items()}
    return TrainingPlan().with_overrides(SMALL | changes)


def walk(n_bars: int = 600, *, seed: int = 0) -> Market:
    return random_walk(n_bars, seed=seed)


def planted(n_bars: int = 900, *, seed: int = 0) -> Market:
    return planted_signal(n_bars, seed=seed, strength=0.004)


def panel(n_bars: int = 500, *, seed: int = 1) -> Market:
    """Two symbols, one of which starts later, beside a series for both and one for each."""
    market = random_walk(n_bars, seed=seed, symbols=("AAA/USD", "BBB/USD"))
    late = market.index.get_level_values(0) == "BBB/USD"
    late &= np.asarray(market.open_time < market.open_time.min() + pd.Timedelta(hours=60))
    bars = market.bars[~late]
    bars.index = bars.index.remove_unused_levels()
    market = Market(bars, market.timeframe)
    generator = np.random.default_rng(seed)
    times = pd.DatetimeIndex(market.open_time.unique()).sort_values()
    mood = times[::24]
    moods = pd.DataFrame(
        {"symbol": "", "timestamp": mood, "available_at": mood + pd.Timedelta("1D"), "mood": 50.0}
    )
    moods["mood"] += generator.normal(0, 10, len(moods))
    rates = pd.concat(
        [
            pd.DataFrame(
                {"symbol": s, "timestamp": times[::8], "available_at": times[::8], "funding_rate": 1e-4}
            )
            for s in market.symbols
        ],
        ignore_index=True,
    )
    rates["funding_rate"] += generator.normal(0, 1e-5, len(rates))
    series = {"mood": SideSeries("mood", moods), "funding": SideSeries("funding", rates)}
    return market.replace(series=series)


def bars_from(close: Any, *, symbol: str = "X/USD", start: str = "2020-01-01", freq: str = "1h") -> Market:
    """A market whose bars open and close at given prices."""
    values = np.asarray(close, dtype=np.float64)
    times = pd.date_range(start, periods=len(values), freq=freq, tz="UTC", unit="ns")
    index = pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES)
    columns = dict.fromkeys(("open", "high", "low", "close"), values)
    return Market(pd.DataFrame({**columns, "volume": 1.0}, index=index), pd.Timedelta(freq))
