"""The market that a verb works on: a file, a directory of a store, or what is stored at home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.errors import UserError

if TYPE_CHECKING:
    from onward.config import DataProcessingConfig
    from onward.types import Market

__all__ = ["DataOption", "SeriesOption", "TimerangeOption", "load_market", "named_files"]

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
    from onward.data.loading import load_market as load

    market = load(repositories, data, path, named_files(series or []))
    if path is not None and path.is_file() and data.symbols is None:
        _say_symbol(path, market)
    return market


def _say_symbol(path: Path, market: Market) -> None:
    """Say that the symbol is the name of the file, where neither it nor its name tells a pair."""
    if market.symbols == (path.name.split(".")[0],):
        typer.echo(
            f"The symbol is {market.symbols[0]}, as the file is called; "
            "--set data.symbols=BTC/USDT, say, names another.",
            err=True,
        )


def named_files(texts: list[str]) -> dict[str, str]:
    """Return the files of side series by name, from ``name=file`` texts."""
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
