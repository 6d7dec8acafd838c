"""What the contract suite changes about a market: its future, its gaps, what was known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from onward.types import Market, SideSeries, from_ns

__all__ = ["N_CUTS", "clean_rows", "cuts", "damaged", "early_cuts", "fresh", "most_bars", "scrambled"]

N_CUTS = 6


def most_bars(market: Market) -> int:
    """Return the bars of the longest symbol."""
    return max((rows.stop - rows.start for rows in market.rows.values()), default=0)


def fresh(market: Market) -> Market:
    """Return the market without what it has cached about itself."""
    return market.replace()


def cuts(market: Market) -> list[pd.Timestamp]:
    """Return decision times to cut at: spread over the later part, and one before the extremes.

    A leak through the final maximum leaves no trace once the maximum is in the past, so one cut
    stands right before the earlier of the highest and the lowest close. Neighbouring cuts catch
    what only a few bars around an event give away.
    """
    times = np.unique(market.decision_time_ns)
    n = len(times)
    places = {int(n * share) for share in np.linspace(0.55, 0.97, N_CUTS - 3)}
    places |= {n - 2, n - 6}
    close = market.bars["close"].to_numpy()
    for extreme in (np.nanargmax(close), np.nanargmin(close)):
        place = int(np.searchsorted(times, market.decision_time_ns[extreme])) - 1
        places.add(max(place, n // 8))
    return list(from_ns(times[sorted(places)]))


def early_cuts(market: Market) -> list[pd.Timestamp]:
    """Return decision times near the beginning, where only what fills backwards shows itself."""
    times = np.unique(market.decision_time_ns)
    return list(from_ns(times[sorted({min(4, len(times) - 1), len(times) // 40, len(times) // 8})]))


def scrambled(
    market: Market, moment: pd.Timestamp, direction: float, generator: np.random.Generator
) -> Market:
    """Return the market with other bars and side values from a moment on."""
    bars = market.bars.copy()
    future = np.asarray(market.decision_time > moment)
    if future.any():
        n = int(future.sum())
        values = bars.to_numpy(np.float64, copy=True)
        level = np.exp(direction * (3.0 + np.abs(generator.normal(0.0, 0.5, n))))
        shape = np.exp(generator.normal(0.0, 0.05, (n, 4)))
        prices = values[future][:, :4] * level[:, None] * shape
        values[future, :4] = prices
        values[future, 1], values[future, 2] = prices.max(axis=1), prices.min(axis=1)
        values[future, 4] *= np.exp(generator.normal(2.0 * direction, 1.0, n))
        bars = pd.DataFrame(values, index=bars.index, columns=bars.columns)
    return market.replace(
        bars=bars,
        series={
            name: _other_values(series, np.asarray(series.frame["available_at"] > moment), generator)
            for name, series in market.series.items()
        },
    )


def _other_values(series: SideSeries, rows: Any, generator: np.random.Generator) -> SideSeries:
    frame = series.frame.copy()
    for column in series.values:  # noqa: PD011
        values = frame[column].to_numpy(np.float64, copy=True)
        spread = float(np.nanstd(values)) or 1.0
        values[rows] += generator.normal(5.0, 3.0, int(rows.sum())) * spread
        frame[column] = values
    return SideSeries(series.name, frame)


def damaged(market: Market) -> Iterator[tuple[str, Market, Any]]:
    """Yield what was done, the damaged market, and which of its rows were changed."""
    changed = np.zeros(len(market), dtype=bool)
    for rows in market.rows.values():
        middle = rows.start + (rows.stop - rows.start) // 6
        changed[middle : middle + 5] = True
    unknown = market.bars.copy()
    unknown[changed] = np.nan
    yield "with five unknown bars", market.replace(bars=unknown), changed
    volume = market.bars.copy()
    volume.loc[changed, "volume"] = np.nan
    yield "with five unknown volumes", market.replace(bars=volume), changed
    # The bar before and the one after a hole see each other: the latter counts as changed.
    hole = np.roll(changed, 1) & ~changed
    without = Market(market.bars[~changed], market.timeframe, market.series)
    yield "with five missing bars", without, hole[~changed]
    if market.series:
        series, until = _silenced(market)
        touched = np.asarray(market.decision_time < until)
        yield "with unknown side values", market.replace(series=series), touched


def _silenced(market: Market) -> tuple[dict[str, SideSeries], pd.Timestamp]:
    out: dict[str, SideSeries] = {}
    until = market.open_time.min()
    for name, series in market.series.items():
        frame = series.frame.copy()
        place = len(frame) // 6
        frame.loc[place : place + 1, list(series.values)] = np.nan
        out[name] = SideSeries(name, frame)
        later = frame["available_at"][frame["available_at"] > frame["available_at"].iloc[place + 1]]
        until = max(until, later.min() if len(later) else market.decision_time.max())
    return out, until


def clean_rows(market: Market, changed: Any, lookback: int) -> Any:
    """Return the rows whose ``lookback`` newest bars were all left alone, in every symbol."""
    last_changed = {
        s: int(market.open_time_ns[r][changed[r]].max()) if changed[r].any() else -1
        for s, r in market.rows.items()
    }
    clean = np.zeros(len(market), dtype=bool)
    newest = max(last_changed.values())
    for rows in market.rows.values():
        times = market.open_time_ns[rows]
        reach = np.arange(len(times)) - lookback
        oldest = times[np.maximum(reach + 1, 0)]
        clean[rows] = (reach >= -1) & (oldest > newest)
    return clean
