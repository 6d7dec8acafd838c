"""Other futures for the same past: markets that agree up to a moment and differ after it.

Every style leaves bars closed, and side values published, at or before the moment untouched, bit
for bit. Several styles are needed because each blinds some leak: a constant future hides from a
maximum, a rise hides from a minimum, a scramble keeps quantiles, removing rows keeps values.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.types import INDEX_NAMES, OHLCV, BoolArray, FloatArray, Market, SideSeries, from_ns, to_ns

__all__ = ["STYLES", "perturb_future", "redraw_between"]

STYLES = ("rise", "fall", "scramble", "mirror", "constant", "remove", "extend")
"""Ways in which the future is changed."""


def perturb_future(
    market: Market,
    moment: int,
    style: str,
    *,
    seed: int = 0,
    bars: bool = True,
    series: Collection[str] | None = None,
) -> Market:
    """Return a market with the same past and another future.

    Parameters
    ----------
    market
        The market.
    moment
        ns UTC. Bars whose decision time, and side values whose ``available_at``, lies after it
        are changed; everything else is kept bit for bit.
    style
        One of `STYLES`: ``rise`` and ``fall`` jump to new extremes of price, volume and side
        values; ``scramble`` permutes what comes; ``mirror`` reverses the sign of every return
        and side value; ``constant`` stands still; ``remove`` drops half of the rows, the next
        ones among them; ``extend`` adds rows between the side values and beyond the last bar.
    seed
        Seed of the generator.
    bars
        Whether bars are changed.
    series
        Names of the side series to change; all of them when None.
    """
    generator = np.random.default_rng(seed)
    frame = _future_bars(market, moment, style, generator) if bars else market.bars
    changed = {
        name: _future_values(side, moment, style, generator) if series is None or name in series else side
        for name, side in market.series.items()
    }
    return Market(frame, market.timeframe, changed)


def redraw_between(market: Market, start: int, end: int, style: str, *, seed: int = 0) -> Market:
    """Return a market whose bars decided in ``(start, end]`` follow another path (side values kept).

    The bars after ``end`` are kept, so the price jumps there. ``remove`` and ``extend`` are not
    allowed: the rows stay as they are.
    """
    inside = (market.decision_time_ns > start) & (market.decision_time_ns <= end)
    other = _future_bars(market, start, style, np.random.default_rng(seed))
    values = market.bars.to_numpy(np.float64, copy=True)
    values[inside] = other.to_numpy(np.float64)[inside]
    return market.replace(bars=pd.DataFrame(values, index=market.bars.index, columns=market.bars.columns))


@dataclass(frozen=True, eq=False)
class _Past:
    price: float
    volume: float
    highest: float
    lowest: float
    loudest: float
    quietest: float


def _future_bars(market: Market, moment: int, style: str, generator: np.random.Generator) -> pd.DataFrame:
    future = market.decision_time_ns > moment
    if not future.any():
        return market.bars
    if style == "remove":
        return _without_some_bars(market, future, generator)
    values = market.bars[list(OHLCV)].to_numpy(np.float64, copy=True)
    for rows in market.rows.values():
        block = np.arange(rows.start, rows.stop)
        later = block[future[rows]]
        if len(later) and style != "extend":
            known = _past(values[block], len(block) - len(later))
            values[later] = _path(values[later], known, style, generator)
    bars = market.bars.copy(deep=True)
    bars[list(OHLCV)] = values
    return (
        pd.concat([bars, _more_bars(market, moment, values, generator)]).sort_index()
        if style == "extend"
        else bars
    )


def _past(values: FloatArray, n_known: int) -> _Past:
    last = values[n_known - 1] if n_known else values[0]
    volume = values[:, 4]
    positive = volume[volume > 0]
    return _Past(
        price=float(last[3]),
        volume=float(last[4]),
        highest=float(np.nanmax(values[:, 1])),
        lowest=float(np.nanmin(values[:, 2])),
        loudest=float(np.nanmax(volume)) or 1.0,
        quietest=float(positive.min()) if len(positive) else 1.0,
    )


def _path(later: FloatArray, known: _Past, style: str, generator: np.random.Generator) -> FloatArray:
    n = len(later)
    if style == "constant":
        return np.column_stack([np.full((n, 4), known.price), np.full(n, known.volume)])
    if style == "mirror":
        with np.errstate(divide="ignore", invalid="ignore"):
            mirrored = known.price**2 / later[:, [0, 2, 1, 3]]
        return np.column_stack([mirrored, later[::-1, 4]])
    if style == "scramble":
        return _scrambled(later, known, generator)
    target = 3.0 * known.highest if style == "rise" else known.lowest / 3.0
    approach = 1.0 - np.exp(-(np.arange(n) + 1.0) / 3.0)
    noise = generator.normal(0.0, 0.01, n)
    close = known.price * np.exp(approach * np.log(target / known.price) + noise)
    spread = np.exp(np.abs(generator.normal(0.0, 0.005, n)))
    loud = known.loudest * 10.0 if style == "rise" else known.quietest / 10.0
    return _bars_along(close, known.price, spread, spread, loud * (1.0 + generator.random(n)))


def _scrambled(later: FloatArray, known: _Past, generator: np.random.Generator) -> FloatArray:
    order = generator.permutation(len(later))
    open_, high, low, close = later[:, 0], later[:, 1], later[:, 2], later[:, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.log(close / np.concatenate(([known.price], close[:-1])))
        up = np.maximum(high / np.maximum(open_, close), 1.0)
        down = np.maximum(np.minimum(open_, close) / low, 1.0)
    step = np.nan_to_num(step, nan=0.0, posinf=0.0, neginf=0.0) * generator.choice((-1.0, 1.0), len(step))
    path = known.price * np.exp(np.cumsum(step[order] + generator.normal(0.0, 1e-4, len(step))))
    return _bars_along(path, known.price, up[order], down[order], later[order, 4])


def _bars_along(
    close: FloatArray, first: float, up: FloatArray, down: FloatArray, volume: FloatArray
) -> FloatArray:
    open_ = np.concatenate(([first], close[:-1]))
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    return np.column_stack([open_, top * up, bottom / down, close, volume])


def _without_some_bars(market: Market, future: BoolArray, generator: np.random.Generator) -> pd.DataFrame:
    drop = future & (generator.random(len(market)) < 0.5)
    for rows in market.rows.values():
        later = np.arange(rows.start, rows.stop)[future[rows]]
        drop[later[:2]] = True
    bars = market.bars[~drop].copy()
    bars.index = bars.index.remove_unused_levels()  # type: ignore[attr-defined]
    return bars


def _more_bars(
    market: Market, moment: int, values: FloatArray, generator: np.random.Generator
) -> pd.DataFrame:
    # A symbol that left the market before the moment goes on behind it: bars right after its last
    # one would change the past, which honest features that compare symbols do see.
    parts = []
    for symbol, rows in market.rows.items():
        n_more = max(50, (rows.stop - rows.start) // 10)
        known = _past(values[rows], rows.stop - rows.start)
        blank = np.empty((n_more, 5))
        path = np.concatenate([_path(blank[: n_more // 2], known, "rise", generator)])
        known_after = _Past(
            float(path[-1, 3]), known.volume, known.highest, known.lowest, known.loudest, known.quietest
        )
        path = np.concatenate([path, _path(blank[n_more // 2 :], known_after, "fall", generator)])
        last = market.open_time_ns[rows.stop - 1]
        first = last + market.timeframe_ns * max(1, (moment - last) // market.timeframe_ns)
        times = from_ns(first + market.timeframe_ns * np.arange(n_more, dtype=np.int64))
        index = pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES)
        more = pd.DataFrame(np.nan, index=index, columns=market.bars.columns)
        more[list(OHLCV)] = path
        parts.append(more)
    return pd.concat(parts)


def _future_values(side: SideSeries, moment: int, style: str, generator: np.random.Generator) -> SideSeries:
    frame = side.frame
    later = to_ns(frame["available_at"]) > moment
    if not later.any():
        return side
    if style == "remove":
        drop = later & (generator.random(len(frame)) < 0.5)
        drop[np.flatnonzero(later)[:2]] = True
        return SideSeries(side.name, frame[~drop].reset_index(drop=True))
    changed = frame.copy(deep=True)
    if style == "extend":
        return SideSeries(side.name, _with_rows_between(changed, later, side.values))
    for column in side.values:  # noqa: PD011 - names, not an array
        if not pd.api.types.is_numeric_dtype(frame[column].dtype):
            continue
        values = frame[column].to_numpy(np.float64, copy=True)
        values[later] = _values_along(values, later, style, generator)
        changed[column] = values
    return SideSeries(side.name, changed)


def _values_along(
    values: FloatArray, later: BoolArray, style: str, generator: np.random.Generator
) -> FloatArray:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    reach = (high - low) or abs(high) or 1.0
    n = int(later.sum())
    if style == "rise":
        return high + reach * (3.0 + generator.random(n))
    if style == "fall":
        return low - reach * (3.0 + generator.random(n))
    if style == "mirror":
        return low + high - values[later] + 0.01 * reach
    if style == "constant":
        known = values[~later]
        known = known[np.isfinite(known)]
        return np.full(n, known[-1] if len(known) else low)
    return generator.permutation(values[later]) + generator.normal(0.0, 0.1 * reach, n)


def _with_rows_between(frame: pd.DataFrame, later: BoolArray, columns: tuple[str, ...]) -> pd.DataFrame:
    # New rows keep the delay of their neighbours: a stage that counts on the publisher's usual
    # delay is honest and must not be caught by a lateness that the series never had.
    rows = frame[later].copy()
    for column in ("timestamp", "available_at"):
        times = to_ns(frame[column])[later]
        ahead = np.append(times[1:], times[-1] + 2 * 3_600_000_000_000)
        rows[column] = from_ns(times + np.maximum((ahead - times) // 2, 1))
    for column in columns:
        if pd.api.types.is_numeric_dtype(rows[column].dtype):
            rows[column] = rows[column] * 2.0 + 1.0
    both = pd.concat([frame, rows.astype(frame.dtypes.to_dict())], ignore_index=True)
    return both.sort_values(["symbol", "available_at", "timestamp"], kind="stable").reset_index(drop=True)
