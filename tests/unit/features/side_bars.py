"""Bars with side values on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onward.features.manual.family import Bars
from tests.unit.features.manual_bars import walk


def with_series(n_bars: int = 900, seed: int = 0, **values: np.ndarray) -> Bars:
    """Return a walk with funding every 8 bars, open interest and a daily index, unknown at first."""
    generator = np.random.default_rng(seed)
    funding = np.repeat(1e-4 + 5e-5 * generator.normal(size=n_bars // 8 + 1), 8)[:n_bars]
    interest = 1e5 * np.exp(np.cumsum(generator.normal(0.0, 0.01, n_bars)))
    mood = np.repeat(np.clip(50 + np.cumsum(generator.integers(-12, 13, n_bars // 24 + 1)), 3, 97), 24)
    series = {
        "funding_rate": funding,
        "open_interest": interest,
        "fear_greed": mood[:n_bars].astype(np.float64),
        **values,
    }
    for array in series.values():
        if len(values) == 0:
            array[:30] = np.nan
        array.flags.writeable = False
    return replace(walk(n_bars, seed), series=series)


def cut_all(bars: Bars, start: int, stop: int) -> Bars:
    arrays = ("open", "high", "low", "close", "volume", "open_time")
    rows = slice(start, stop)
    return replace(
        bars,
        **{name: getattr(bars, name)[rows] for name in arrays},
        series={name: array[rows] for name, array in bars.series.items()},
    )


def assert_live_equals_batch(family, bars: Bars) -> None:
    """Check names, type, causality and the newest row from exactly the lookback."""
    batch = family.compute(bars)
    assert tuple(batch) == family.columns()
    lookback = family.lookback(bars.timeframe)
    n = len(bars)
    assert lookback < n
    early = family.compute(cut_all(bars, 0, 2 * n // 3))
    for name, values in batch.items():
        assert values.shape == (n,)
        assert not np.isinf(values).any(), name
        assert np.isfinite(values).sum() > n // 3, name
        np.testing.assert_array_equal(early[name], values[: 2 * n // 3], err_msg=name)
    for row in np.linspace(lookback, n - 1, 8).astype(int):
        live = family.compute(cut_all(bars, row + 1 - lookback, row + 1))
        for name, values in live.items():
            scale = np.nanstd(batch[name]) or 1.0
            np.testing.assert_allclose(
                values[-1], batch[name][row], rtol=0.0, atol=1e-9 * scale, err_msg=name
            )
