"""The market that a section ``[data]`` asks for: from a file, a directory of a store, or a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from onward.config.data import DataProcessingConfig
from onward.data.read import read_market, read_series
from onward.data.repositories import DataStore
from onward.errors import SeriesError, in_section
from onward.types import Market

__all__ = ["load_market"]

STORED_SERIES = ("funding", "open_interest", "fear_greed")


def load_market(
    store: DataStore,
    data: DataProcessingConfig,
    path: Path | None = None,
    series: Mapping[str, str | os.PathLike[str]] | None = None,
) -> Market:
    """Read the bars and series that the section ``[data]`` asks for.

    Parameters
    ----------
    store
        Where they are when no path is given.
    data
        Symbols, timeframe, time range and series. Without named series, those that are stored.
    path
        File of candles, or directory of a store.
    series
        Files of side series beside the candles, by name.

    Raises
    ------
    DataError
        When something that was asked for is not there, or is not as it must be.
    """
    with in_section("data"):
        return _loaded(store, data, path, dict(series or {}))


def _loaded(
    store: DataStore,
    data: DataProcessingConfig,
    path: Path | None,
    files: Mapping[str, str | os.PathLike[str]],
) -> Market:
    if path is None or path.is_dir():
        return _stored(store if path is None else DataStore(path), data, files)
    market = read_market(
        path,
        timeframe=data.timeframe,
        symbol=data.symbols[0] if data.symbols is not None and len(data.symbols) == 1 else None,
        timerange=data.timerange,
        series=files,
    )
    return market if data.symbols is None or len(data.symbols) == 1 else market.select(data.symbols)


def _stored(
    store: DataStore, data: DataProcessingConfig, files: Mapping[str, str | os.PathLike[str]]
) -> Market:
    market = store.market(data.symbols, timeframe=data.timeframe, timerange=data.timerange)
    found = dict(market.series)
    for name in _stored_series(store) if data.series is None else data.series:
        if name in files:
            continue
        try:
            found |= store.market(
                market.symbols, timeframe=market.timeframe, timerange=data.timerange, series=[name]
            ).series
        except SeriesError:
            if data.series is not None:  # asked for by name: its absence is an error
                raise
    found |= {name: read_series(name, file, bar=market.timeframe) for name, file in files.items()}
    return market.replace(series=found)


def _stored_series(store: DataStore) -> list[str]:
    return [name for name in STORED_SERIES if store.side(name).symbols()]
