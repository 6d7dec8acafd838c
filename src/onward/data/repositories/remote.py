"""Repositories whose rows lie in an object store that several hosts share.

What rows are lawful, how they are merged and what is reported is that of the Parquet repositories;
only where the files are, and how one state follows another, differs (`onward.data.repositories.shelf`).
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from onward.data.repositories import frames
from onward.data.repositories.base import UpsertReport
from onward.data.repositories.merge import merge
from onward.data.repositories.names import decode_symbol
from onward.data.repositories.offer import Offer
from onward.data.repositories.parquet import (
    ParquetCandleRepository,
    ParquetFearGreedRepository,
    ParquetFundingRateRepository,
    ParquetOpenInterestRepository,
    _utc_now,
)
from onward.data.repositories.prepared import PreparedUpsert
from onward.data.repositories.remote_removing import RemoteRemoving
from onward.data.repositories.shelf import Shelf, State
from onward.data.repositories.store import DataStore
from onward.data.repositories.yearly import ParquetRepository
from onward.data.timeframe import parse_timeframe
from onward.errors import StorageError
from onward.storage import MissingObjectError

__all__ = [
    "REMOTE_CATALOG",
    "RemoteCandleRepository",
    "RemoteDataStore",
    "RemoteFearGreedRepository",
    "RemoteFundingRateRepository",
    "RemoteOpenInterestRepository",
]

READ_ATTEMPTS = 5
WRITE_ATTEMPTS = 20
LONGEST_PAUSE_SECONDS = 0.5


class _RemoteRepository(RemoteRemoving, ParquetRepository):
    """What the four repositories share.

    Parameters
    ----------
    shelf
        The store.
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf.root)
        self._shelf = shelf

    def symbols(self) -> list[str]:
        """Return the stored symbols, sorted."""
        names = [place.relative_to(self.root / self.kind).parts[0] for place in self._places()]
        return sorted({decode_symbol(name) for name in names})

    def state(self, symbol: str) -> tuple[str, ...]:
        """Return the names of the files that hold a symbol's rows now; none when nothing is stored."""
        return tuple(sorted(self._shelf.state(self._directory(symbol)).files.values()))

    def go_back(self, symbol: str) -> None:
        """Do nothing: rows of a writer who died in between stay, and merging them again changes nothing.

        They lie where others may have built upon them.
        """

    def _places(self) -> list[Path]:
        return self._shelf.places(self.kind)

    def _load(self, directory: Path, wanted: Callable[[int], bool], columns: Sequence[str]) -> pd.DataFrame:
        for attempt in range(READ_ATTEMPTS):
            try:
                return self._load_of(self._shelf.state(directory), directory, wanted, columns)
            except MissingObjectError:  # retired for long before we came to read it
                if attempt == READ_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _load_of(
        self, state: State, directory: Path, wanted: Callable[[int], bool], columns: Sequence[str]
    ) -> pd.DataFrame:
        names = [state.files[year] for year in sorted(state.files) if wanted(year)]
        parts = [self._shelf.read(directory, name, ["timestamp", *columns]) for name in names]
        if not parts:
            empty = pd.DataFrame({"timestamp": pd.DatetimeIndex([], dtype="datetime64[ns, UTC]")})
            return empty.assign(**{c: np.empty(0) for c in columns})
        return pd.concat(parts, ignore_index=True)

    def _prepare(self, symbol: str, rows: pd.DataFrame, *, decided: bool) -> PreparedUpsert:  # noqa: ARG002
        return _RemoteUpsert(self, symbol, self._directory(symbol), self._offered(symbol, rows))

    def _first_year(self, directory: Path) -> int | None:
        return min(self._shelf.state(directory).files, default=None)


