"""Removing rows from files of a directory: everything slow first, then one rename, or none."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from onward.data.importers.base import Kind
from onward.data.repositories import files, frames
from onward.data.repositories.removal import (
    Cut,
    PreparedRemoval,
    RemovalReport,
    cut,
    nothing_stored,
    state_of,
    unchanged,
    utc,
    within,
)
from onward.errors import StorageError

__all__ = ["FileRemoval", "Removing"]

PATIENCE_SECONDS = 5.0
"""How long a removal waits for another writer of the series: whoever asks for one waits for the answer."""
_READ_ATTEMPTS = 5


class Removing(ABC):
    """What of a repository takes rows away; the rest is `onward.data.repositories.yearly`."""

    kind: ClassVar[Kind]

    def removal(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> RemovalReport:
        """Return what `remove` would take away, as it is stored now; nothing is locked or changed.

        Raises
        ------
        DataNotFoundError, NotEnoughDataError, StorageError
            As of `remove`.
        """
        directory, start, end = self._directory(symbol), utc(start), utc(end)
        for certain in (*[False] * _READ_ATTEMPTS, True):
            manifest = self._current(directory, symbol)
            with contextlib.suppress(FileNotFoundError):  # a writer was faster
                return self._told(symbol, manifest, _found(directory, manifest, start, end, certain=certain))
        raise AssertionError("unreachable")

    def remove(
        self,
        symbol: str,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        seen: str | None = None,
    ) -> RemovalReport:
        """Take rows out of the store, all or nothing.

        Parameters
        ----------
        symbol
            Of the series.
        start, end
            Rows with ``start <= timestamp < end`` go (naive times are UTC); without both the series
            goes as a whole, files that are damaged as well.
        seen
            ``state`` of a `removal` that somebody looked at: rows go only while it still holds.

        Raises
        ------
        DataNotFoundError
            When nothing is stored of the symbol.
        DataConflictError
            When what is stored is not what was ``seen``.
        NotEnoughDataError
            When no row lies within the range.
        StorageError
            When the disk is full or refuses, or another writer does not let go. The old state stays.
        """
        with self.prepare_removal(symbol, start=start, end=end, seen=seen) as prepared:
            prepared.swap()
        return prepared.report

    def prepare_removal(
        self,
        symbol: str,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        seen: str | None = None,
    ) -> PreparedRemoval:
        """Write what stays, without making it visible: `remove` in two steps, for a ``with`` block.

        Nobody else writes the series before its end.

        Raises
        ------
        DataNotFoundError, DataConflictError, NotEnoughDataError, StorageError
            As of `remove`; nothing is prepared then.
        """
        directory, start, end = self._directory(symbol), utc(start), utc(end)
        self._current(directory, symbol)  # to lock a series that is not there would make its directory
        with ExitStack() as stack:
            stack.enter_context(files.locked(directory, timeout_seconds=PATIENCE_SECONDS))
            with files.storage_errors("taking rows back", directory):
                files.go_back(directory)
            manifest = self._current(directory, symbol)
            unchanged(self.kind, symbol, state_of(manifest.values()), seen)
            found = _found(directory, manifest, start, end, certain=True)
            columns = ["timestamp", *self.columns]
            rows = {year: frames.read(directory / manifest[year], columns) for year in found.trimmed}
            stay = {year: frame[~within(frame["timestamp"], start, end)] for year, frame in rows.items()}
            with files.storage_errors("removing rows", directory):
                draft = _draft(directory, manifest, found, stay)
            return FileRemoval(directory, self._told(symbol, manifest, found), stack.pop_all(), draft)

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Value columns of every read."""

    @abstractmethod
    def symbols(self) -> list[str]:
        """Return the stored symbols, sorted."""

    @abstractmethod
    def _directory(self, symbol: str) -> Path: ...

    @abstractmethod
    def _timeframe_text(self) -> str: ...

    def _current(self, directory: Path, symbol: str) -> dict[int, str]:
        """Return the current file of each year of a series that is stored."""
        manifest = files.read_manifest(directory)
        if not manifest:
            raise self._unknown(symbol)
        return manifest

    def _unknown(self, symbol: str) -> Exception:
        return nothing_stored(self.kind, symbol, self.symbols(), self._timeframe_text())

    def _told(self, symbol: str, manifest: Mapping[int, str], found: Cut) -> RemovalReport:
        return found.report(self.kind, symbol, self._timeframe_text(), state_of(manifest.values()))


class FileRemoval:
    """A removal from a directory that nobody else writes to meanwhile (`PreparedRemoval`).

    What stays of a year lies in a new file, the manifest that leaves the others out beside the current
    one. A process that dies leaves files that no manifest names; the next writer sweeps them.

    Parameters
    ----------
    directory
        Of the series.
    report
        What goes.
    lock
        Holds the directory's lock.
    draft
        The manifest to come; None when nothing stays.
    """

    def __init__(self, directory: Path, report: RemovalReport, lock: ExitStack, draft: Path | None) -> None:
        self._directory = directory
        self._report = report
        self._lock = lock
        self._draft = draft

    @property
    def report(self) -> RemovalReport:
        """What goes."""
        return self._report

    def swap(self) -> None:
        """Let the rows be gone: one rename, or the end of the manifest."""
        with files.storage_errors("removing rows", self._directory):
            if self._draft is None:
                (self._directory / files.MANIFEST).unlink()
            else:
                self._draft.replace(self._directory / files.MANIFEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take away the files that count no more, or never did, and let others write."""
        with self._lock, files.storage_errors("removing rows", self._directory):
            files.sync(self._directory)  # what counts before what does not: power may fail in between
            files.sweep(self._directory)


def _found(
    directory: Path,
    manifest: Mapping[int, str],
    start: pd.Timestamp | None,
    end: pd.Timestamp | None,
    *,
    certain: bool,
) -> Cut:
    whole = start is None and end is None

    def times_of(year: int) -> pd.DatetimeIndex | None:
        try:
            return pd.DatetimeIndex(frames.read(directory / manifest[year], ["timestamp"])["timestamp"])
        except (StorageError, FileNotFoundError) as error:
            if isinstance(error, FileNotFoundError) and not certain:
                raise
            if whole:
                return None
            raise _damaged(error) from error

    return cut(manifest, times_of, start, end)


def _damaged(error: Exception) -> StorageError:
    got = error.got if isinstance(error, StorageError) else str(error)
    return StorageError(
        "Of a damaged series no part can be removed",
        got=got,
        allowed="the whole series",
        remedy="Remove it without a time range, and import its files again.",
    )


def _draft(
    directory: Path, manifest: Mapping[int, str], found: Cut, stay: Mapping[int, pd.DataFrame]
) -> Path | None:
    """Write what stays of years that lose a part, and the manifest to come; None when nothing stays."""
    left = {year: name for year, name in manifest.items() if year not in found.dropped}
    try:
        for year, rows in stay.items():
            left[year] = files.new_name(year)
            files.write_atomically(directory / left[year], frames.to_bytes(rows.reset_index(drop=True)))
        return files.draft_manifest(directory, left) if left else None
    except BaseException:
        files.sweep(directory)
        raise
