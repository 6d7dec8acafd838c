"""Repositories on Parquet files: ``root/<kind>/<symbol>[/<timeframe>]/<year>-<id>.parquet``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from onward.data.importers.base import Kind
from onward.data.market import make_market
from onward.data.repositories.merge import Merged
from onward.data.repositories.offer import Offer
from onward.data.repositories.yearly import LOCK_TIMEOUT_SECONDS, ParquetRepository
from onward.data.timeframe import format_timeframe, parse_timeframe
from onward.errors import DataError, TimeframeError
from onward.types import to_ns

__all__ = [
    "ParquetCandleRepository",
    "ParquetFearGreedRepository",
    "ParquetFundingRateRepository",
    "ParquetOpenInterestRepository",
]

FOREIGN_ROWS = 100
"""Common bars from which on a majority of differing ones means another venue."""


def _utc_now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC")


class ParquetCandleRepository(ParquetRepository):
    """Closed candles of one timeframe.

    Parameters
    ----------
    root
        Directory of the store.
    timeframe
        Length of a bar.
    clock
        What time it is; candles not closed by then are not stored.
    lock_timeout_seconds
        How long a write waits for another writer of the same symbol.
    """

    kind: ClassVar[Kind] = "candles"

    def __init__(
        self,
        root: str | os.PathLike[str],
        timeframe: str | pd.Timedelta,
        *,
        clock: Callable[[], pd.Timestamp] = _utc_now,
        lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
    ) -> None:
        super().__init__(root, lock_timeout_seconds=lock_timeout_seconds)
        self.timeframe = parse_timeframe(timeframe)
        self._clock = clock

    def _directory(self, symbol: str) -> Path:
        if symbol == "":
            raise DataError("Candles belong to a symbol", got="''", allowed="BTC/USDT")
        return super()._directory(symbol) / format_timeframe(self.timeframe)

    def _timeframe_text(self) -> str:
        return format_timeframe(self.timeframe)

    def _usual_step(self, _times: pd.DatetimeIndex) -> int:
        return self.timeframe.value

    def _offered(self, symbol: str, rows: pd.DataFrame) -> Offer:
        offer = super()._offered(symbol, rows)
        now = self._clock()
        if len(offer.rows) == 0 or (offer.rows["timestamp"] + self.timeframe > now).all():
            return replace(offer, rows=offer.rows.iloc[:0], still_open=len(offer.rows))
        market = make_market(offer.rows, timeframe=self.timeframe, symbol=symbol, now=now)
        bars = market.bars.reset_index(drop=True)
        bars.insert(0, "timestamp", market.open_time)
        return replace(offer, rows=bars, still_open=len(offer.rows) - len(bars))

    def _check(self, symbol: str, directory: Path, merged: Merged) -> None:
        differing = merged.replaced + merged.refused
        if differing + merged.unchanged >= FOREIGN_ROWS and differing > merged.unchanged:
            raise DataError(
                f"These look like the bars of another venue, not of the stored {symbol}",
                got=f"{differing} of {differing + merged.unchanged} common bars differ",
                remedy=f"Store them under a name with the venue in front: --symbol VENUE:{symbol}.",
            )
        year = self._first_year(directory)
        if year is None:
            return
        stored = self._load(directory, lambda y: y == year, ())["timestamp"].iloc[0]
        offset = (merged.rows["timestamp"].iloc[0] - stored).value % self.timeframe.value
        off = (np.diff(to_ns(merged.rows["timestamp"])) % self.timeframe.value != 0).any()
        if offset or off:
            raise TimeframeError(
                f"The bars of {symbol} do not lie on the grid of those already stored",
                got=f"stored bars open at {stored} and every {format_timeframe(self.timeframe)}, "
                f"offered ones {pd.Timedelta(offset, unit='ns')} off",
                remedy="Check the zone of the stamps; another grid needs another symbol name.",
            )


class ParquetFundingRateRepository(ParquetRepository):
    """Funding rates by settlement time (jitter up to 5 s floored); the first print stays."""

    kind: ClassVar[Kind] = "funding"


class ParquetOpenInterestRepository(ParquetRepository):
    """Open interest (and its value in money, NaN where unknown) by stamp; the first print stays."""

    kind: ClassVar[Kind] = "open_interest"
    optional: ClassVar[tuple[str, ...]] = ("open_interest_value",)


class ParquetFearGreedRepository(ParquetRepository):
    """Fear & greed by the day it is dated with, symbol ``""``; the first print stays."""

    kind: ClassVar[Kind] = "fear_greed"