class _RemoteUpsert(PreparedUpsert):
    """Rows that are merged and uploaded, but not visible yet; others may write meanwhile.

    Who was overtaken merges again, with what the other wrote; the report is then another one.
    """

    def __init__(self, repository: _RemoteRepository, symbol: str, place: Path, offer: Offer) -> None:
        super().__init__(place, UpsertReport(repository.kind, symbol), ExitStack(), None)
        self._repository = repository
        self._shelf = repository._shelf
        self._symbol = symbol
        self._offer = offer
        self._before = State()
        self._files: dict[int, str] | None = None
        self._now: State | None = None
        self._merge()

    def swap(self) -> None:
        """Make the rows visible by switching the manifest. Again is once."""
        for attempt in range(WRITE_ATTEMPTS):
            if self._files is None or self._now is not None:
                return
            self._now = self._shelf.switch(self._directory, self._before, self._added)
            if self._now is not None:
                return
            # Not in step with those who were faster: two that lose together must not meet again.
            time.sleep(random.uniform(0, min(0.02 * 2**attempt, LONGEST_PAUSE_SECONDS)))  # noqa: S311
            self._drop()
            self._merge()
        self._drop()
        raise StorageError(
            "Other writers do not let this one through",
            got=f"{self.report.kind} of {self._symbol or 'every symbol'}: overtaken {WRITE_ATTEMPTS} times",
            remedy="Repeat the import when fewer run at once; nothing was changed by this one.",
        )

    def settle(self) -> None:
        """Keep what is visible; what was never made visible is taken away."""
        if self._now is None:
            self._drop()
        else:
            self._shelf.tidy(self._directory, self._before, self._now)

    def back(self) -> None:
        """Take it back, also when it was visible, unless somebody has built upon it."""
        if self._now is None:
            self._drop()
        else:
            self._shelf.switch(self._directory, self._now, self._before.files)
        self._files = None

    def leave(self) -> None:
        """Leave it as it is: what is visible stays, what is not is swept after a day."""

    @property
    def _added(self) -> dict[int, str]:
        return {**self._before.files, **(self._files or {})}

    def _drop(self) -> None:
        if self._files:
            self._shelf.remove(self._directory, self._files.values())
        self._files = None

    def _merge(self) -> None:
        """Merge with what is there now, and upload the years that change."""
        repository, offer, symbol = self._repository, self._offer, self._symbol
        if len(offer.rows) == 0:
            self.report = UpsertReport(repository.kind, symbol, still_open=offer.still_open)
            return
        years = set(frames.years(offer.rows))
        for attempt in range(READ_ATTEMPTS):
            self._before = self._shelf.state(self._directory)
            try:
                stored = repository._load_of(
                    self._before, self._directory, lambda year: year in years, repository.columns
                )
                break
            except MissingObjectError:
                if attempt == READ_ATTEMPTS - 1:
                    raise
        merged = merge(repository.kind, stored, offer.rows)
        self.report = offer.report(repository.kind, symbol, merged)
        if not merged.added and not merged.replaced:
            return
        repository._check(symbol, self._directory, merged)
        self._files = {}
        try:
            of_row = frames.years(merged.rows)
            for year in np.unique(of_row):
                content = frames.to_bytes(merged.rows[of_row == year])
                self._files[int(year)] = self._shelf.add(self._directory, int(year), content)
        except BaseException:
            with contextlib.suppress(StorageError):
                self._drop()
            raise


class RemoteCandleRepository(_RemoteRepository, ParquetCandleRepository):
    """Closed candles of one timeframe.

    Parameters
    ----------
    shelf
        The store.
    timeframe
        Length of a bar.
    clock
        What time it is; candles not closed by then are not stored.
    """

    def __init__(
        self, shelf: Shelf, timeframe: str | pd.Timedelta, *, clock: Callable[[], pd.Timestamp] = _utc_now
    ) -> None:
        ParquetCandleRepository.__init__(self, shelf.root, timeframe, clock=clock)
        self._shelf = shelf

    def _places(self) -> list[Path]:
        return [place for place in super()._places() if place.name == self._timeframe_text()]


class RemoteFundingRateRepository(_RemoteRepository, ParquetFundingRateRepository):
    """Funding rates by settlement time; the first print stays."""


class RemoteOpenInterestRepository(_RemoteRepository, ParquetOpenInterestRepository):
    """Open interest by stamp; the first print stays."""


class RemoteFearGreedRepository(_RemoteRepository, ParquetFearGreedRepository):
    """Fear & greed by the day it is dated with, symbol ``""``; the first print stays."""


REMOTE_CATALOG = (
    RemoteCandleRepository,
    RemoteFundingRateRepository,
    RemoteOpenInterestRepository,
    RemoteFearGreedRepository,
)
"""Every implementation on a store; the contract suite runs on all of them."""


class RemoteDataStore(DataStore):
    """All market data of a store that several hosts share.

    Parameters
    ----------
    shelf
        The store.
    clock
        What time it is; candles not closed by then are not stored.
    """

    def __init__(self, shelf: Shelf, *, clock: Callable[[], pd.Timestamp] = _utc_now) -> None:
        super().__init__(os.fspath(shelf.root), clock=clock)
        self._shelf = shelf
        self.funding = RemoteFundingRateRepository(shelf)
        self.open_interest = RemoteOpenInterestRepository(shelf)
        self.fear_greed = RemoteFearGreedRepository(shelf)

    def candles(self, timeframe: str | pd.Timedelta) -> ParquetCandleRepository:
        """Return the candles of one timeframe."""
        return RemoteCandleRepository(self._shelf, timeframe, clock=self._clock)

    def timeframes(self) -> list[str]:
        """Return the timeframes in which candles are stored, shortest first."""
        found = {place.name for place in self._shelf.places("candles")}
        return sorted(found, key=parse_timeframe)
