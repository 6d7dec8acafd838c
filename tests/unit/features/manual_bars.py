"""Bars to compute families on, and the promises that every family of one symbol keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from onward.features.manual.family import Bars, Family
from onward.testing.markets import random_walk
from onward.types import FloatArray, Market

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
HOUR = 3_600_000_000_000
PRICES = ("open", "high", "low", "close")
ARRAYS = (*PRICES, "volume", "open_time")


def to_bars(market: Market) -> Bars:
    columns = [market.bars[name].to_numpy(np.float64, copy=True) for name in (*PRICES, "volume")]
    return frozen(Bars(*columns, market.open_time_ns.copy(), market.timeframe_ns, {}))


def frozen(bars: Bars) -> Bars:
    for name in ARRAYS:
        getattr(bars, name).flags.writeable = False
    return bars


def walk(n_bars: int = 2_000, seed: int = 0) -> Bars:
    return to_bars(random_walk(n_bars, seed=seed))


def thin(n_bars: int = 2_000, seed: int = 1) -> Bars:
    """A thinly traded market: coarse ticks, repeated prices, flat hours, bars without volume."""
    generator = np.random.default_rng(seed)
    ticks = np.cumsum(generator.choice([-1, 0, 0, 0, 1], n_bars)) + 200
    ticks[600:700] = ticks[600]
    opened = np.concatenate([[200], ticks[:-1]])
    high = np.maximum(opened, ticks) + generator.choice([0, 0, 1], n_bars)
    low = np.minimum(opened, ticks) - generator.choice([0, 0, 1], n_bars)
    high[600:700], low[600:700] = ticks[600], ticks[600]
    opened[600:700] = ticks[600]
    volume = np.round(generator.exponential(3.0, n_bars), 1)
    volume[generator.random(n_bars) < 0.005] = 0.0
    volume[640:680] = 0.0
    prices = [np.round(0.05 * part, 2) for part in (opened, high, low, ticks)]
    times = HOUR * (np.arange(n_bars, dtype=np.int64) + 438_288)
    return frozen(Bars(*prices, volume, times, HOUR, {}))


def sp500() -> tuple[Bars, pd.DataFrame]:
    """The 300 reference bars with TA-Lib's values on them."""
    frame = pd.read_csv(REFERENCES / "ohlcv_sp500_300.csv", parse_dates=["date"])
    times = pd.DatetimeIndex(frame["date"]).as_unit("ns").asi8
    columns = [frame[name].to_numpy(np.float64, copy=True) for name in (*PRICES, "volume")]
    return frozen(Bars(*columns, times.copy(), 24 * HOUR, {})), pd.read_csv(REFERENCES / "talib_values.csv")


def cut(bars: Bars, start: int, stop: int) -> Bars:
    return replace(bars, **{name: getattr(bars, name)[start:stop] for name in ARRAYS})


def changed(bars: Bars, **factors: float) -> Bars:
    return frozen(replace(bars, **{name: getattr(bars, name) * factor for name, factor in factors.items()}))


def assert_promises(family: Family, bars: Bars, *, scale_free: bool = True) -> None:
    """Hold a family to its contract on some bars, longer than its lookback."""
    batch = dict(family.compute(bars))
    assert tuple(batch) == family.columns()
    assert len(set(batch)) == len(batch) > 0
    for name, values in batch.items():
        assert values.dtype == np.float64, name
        assert values.shape == (len(bars),), name
        assert not np.isinf(values).any(), name
        assert np.isfinite(values).any(), name
    lookback = family.lookback(bars.timeframe)
    assert 1 <= lookback < len(bars)
    _assert_causal(family, bars, batch)
    _assert_latest_equals_batch(family, bars, batch, lookback)
    _assert_recovers(family, bars, batch, lookback)
    for n_bars in (0, 1, 2):
        assert all(len(values) == n_bars for values in family.compute(cut(bars, 0, n_bars)).values())
    if scale_free:
        dearer = changed(bars, open=20.0, high=20.0, low=20.0, close=20.0, volume=1_000.0)
        for name, values in family.compute(dearer).items():
            np.testing.assert_allclose(values, batch[name], rtol=1e-7, atol=1e-9, err_msg=name)


def scale(values: FloatArray, row: int) -> float:
    recent = values[max(0, row - 1_000) : row + 1]
    recent = recent[np.isfinite(recent)]
    return float(recent.std()) if len(recent) > 1 and recent.std() > 0.0 else 1.0


def _assert_causal(family: Family, bars: Bars, batch: dict[str, FloatArray]) -> None:
    stop = 2 * len(bars) // 3
    for name, values in family.compute(cut(bars, 0, stop)).items():
        np.testing.assert_array_equal(values, batch[name][:stop], err_msg=name)


def _assert_latest_equals_batch(
    family: Family, bars: Bars, batch: dict[str, FloatArray], lookback: int
) -> None:
    rows = np.unique(np.linspace(lookback, len(bars) - 1, 12).astype(int))
    for row in rows:
        latest = family.compute(cut(bars, row + 1 - lookback, row + 1))
        for name, values in latest.items():
            expected = batch[name][row]
            assert np.isnan(values[-1]) == np.isnan(expected), f"{name} at row {row}"
            if not np.isnan(expected):
                assert abs(values[-1] - expected) <= 1e-9 * scale(batch[name], row), f"{name} at row {row}"


def _assert_recovers(family: Family, bars: Bars, batch: dict[str, FloatArray], lookback: int) -> None:
    hole = len(bars) - lookback - 1
    broken = {}
    for name in (*PRICES, "volume"):
        broken[name] = getattr(bars, name).copy()
        broken[name][hole] = np.nan
    after = family.compute(frozen(replace(bars, **broken)))
    for name, values in after.items():
        np.testing.assert_array_equal(values[:hole], batch[name][:hole], err_msg=name)
        newest, expected = values[-1], batch[name][-1]
        assert np.isnan(newest) == np.isnan(expected), name
        if not np.isnan(expected):
            assert abs(newest - expected) <= 1e-9 * scale(batch[name], len(bars) - 1), name
