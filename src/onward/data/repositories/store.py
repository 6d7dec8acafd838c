"""The repositories of one directory together: save what was imported, list it, build markets of it."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from onward.data.availability import RULES, make_series
from onward.data.importers.base import ImportResult
from onward.data.market import make_market
from onward.data.repositories.base import Coverage, UpsertReport
from onward.data.repositories.parquet import (
    ParquetCandleRepository,
    ParquetFearGreedRepository,
    ParquetFundingRateRepository,
    ParquetOpenInterestRepository,
)
from onward.data.repositories.yearly import ParquetRepository
from onward.data.timeframe import TimeRange, format_timeframe, parse_timeframe, parse_timerange
from onward.errors import DataError, FormatError, NotEnoughDataError, SeriesError, TimeframeError, nearest
from onward.naming import check_symbol, stand_ins
from onward.types import Market, SideSeries

__all__ = ["DataStore", "stored_market"]

_log = logging.getLogger(__name__)

SIDE = ("funding", "open_interest", "fear_greed")


def _utc_now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC")


class DataStore:
    """All market data under one root directory.

    Parameters
    ----------
    root
        Directory of the store; made on the first write.
    clock
        What time it is; candles not closed by then are not stored.
    """

    def __init__(self, root: str | os.PathLike[str], *, clock: Callable[[], pd.Timestamp] = _utc_now) -> None:
        self.root = Path(root)
        self._clock = clock
        self.funding = ParquetFundingRateRepository(root)
        self.open_interest = ParquetOpenInterestRepository(root)
        self.fear_greed = ParquetFearGreedRepository(root)

    def candles(self, timeframe: str | pd.Timedelta) -> ParquetCandleRepository:
        """Return the candles of one timeframe."""
        return ParquetCandleRepository(self.root, timeframe, clock=self._clock)

    def side(self, name: str) -> ParquetRepository:
        """Return the repository of a side series by name.

        Raises
        ------
        SeriesError
            When there is none of that name.
        """
        known: Mapping[str, ParquetRepository] = {
            "funding": self.funding,
            "open_interest": self.open_interest,
            "fear_greed": self.fear_greed,
        }
        if name not in known:
            guess = nearest(name, known)
            raise SeriesError(
                "Repositories hold no such series" + (f"; did you mean {guess!r}?" if guess else ""),
                got=repr(name),
                allowed=", ".join(known),
                remedy="Give a custom series as a frame or file beside the candles.",
                settings=("series",),
            )
        return known[name]

    def timeframes(self) -> list[str]:
        """Return the timeframes in which candles are stored, shortest first."""
        found = {
            path.parent.name for path in (self.root / "candles").glob("*/*/manifest.json") if path.is_file()
        }
        return sorted(found, key=parse_timeframe)

    def save(
        self,
        result: ImportResult,
        *,
        symbol: str | None = None,
        timeframe: str | pd.Timedelta | None = None,
    ) -> list[UpsertReport]:
        """Store an import, one report a symbol.

        Parameters
        ----------
        result
            What `onward.data.importers.read` gave.
        symbol
            Name to store a file of one symbol under; needed where nothing in it says the symbol.
        timeframe
            Length of a bar, where one row does not tell.

        Raises
        ------
        DataError
            When candles have no symbol, one name is given to several symbols, or a name cannot be one.
        """
        if symbol is not None and len(result.symbols) > 1:
            raise DataError(
                "One name for several symbols", got=repr(symbol), allowed=", ".join(result.symbols[:20])
            )
        if result.kind == "candles":
            length = result.timeframe if timeframe is None else parse_timeframe(timeframe)
            if length is None:
                raise TimeframeError("One bar does not tell the timeframe", remedy="Give it: --timeframe 1h.")
            repository: ParquetRepository = self.candles(length)
        else:
            repository = self.side(result.kind)
        reports = []
        for held, rows in result.frame.groupby("symbol", sort=True):
            name = str(held) if symbol is None else symbol
            if result.kind == "candles" and not name:
                raise DataError(
                    "Neither the file nor its name says which symbol the candles are of",
                    allowed="a column symbol, a name such as BTC_USDT-1h.csv, or a symbol that you give",
                    remedy="Give it: --symbol BTC/USDT.",
                )
            reports.append(repository.upsert(check_symbol(name) if name else "", rows.drop(columns="symbol")))
        return reports

    def coverage(self) -> list[Coverage]:
        """Return how far everything stored reaches: candles by timeframe, then the side series."""
        repositories: list[ParquetRepository] = [self.candles(t) for t in self.timeframes()]
        repositories += [self.funding, self.open_interest, self.fear_greed]
        return [r.coverage(symbol) for r in repositories for symbol in r.symbols()]

    def series_beside(self, symbol: str) -> tuple[str, ...]:
        """Return the names of the side series that `market` would find for a symbol."""
        stands = set(stand_ins(symbol))
        return tuple(name for name in SIDE if not stands.isdisjoint(self.side(name).symbols()))

    def state(
        self, symbols: Iterable[str], *, timeframe: str | pd.Timedelta, series: Sequence[str] = ()
    ) -> tuple[tuple[str, ...], ...]:
        """Return which files `market` would read of symbols: as long as they are equal, so is the market.

        Parameters
        ----------
        symbols, timeframe, series
            As of `market`; for series also the files of symbols that would stand in.
        """
        named, candles = list(symbols), self.candles(timeframe)
        held = [candles.state(symbol) for symbol in named]
        for name in series:
            side = self.side(name)
            held += [side.state(one) for symbol in named for one in stand_ins(symbol)]
        return tuple(held)

    def market(
        self,
        symbols: Iterable[str] | None = None,
        *,
        timeframe: str | pd.Timedelta | None = None,
        timerange: str | TimeRange | None = None,
        series: Sequence[str] = (),
    ) -> Market:
        """Build a market from what is stored.

        Parameters
        ----------
        symbols
            Symbols of the panel; None takes all of the timeframe.
        timeframe
            None where only one is stored, or only one in which all these symbols are.
        timerange
            Bars that open within; start included, end excluded.
        series
            Names of side series. Each symbol gets its own series; where there is none the
            perpetual of the same pair (``BTC/USDT`` takes ``BTC/USDT:USDT``), or the pair of the
            same perpetual; where there is none either, values stored for every symbol.

        Raises
        ------
        DataError, TimeframeError, SeriesError, NotEnoughDataError
            When something that was asked for is not stored.
        """
        bounds = timerange if isinstance(timerange, tuple) else parse_timerange(timerange)
        named = None if symbols is None else list(symbols)
        candles = self.candles(self._timeframe(timeframe, named))
        wanted = self._symbols(named, candles)
        parts = [candles.read(s, start=bounds.start, end=bounds.end).assign(symbol=s) for s in wanted]
        parts = [part for part in parts if len(part)]
        if not parts:
            raise NotEnoughDataError(
                "No stored bar opens within the time range",
                got=f"{bounds.start or ''} to {bounds.end or ''}",
                allowed=_reach(candles, wanted),
                settings=("timerange",),
            )
        bars = pd.concat(parts, ignore_index=True)
        market = make_market(bars, timeframe=candles.timeframe)
        return market.replace(series={name: self._series(name, market, bounds.end) for name in series})

    def _timeframe(
        self, timeframe: str | pd.Timedelta | None, symbols: list[str] | None = None
    ) -> pd.Timedelta:
        stored = self.timeframes()
        if timeframe is None and symbols:
            stored = [t for t in stored if set(symbols) <= set(self.candles(t).symbols())] or stored
        if timeframe is None and len(stored) != 1:
            one = "1h" if "1h" in stored else "".join(stored[:1])
            raise TimeframeError(
                "The timeframe must be named" if stored else "No candles are stored",
                got=str(self.root),
                allowed=", ".join(stored) or None,
                remedy=f"Name one: --set data.timeframe={one} (in Python timeframe={one!r})."
                if stored
                else "Import some: onward data import FILE.",
                settings=("timeframe",),
            )
        length = parse_timeframe(stored[0] if timeframe is None else timeframe)
        if format_timeframe(length) not in stored:
            raise TimeframeError(
                "No candles of this timeframe are stored",
                got=format_timeframe(length),
                allowed=", ".join(stored) or "nothing is stored yet",
                remedy="Import some: onward data import FILE.",
                settings=("timeframe",),
            )
        return length

    def _symbols(self, symbols: Iterable[str] | None, candles: ParquetCandleRepository) -> list[str]:
        stored = candles.symbols()
        wanted = stored if symbols is None else list(dict.fromkeys(symbols))
        for symbol in wanted:
            if symbol not in stored:
                guess = _alike(symbol, stored)
                raise DataError(
                    "No candles of this symbol are stored" + (f"; did you mean {guess!r}?" if guess else ""),
                    got=f"{symbol!r} in {format_timeframe(candles.timeframe)}",
                    allowed=", ".join(stored[:20]) or "nothing is stored yet",
                    remedy="Import it: onward data import FILE --symbol ...",
                    settings=("symbols",),
                )
        return wanted

    def _series(self, name: str, market: Market, end: pd.Timestamp | None) -> SideSeries:
        repository = self.side(name)
        stored = repository.symbols()
        parts, without = [], []
        for symbol in market.symbols:
            held = next((c for c in stand_ins(symbol) if c in stored), None)
            if held is None:
                without.append(symbol)
                continue
            if held not in ("", symbol):
                _log.info("The %s of %s stands beside %s.", name, held, symbol)
            parts.append(repository.read(held, end=end).assign(symbol=symbol if held else ""))
        parts = [part for part in parts if len(part)]
        if not parts:
            raise SeriesError(
                f"No {name.replace('_', ' ')} is stored for these symbols",
                got=", ".join(market.symbols[:10]),
                allowed=", ".join(s or "every symbol" for s in stored[:20]) or "nothing is stored yet",
                remedy=f"Import it, or leave {name!r} out of the series.",
                settings=("series",),
            )
        if without:
            _log.warning("No %s is stored for %s.", name, ", ".join(without))
        frame = pd.concat(parts, ignore_index=True).drop_duplicates(["symbol", "timestamp"])
        empty = [c for c in RULES[name].also if c in frame.columns and frame[c].isna().all()]
        return make_series(name, frame.drop(columns=empty), bar=market.timeframe)


def stored_market(
    root: str | os.PathLike[str],
    *,
    symbols: Iterable[str] | None = None,
    timeframe: str | pd.Timedelta | None = None,
    timerange: str | TimeRange | None = None,
    series: Sequence[str] = (),
) -> Market:
    """Build a market from the repositories of a directory; parameters as in `DataStore.market`.

    Raises
    ------
    FormatError
        When the directory is not one of a store.
    """
    path = Path(root)
    if not (path / "candles").is_dir():
        raise FormatError(
            "The directory holds no repository of candles",
            got=str(path),
            allowed="a file of candles, or a directory filled by `onward data import`",
        )
    return DataStore(path).market(symbols, timeframe=timeframe, timerange=timerange, series=series)


def _reach(candles: ParquetCandleRepository, symbols: Sequence[str]) -> str:
    if not symbols:
        return "nothing is stored yet"
    spans = [candles.coverage(s) for s in symbols]
    return f"{min(s.first for s in spans)} to {max(s.last for s in spans)}"


def _alike(symbol: str, stored: Iterable[str]) -> str | None:
    """Return the stored symbol that a misspelt one probably means: alike in what is traded, not in money."""
    base = {one: re.split(r"[/:-]", one)[0].casefold() for one in stored}
    near = difflib.get_close_matches(re.split(r"[/:-]", symbol)[0].casefold(), base.values(), n=1, cutoff=0.6)
    return nearest(symbol, [one for one, name in base.items() if name in near]) if near else None
