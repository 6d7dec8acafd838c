"""The market that a verb works on: a file, a directory of a store, or what is stored at home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.errors import SeriesError, UserError

if TYPE_CHECKING:
    from onward.config import DataProcessingConfig
    from onward.types import Market

__all__ = ["DataOption", "SeriesOption", "TimerangeOption", "load_market"]

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="PATH", help="File of candles or directory of a store; else what is stored at home."
    ),
]
SeriesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--series",
        metavar="NAME=FILE",
        help="Side series beside a file of candles (funding=f.csv); repeatable.",
    ),
]
TimerangeOption = Annotated[
    str | None,
    typer.Option(
        "--timerange", metavar="RANGE", help="Bars to use, such as 20200101-20251231, UTC, end excluded."
    ),
]


def load_market(
    repositories: Any, data: DataProcessingConfig, path: Path | None = None, series: list[str] | None = None
) -> Market:
    """Read the bars and series that the section ``[data]`` asks for.

    Parameters
    ----------
    repositories
        The stored market data, for when no path is given.
    data
        Symbols, timeframe, time range and series.
    path
        File of candles or directory of a store.
    series
        ``name=file`` texts: side series beside a file.
    """
    files = _named_files(series or [])
    if path is None or path.is_dir():
        from onward.data.repositories import DataStore

        store = repositories if path is None else DataStore(path)
        return _stored(store, data, files)
    from onward.data.read import read_market

    market = read_market(
        path,
        timeframe=data.timeframe,
        symbol=data.symbols[0] if data.symbols is not None and len(data.symbols) == 1 else None,
        timerange=data.timerange,
        series=files,
    )
    return market if data.symbols is None or len(data.symbols) == 1 else market.select(data.symbols)


def _stored(store: Any, data: DataProcessingConfig, files: dict[str, str]) -> Market:
    from onward.data.read import read_series

    market: Market = store.market(data.symbols, timeframe=data.timeframe, timerange=data.timerange)
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


def _stored_series(store: Any) -> list[str]:
    names = ("funding", "open_interest", "fear_greed")
    return [name for name in names if store.side(name).symbols()]


def _named_files(texts: list[str]) -> dict[str, str]:
    files = {}
    for text in texts:
        name, equals, file = text.partition("=")
        if not equals or not name or not file:
            raise UserError(
                "--series takes a name and a file",
                got=text,
                allowed="name=file",
                remedy="Write for instance --series funding=funding.csv",
            )
        files[name] = file
    return files
