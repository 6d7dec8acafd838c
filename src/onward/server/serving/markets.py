"""Markets for predictions: of bars that a client sent, or of what is stored, no longer than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onward.config.data import DataProcessingConfig
from onward.data.loading import load_market
from onward.data.market import make_market
from onward.errors import NotEnoughDataError, SeriesError
from onward.types import Market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onward.data.repositories import DataStore
    from onward.prediction.loaded import LoadedModel
    from onward.server.bodies.predictions import Bars

__all__ = ["sent_market", "stored_market"]

COLUMNS = ("open", "high", "low", "close", "volume")
SPARE = 1.25
"""Bars that are read more than are needed: gaps have no rows."""


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
    frames = []
    for one in bars:
        times = np.array([row[0] for row in one.rows], dtype="datetime64[ms]").astype("datetime64[ns]")
        values = np.array([row[1:] for row in one.rows], dtype=np.float64)
        frame = pd.DataFrame(values, columns=list(COLUMNS))
        frame.insert(0, "open_time", pd.DatetimeIndex(times, tz="UTC"))
        frame.insert(0, "symbol", one.symbol)
        frames.append(frame)
    return make_market(
        pd.concat(frames, ignore_index=True),
        timeframe=model.version.manifest.timeframe,
        series={name: _series(name, rows) for name, rows in series.items()},
    )


def stored_market(
    model: LoadedModel,
    store: DataStore,
    symbols: Sequence[str] | None,
    *,
    at: pd.Timestamp,
    start: pd.Timestamp | None,
) -> Market:
    """Return the stored market as it was known at a moment.

    Only as many bars are read as the features look back on (before ``start``, if there is one),
    and all of them where gaps leave too few.
    """
    manifest = model.version.manifest
    wanted = DataProcessingConfig.sealed(
        symbols=tuple(manifest.symbols if symbols is None else symbols),
        timeframe=manifest.timeframe,
        series=manifest.features.series,
    )
    length = pd.Timedelta(store.candles(manifest.timeframe).timeframe)
    first = (at if start is None else start) - length * int(model.lookback * SPARE + 2)
    near = wanted.model_copy(update={"timerange": f"{first:%Y%m%dT%H%M}-"})
    try:
        market = load_market(store, near).known_at(at)
    except NotEnoughDataError:
        market = None
    if market is None or _too_short(market, model, wanted, start):
        market = load_market(store, wanted).known_at(at)
    return market


def _too_short(
    market: Market, model: LoadedModel, wanted: DataProcessingConfig, start: pd.Timestamp | None
) -> bool:
    if wanted.symbols is not None and set(market.symbols) != set(wanted.symbols):
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
