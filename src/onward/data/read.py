"""From a file to a market in one call."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import pandas as pd

from onward.data import importers
from onward.data.availability import RULES, make_series
from onward.data.bars import OhlcPolicy
from onward.data.market import make_market
from onward.data.timeframe import TimeRange, format_timeframe, parse_timeframe, parse_timerange
from onward.errors import FormatError, NotEnoughDataError, SeriesError, TimeframeError
from onward.types import Market, SideSeries

__all__ = ["SeriesSource", "market_of", "read_market", "read_series", "sample_market"]

SeriesSource = SideSeries | pd.DataFrame | str | os.PathLike[str]
"""A ready-made series, a frame, or the path of a file."""

_log = logging.getLogger(__name__)


def read_market(
    path: str | os.PathLike[str],
    *,
    timeframe: str | pd.Timedelta | None = None,
    symbol: str | None = None,
    format: str | None = None,
    series: Mapping[str, SeriesSource] | Sequence[str] | None = None,
    timerange: str | TimeRange | None = None,
    now: pd.Timestamp | None = None,
    ohlc: OhlcPolicy = "error",
) -> Market:
    """Read candles, and the series beside them, into a checked market.

    Parameters
    ----------
    path
        A file of any format in `onward.data.importers.CATALOG`, or the directory of a repository
        (`onward.data.repositories`).
    timeframe
        Length of a bar, ``"1h"``; None takes the usual spacing. A repository needs it where it
        holds several.
    symbol
        Name of the only symbol, or the one to take of several. Default: what the content, else
        the file name says.
    format
        Name of the format; None recognises it.
    series
        Side series by name: files, frames or ready-made series. For a repository also a list of
        names.
    timerange
        ``"20200101-20251231"``: bars that open within; start included, end excluded. Side series
        are kept whole.
    now
        When given, bars not closed at this moment are left out.
    ohlc
        See `onward.data.market.make_market`.

    Raises
    ------
    FormatError, DataError, TimeframeError, SeriesError, NotEnoughDataError
        Each says what was wrong, what was got, what is allowed and the remedy.
    """
    bounds = parse_timerange(timerange) if not isinstance(timerange, tuple) else timerange
    source = Path(path)
    if source.is_dir():
        from onward.data.repositories import stored_market

        names = [] if series is None or isinstance(series, Mapping) else list(series)
        market = stored_market(
            source,
            symbols=None if symbol is None else [symbol],
            timeframe=timeframe,
            timerange=bounds,
            series=names,
        )
        if isinstance(series, Mapping):
            market = market.replace(series=_series(series, market))
        return market
    if series is not None and not isinstance(series, Mapping):
        raise SeriesError(
            "Side series of a file are given by name and source",
            got=repr(series),
            allowed="series={'funding': 'funding.parquet'}",
            remedy="Only a repository can look names up by itself.",
        )
    market = market_of(importers.read(source, format), timeframe=timeframe, symbol=symbol, now=now, ohlc=ohlc)
    if bounds != TimeRange():
        market = _within(market, bounds)
    return market.replace(series=_series(series or {}, market))


def market_of(
    result: importers.ImportResult,
    *,
    timeframe: str | pd.Timedelta | None = None,
    symbol: str | None = None,
    now: pd.Timestamp | None = None,
    ohlc: OhlcPolicy = "error",
) -> Market:
    """Return the checked market of imported candles, without side series.

    Parameters are those of `read_market`. What was recognised and repaired is logged.

    Raises
    ------
    FormatError
        When the rows are not candles.
    TimeframeError
        When no timeframe is given and one row does not tell.
    """
    _log.info("%s", result.recognition)
    for repair in result.repairs:
        _log.info("%s", repair)
    if result.kind != "candles":
        raise FormatError(
            f"The file holds {result.kind.replace('_', ' ')}, not candles",
            got=str(result.recognition),
            remedy=f"Give it beside candles: series={{{result.kind!r}: path}}.",
        )
    length = result.timeframe if timeframe is None else parse_timeframe(timeframe)
    if length is None:
        raise TimeframeError(
            "One bar does not tell the timeframe",
            remedy="Give it: --timeframe 1h, in plans data.timeframe, in Python timeframe='1h'.",
        )
    frame = result.frame
    if set(result.symbols) == {""}:
        frame = frame.drop(columns="symbol")
        symbol = symbol or result.source.split(".")[0] or None
    return make_market(frame, timeframe=length, symbol=symbol, now=now, ohlc=ohlc)


def read_series(name: str, source: SeriesSource, *, bar: pd.Timedelta | None = None) -> SideSeries:
    """Return a side series from a file, a frame or itself.

    Parameters
    ----------
    name
        Name of the series; decides the rule of availability.
    source
        Where the values come from. Files of custom series need a column ``available_at``.
    bar
        Length of a bar of the market that it will stand beside.
    """
    if isinstance(source, SideSeries):
        return source
    if isinstance(source, pd.DataFrame):
        return make_series(name, source, bar=bar)
    if name not in RULES:
        # whatever a custom series looks like, its own columns count, not those of a known kind
        return make_series(name, importers.Peek(Path(source)).table(), bar=bar)
    result = importers.read(source)
    if result.kind != name:
        raise SeriesError(
            f"The file does not hold {name.replace('_', ' ')}",
            got=f"{Path(source).name}: {result.recognition}",
            allowed=f"a file of {name.replace('_', ' ')}",
        )
    return make_series(name, result.frame, bar=bar)


def sample_market() -> Market:
    """Return the bundled market: Coinbase BTC/USD, 20,111 hourly bars, 2017-07-01 to 2019-10-17.

    Real data; where it comes from is written in ``ATTRIBUTION.md`` beside it.
    """
    sample = resources.files("onward.data") / "samples" / "btcusd_1h.parquet"
    with resources.as_file(sample) as path:
        return make_market(pd.read_parquet(path), timeframe="1h", symbol="BTC/USD")


def _series(series: Mapping[str, SeriesSource], market: Market) -> dict[str, SideSeries]:
    read = {name: read_series(name, source, bar=market.timeframe) for name, source in series.items()}
    return {name: _for_symbol(one, market) for name, one in read.items()}


def _for_symbol(one: SideSeries, market: Market) -> SideSeries:
    """Give a series of one foreign symbol to a market of one symbol: the user put them together."""
    held = one.frame["symbol"].unique()
    if len(held) != 1 or len(market.symbols) != 1 or held[0] in ("", market.symbols[0]):
        return one
    _log.info("The series %s of %s stands beside %s.", one.name, held[0], market.symbols[0])
    return SideSeries(one.name, one.frame.assign(symbol=market.symbols[0]))


def _within(market: Market, bounds: TimeRange) -> Market:
    inside = market.between(*bounds)
    if len(inside) == 0:
        first, last = market.open_time.min(), market.open_time.max()
        raise NotEnoughDataError(
            "No bar opens within the time range",
            got=f"{bounds.start or ''} to {bounds.end or ''}",
            allowed=f"{first} to {last} ({format_timeframe(market.timeframe)} bars)",
            settings=("timerange",),
        )
    return inside
