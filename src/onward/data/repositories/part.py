"""A stored series, or a range of it, as somebody names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from onward.data.importers.base import Kind
from onward.data.repositories.removal import nothing_stored
from onward.data.timeframe import TimeRange, format_timeframe, parse_timeframe, parse_timerange
from onward.errors import DataError, SeriesError, TimeframeError, nearest

if TYPE_CHECKING:
    from onward.data.repositories.store import DataStore
    from onward.data.repositories.yearly import ParquetRepository

__all__ = ["SeriesPart"]

KINDS: tuple[Kind, ...] = get_args(Kind)
EVER = TimeRange()


@dataclass(frozen=True)
class SeriesPart:
    """Which rows are meant, after looking at what is stored.

    Attributes
    ----------
    kind, symbol, timeframe
        Of the series; no symbol: for every one; no timeframe: not candles.
    bounds
        Range of time; without bounds the whole.
    """

    kind: Kind
    symbol: str
    timeframe: str = ""
    bounds: TimeRange = EVER

    @classmethod
    def of(
        cls,
        store: DataStore,
        kind: str,
        symbol: str,
        *,
        timeframe: str | None = None,
        timerange: str | None = None,
    ) -> SeriesPart:
        """Return what somebody names.

        Parameters
        ----------
        store
            What is stored.
        kind
            ``candles``, ``funding``, ``open_interest`` or ``fear_greed``.
        symbol
            As it is stored; the empty text for a series that is for every symbol.
        timeframe
            Of candles; None where they are stored in one alone.
        timerange
            As `onward.data.timeframe.parse_timerange` reads it; None for the whole.

        Raises
        ------
        DataNotFoundError
            When there is no such series.
        SeriesError, TimeframeError, DataError
            When there is no such kind, the timeframe is missing or makes no sense, or the range is
            empty or cannot be read.
        """
        found = next((one for one in KINDS if one == kind), None)
        if found is None:
            guess = nearest(kind, KINDS)
            raise SeriesError(
                "There is no such kind of series" + (f"; did you mean {guess!r}?" if guess else ""),
                got=repr(kind),
                allowed=", ".join(KINDS),
            )
        bounds = _bounds(timerange)
        if found != "candles":
            if timeframe is not None:
                raise TimeframeError(
                    "Only candles have a timeframe", got=f"{timeframe} for {kind}", remedy="Leave it out."
                )
            return cls(found, symbol, bounds=bounds)._stored(store)
        if timeframe is not None:
            length = format_timeframe(parse_timeframe(timeframe))
            return cls(found, symbol, length, bounds)._stored(store)
        lengths = [one for one in store.timeframes() if symbol and symbol in store.candles(one).symbols()]
        if len(lengths) > 1:
            raise TimeframeError(
                "Candles of this symbol are stored in several timeframes",
                got=symbol,
                allowed=", ".join(lengths),
                remedy=f"Name one, such as {lengths[0]}.",
            )
        if not lengths:
            known = {one for length in store.timeframes() for one in store.candles(length).symbols()}
            raise nothing_stored(found, symbol, sorted(known))
        return cls(found, symbol, lengths[0], bounds)

    def repository(self, store: DataStore) -> ParquetRepository:
        """Return the repository that holds the series."""
        return store.candles(self.timeframe) if self.kind == "candles" else store.side(self.kind)

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.symbol or "(every symbol)", self.timeframe) if part)

    def _stored(self, store: DataStore) -> SeriesPart:
        known = self.repository(store).symbols()
        if self.symbol not in known:
            raise nothing_stored(self.kind, self.symbol, known, self.timeframe)
        return self


def _bounds(timerange: str | None) -> TimeRange:
    if timerange is None:
        return EVER
    bounds = parse_timerange(timerange)
    if bounds == EVER:  # a variable that was never set must not remove everything
        raise DataError(
            "The time range names no moment",
            got=repr(timerange),
            allowed="20200101-20251231, 20200101- or -20251231",
            remedy="Leave it out to remove the whole series.",
        )
    return bounds
