"""What the repositories on Parquet files share: the rows of a symbol in one immutable file a year."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from onward.data.columns import lower_columns, time_column
from onward.data.importers.cleaning import VALUES, clean
from onward.data.repositories import files, frames
from onward.data.repositories.base import Coverage, UpsertReport
from onward.data.repositories.merge import Merged, merge
from onward.data.repositories.names import decode_symbol, encode_symbol
from onward.data.repositories.offer import Offer
from onward.data.repositories.prepared import PreparedUpsert
from onward.data.repositories.removal import utc, within
from onward.data.repositories.removing import Removing
from onward.data.stamps import to_utc
from onward.data.timeframe import infer_timeframe
from onward.errors import DataError, NotEnoughDataError, StorageError
from onward.types import to_ns

__all__ = ["LOCK_TIMEOUT_SECONDS", "ParquetRepository"]

LOCK_TIMEOUT_SECONDS = 60.0
_READ_ATTEMPTS = 5


class ParquetRepository(Removing):
    """What the four repositories share.

    Parameters
    ----------
    root
        Directory of the store; made on the first write.
    lock_timeout_seconds
        How long a write waits for another writer of the same symbol.
    """

    optional: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, root: str | os.PathLike[str], *, lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS
    ) -> None:
        self.root = Path(root)
        self._lock_timeout_seconds = lock_timeout_seconds

    @property
    def columns(self) -> tuple[str, ...]:
        """Value columns of every read."""
        return (*VALUES[self.kind], *self.optional)

    def symbols(self) -> list[str]:
        """Return the stored symbols, sorted."""
        home = self.root / self.kind
        if not home.is_dir():
            return []
        stored = (decode_symbol(path.name) for path in home.iterdir() if path.is_dir())
        return sorted(symbol for symbol in stored if files.read_manifest(self._directory(symbol)))

    def read(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Return ``timestamp`` (UTC, ns) and float64 values with ``start <= timestamp < end``.

        Sorted, unique, RangeIndex; no rows when the symbol is not stored. What is returned is one
        complete state of the store, even while another process writes.

        Raises
        ------
        StorageError
            When a file is damaged.
        """
        directory = self._directory(symbol)
        start, end = utc(start), utc(end)
        frame = self._load(directory, lambda year: _overlaps(year, start, end), self.columns)
        return frame[within(frame["timestamp"], start, end)].reset_index(drop=True)

    def state(self, symbol: str) -> tuple[str, ...]:
        """Return the names of the files that hold a symbol's rows now; none when nothing is stored.

        Files are never changed: equal names, equal rows.
        """
        return tuple(sorted(files.read_manifest(self._directory(symbol)).values()))

    def upsert(self, symbol: str, rows: pd.DataFrame) -> UpsertReport:
        """Merge rows into the store, all or nothing.

        Parameters
        ----------
        symbol
            Symbol of all rows; the empty text stands for every symbol.
        rows
            A DatetimeIndex or a time column (naive times are UTC) and the values; any order.
            Rows that disagree are resolved as `onward.data.repositories.merge.merge` says.

        Returns
        -------
        UpsertReport
            Writing the same rows again reports them all as unchanged and touches no file.

        Raises
        ------
        DataError
            When the rows break the rules of bars or the symbol is not one.
        StorageError
            When the disk is full or refuses, or another writer does not let go. The old state
            stays.
        """
        prepared = self._prepare(symbol, rows, decided=True)
        try:
            prepared.swap()
        finally:
            prepared.settle()
        return prepared.report

    def prepare(self, symbol: str, rows: pd.DataFrame) -> PreparedUpsert:
        """Merge rows and write them, without making them visible: `upsert` in two steps.

        Nobody else writes this symbol before the second step. Should this process die before it
        has said that the rows stay, the next writer of the symbol goes back to what there was.

        Raises
        ------
        DataError, StorageError
            As of `upsert`; nothing is prepared then.
        """
        return self._prepare(symbol, rows, decided=False)

    def go_back(self, symbol: str) -> None:
        """Take back what a writer who died made visible before he could say that it stays."""
        directory = self._directory(symbol)
        if directory.is_dir():
            with (
                files.locked(directory, timeout_seconds=self._lock_timeout_seconds),
                files.storage_errors("taking rows back", directory),
            ):
                files.go_back(directory)
                files.sweep(directory)

    def _prepare(self, symbol: str, rows: pd.DataFrame, *, decided: bool) -> PreparedUpsert:
        directory = self._directory(symbol)
        offer = self._offered(symbol, rows)
        with ExitStack() as stack:
            if len(offer.rows) == 0:
                report = UpsertReport(self.kind, symbol, still_open=offer.still_open)
                return PreparedUpsert(directory, report, stack.pop_all(), None)
            stack.enter_context(files.locked(directory, timeout_seconds=self._lock_timeout_seconds))
            with files.storage_errors("taking rows back", directory):
                files.go_back(directory)
            years = set(frames.years(offer.rows))
            stored = self._load(directory, lambda year: year in years, self.columns)
            merged = merge(self.kind, stored, offer.rows)
            draft = None
            if merged.added or merged.replaced:
                self._check(symbol, directory, merged)
                with files.storage_errors(f"storing {self.kind} of {symbol or 'every symbol'}", directory):
                    draft = self._write(directory, merged.rows, decided=decided)
            report = offer.report(self.kind, symbol, merged)
            return PreparedUpsert(directory, report, stack.pop_all(), draft)

    def coverage(self, symbol: str) -> Coverage:
        """Return how far the rows of a symbol reach.

        Raises
        ------
        NotEnoughDataError
            When nothing is stored of the symbol.
        """
        times = pd.DatetimeIndex(self._load(self._directory(symbol), lambda _: True, ())["timestamp"])
        if not len(times):
            raise NotEnoughDataError(
                f"No {self.kind.replace('_', ' ')} of this symbol is stored",
                got=repr(symbol),
                allowed=", ".join(self.symbols()[:20]) or "nothing is stored yet",
            )
        steps = np.diff(to_ns(times))
        usual = self._usual_step(times)
        over = steps[steps > usual] if usual else steps[:0]
        missing = int((over // usual - 1).sum()) if usual else 0
        longest = pd.Timedelta(int(over.max()) if len(over) else 0, unit="ns")
        return Coverage(
            self.kind,
            symbol,
            self._timeframe_text(),
            times[0],
            times[-1],
            len(times),
            len(over),
            missing,
            longest,
        )

    def _directory(self, symbol: str) -> Path:
        return self.root / self.kind / encode_symbol(symbol)

    def _timeframe_text(self) -> str:
        return ""

    def _usual_step(self, times: pd.DatetimeIndex) -> int:
        return infer_timeframe(times).value if len(times) > 1 else 0

    def _offered(self, symbol: str, rows: pd.DataFrame) -> Offer:
        table = lower_columns(rows)
        missing = [c for c in VALUES[self.kind] if c not in table.columns]
        column = time_column(table)
        if missing or (column is None and not isinstance(table.index, pd.DatetimeIndex)):
            raise DataError(
                f"The rows of {symbol or 'every symbol'} lack {', '.join(missing) or 'timestamps'}",
                got=", ".join(map(str, table.columns)),
                allowed=", ".join(("timestamp", *VALUES[self.kind])),
            )
        times = to_utc(table.index if column is None else table[column])
        out = pd.DataFrame({"symbol": "", "timestamp": times})
        for name in self.columns:
            source = table[name].to_numpy(np.float64) if name in table.columns else np.nan
            out[name] = source
        # volume alone may be unknown
        wrong = ~np.isfinite(out[list(VALUES[self.kind][:4])].to_numpy()).all(axis=1)
        if wrong.any():
            raise DataError(
                f"Values of {self.kind.replace('_', ' ')} must be finite",
                got=f"{int(wrong.sum())} rows, first {times[int(np.argmax(wrong))]}",
                remedy="Drop those rows: what is missing is a gap, and gaps are fine.",
            )
        cleaned, repairs = clean(self.kind, out)
        disagreed = sum(repair.count for repair in repairs if repair.name == "conflicts")
        return Offer(cleaned.drop(columns="symbol"), disagreed=disagreed)

    def _check(self, symbol: str, directory: Path, merged: Merged) -> None:
        """Refuse what must not be stored beside what is stored."""

    def _first_year(self, directory: Path) -> int | None:
        return min(files.read_manifest(directory), default=None)

    def _load(self, directory: Path, wanted: Callable[[int], bool], columns: Sequence[str]) -> pd.DataFrame:
        for attempt in range(_READ_ATTEMPTS):
            manifest = files.read_manifest(directory)
            names = [manifest[year] for year in sorted(manifest) if wanted(year)]
            try:
                parts = [frames.read(directory / name, ["timestamp", *columns]) for name in names]
                break
            except FileNotFoundError as error:
                # a writer replaced the file between the two reads; its manifest names another
                if attempt == _READ_ATTEMPTS - 1:
                    raise StorageError(
                        "A file of the store is missing",
                        got=str(error),
                        remedy="Remove the directory and import its files again.",
                    ) from error
        if not parts:
            empty = pd.DataFrame({"timestamp": pd.DatetimeIndex([], dtype="datetime64[ns, UTC]")})
            return empty.assign(**{c: np.empty(0) for c in columns})
        return pd.concat(parts, ignore_index=True)

    def _write(self, directory: Path, rows: pd.DataFrame, *, decided: bool) -> Path:
        """Write the files of all years that rows fall into, and return the draft of their manifest."""
        manifest = files.read_manifest(directory)
        years = frames.years(rows)
        try:
            for year in np.unique(years):
                name = files.new_name(int(year))
                files.write_atomically(directory / name, frames.to_bytes(rows[years == year]))
                manifest[int(year)] = name
            if not decided:
                files.set_aside(directory)
            return files.draft_manifest(directory, manifest)
        except BaseException:
            files.sweep(directory)
            raise


def _overlaps(year: int, start: pd.Timestamp | None, end: pd.Timestamp | None) -> bool:
    return (start is None or year >= start.year) and (end is None or year <= end.year)
