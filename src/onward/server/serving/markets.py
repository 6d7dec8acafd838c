"""Markets for predictions: of bars that a client sent, or of what is stored, no longer than needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onward.config.data import DataProcessingConfig
from onward.data.availability import make_series
from onward.data.bars import market_of
from onward.data.loading import load_market
from onward.data.timeframe import parse_timeframe
from onward.errors import NotEnoughDataError, SeriesError
from onward.server.serving.market_shelf import Asked, MarketShelf
from onward.types import Market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onward.data.repositories import DataStore
    from onward.prediction.loaded import LoadedModel
    from onward.server.bodies.predictions import Bars

__all__ = ["sent_market", "stored_market"]

MILLISECOND = 1_000_000
SPARE = 1.25
"""Bars that are read more than are needed: gaps have no rows."""
LEAST_STEP = pd.Timedelta(1, unit="h")


def sent_market(
    model: LoadedModel,
    bars: Sequence[Bars],
    series: Mapping[str, Sequence[Mapping[str, float | str | None]]],
) -> Market:
    """Return the market of bars that a client sent.

    Raises
    ------
    DataError
        When they break a rule of the price or time model.
    """
    timeframe = parse_timeframe(model.version.manifest.timeframe)
    return market_of(
        np.concatenate([np.array([row[0] for row in one.rows], dtype=np.int64) for one in bars])
        * MILLISECOND,
        np.repeat(np.array([one.symbol for one in bars], dtype=object), [len(one.rows) for one in bars]),
        np.concatenate([np.array([row[1:] for row in one.rows], dtype=np.float64) for one in bars]),
        timeframe=timeframe,
        series={name: make_series(name, _series(name, rows), bar=timeframe) for name, rows in series.items()},
    )


def stored_market(
    model: LoadedModel,
    store: DataStore,
    symbols: Sequence[str] | None,
    *,
    at: pd.Timestamp,
    start: pd.Timestamp | None,
    shelf: MarketShelf | None = None,
) -> Market:
    """Return the stored market as it was known at a moment.

    Only as many bars are read as the features look back on (before ``start``, if there is one),
    and all of them where gaps leave too few.

    Parameters
    ----------
    model
        Says how far its features look back.
    store
        What is stored.
    symbols
        None takes those of training.
    at
        UTC.
    start
        First bar that is wanted, when it is not only the newest; nothing is kept then.
    shelf
        Keeps what was built, until something else is stored.
    """
    manifest = model.version.manifest
    part = Asked(
        tuple(manifest.symbols if symbols is None else symbols), manifest.timeframe, manifest.features.series
    )
    if start is None and shelf is not None:
        return _kept(model, store, part, at, shelf)
    first = (at if start is None else start) - parse_timeframe(part.timeframe) * _needed(model)
    near = _from(store, replace(part, first=first))
    market = None if near is None else near.known_at(at)
    if market is None or _too_short(market, model, part, start):
        market = _all(store, part).known_at(at)
    return market


def _kept(model: LoadedModel, store: DataStore, part: Asked, at: pd.Timestamp, shelf: MarketShelf) -> Market:
    """Return a market from the shelf.

    It begins at a multiple of a quarter of what is needed, so that requests that come one after
    the other ask for the same.
    """
    state = store.state(part.symbols, timeframe=part.timeframe, series=part.series)
    length = parse_timeframe(part.timeframe)
    step = max(length * (_needed(model) // 4), LEAST_STEP)
    cell = pd.Timestamp(at.value // step.value * step.value, tz="UTC")
    near = replace(part, first=cell - length * _needed(model), end=cell + 2 * step)
    market = shelf.known_at(near, state, at, lambda: _from(store, near))
    if market is None or _too_short(market, model, part, None):
        market = shelf.known_at(part, state, at, lambda: _all(store, part))
        assert market is not None
    return market


def _all(store: DataStore, part: Asked) -> Market:
    return load_market(store, _section(part))


def _section(part: Asked) -> DataProcessingConfig:
    return DataProcessingConfig.sealed(symbols=part.symbols, timeframe=part.timeframe, series=part.series)


def _needed(model: LoadedModel) -> int:
    return int(model.lookback * SPARE + 2)


def _from(store: DataStore, part: Asked) -> Market | None:
    """Return the stored bars from a moment on; None when there are none. Series are whole."""
    try:
        market = load_market(
            store, _section(part).model_copy(update={"timerange": f"{part.first:%Y%m%dT%H%M}-"})
        )
    except NotEnoughDataError:
        return None
    if part.end is None or market.open_time.max() < part.end:
        return market
    earlier = market.between(None, part.end)
    return earlier if len(earlier) else None


def _too_short(market: Market, model: LoadedModel, part: Asked, start: pd.Timestamp | None) -> bool:
    if set(market.symbols) != set(part.symbols):
        return True
    end = None if start is None else start.as_unit("ns").value
    for rows in market.rows.values():
        times = market.open_time_ns[rows]
        before = len(times) if end is None else int(np.searchsorted(times, end)) + 1
        if before < model.lookback:
            return True
    return False


def _series(name: str, rows: Sequence[Mapping[str, float | str | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    for column in ("timestamp", "available_at"):
        if column in frame:
            try:
                stamps = pd.to_numeric(frame[column])
                frame[column] = pd.to_datetime(stamps, unit="ms", utc=True)
            except (ValueError, TypeError, OverflowError) as error:
                raise SeriesError(
                    f"{column} of the series {name!r} is no moment",
                    got=ascii(str(error))[:100],
                    allowed="Unix milliseconds, UTC",
                ) from error
    return frame
