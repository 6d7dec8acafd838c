"""Removing rows from an object store that hosts share: uploads first, then a switch of the manifest."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from onward.data.repositories import frames
from onward.data.repositories.removal import (
    Cut,
    PreparedRemoval,
    RemovalReport,
    cut,
    state_of,
    unchanged,
    utc,
    within,
)
from onward.data.repositories.removing import Removing
from onward.data.repositories.shelf import Shelf, State
from onward.errors import DataConflictError, StorageError
from onward.storage import MissingObjectError

__all__ = ["RemoteRemoving"]

READ_ATTEMPTS = 5
SWITCH_ATTEMPTS = 20
LONGEST_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class _Plan:
    """What would go of what is stored now, and the new files of years that lose a part."""

    before: State
    found: Cut
    report: RemovalReport
    added: dict[int, str]

    @property
    def current(self) -> dict[int, str]:
        """The files that are to count."""
        left = {year: file for year, file in self.before.files.items() if year not in self.found.dropped}
        return {**left, **self.added}


class RemoteRemoving(Removing):
    """What of a repository on a store takes rows away."""

    _shelf: Shelf

    def removal(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> RemovalReport:
        """Return what `remove` would take away, as it is stored now."""
        return self._planned(symbol, utc(start), utc(end), None, upload=False).report

    def prepare_removal(
        self,
        symbol: str,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        seen: str | None = None,
    ) -> PreparedRemoval:
        """Upload what stays, without making it visible; others may write meanwhile.

        Who was overtaken looks again, at what the other wrote; with ``seen`` he gives up.
        """
        start, end = utc(start), utc(end)
        return _ShelfRemoval(
            self._shelf,
            self._directory(symbol),
            lambda: self._planned(symbol, start, end, seen, upload=True),
        )

    def _planned(
        self,
        symbol: str,
        start: pd.Timestamp | None,
        end: pd.Timestamp | None,
        seen: str | None,
        *,
        upload: bool,
    ) -> _Plan:
        for attempt in range(READ_ATTEMPTS):
            try:
                return self._look(symbol, start, end, seen, upload=upload)
            except MissingObjectError:  # retired for long before we came to read it
                if attempt == READ_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _look(
        self,
        symbol: str,
        start: pd.Timestamp | None,
        end: pd.Timestamp | None,
        seen: str | None,
        *,
        upload: bool,
    ) -> _Plan:
        place = self._directory(symbol)
        before = self._shelf.state(place)
        if not before.files:
            raise self._unknown(symbol)
        unchanged(self.kind, symbol, state_of(before.files.values()), seen)
        found = cut(before.files, lambda year: self._times_of(place, before.files[year]), start, end)
        plan = _Plan(before, found, self._told(symbol, before.files, found), {})
        try:
            for year in found.trimmed if upload else ():
                rows = self._shelf.read(place, before.files[year], ["timestamp", *self.columns])
                stay = rows[~within(rows["timestamp"], start, end)].reset_index(drop=True)
                plan.added[year] = self._shelf.add(place, year, frames.to_bytes(stay))
        except BaseException:
            with contextlib.suppress(StorageError):
                self._shelf.remove(place, plan.added.values())
            raise
        return plan

    def _times_of(self, place: Path, file: str) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self._shelf.read(place, file, ["timestamp"])["timestamp"])


class _ShelfRemoval:
    """A removal that is uploaded, but not visible yet (`PreparedRemoval`)."""

    def __init__(self, shelf: Shelf, place: Path, look: Callable[[], _Plan]) -> None:
        self._shelf = shelf
        self._place = place
        self._look = look
        self._plan = look()
        self._now: State | None = None

    @property
    def report(self) -> RemovalReport:
        """What goes; after an overtaking another one."""
        return self._plan.report

    def swap(self) -> None:
        """Let the rows be gone, by switching the manifest."""
        for attempt in range(SWITCH_ATTEMPTS):
            self._now = self._shelf.switch(self._place, self._plan.before, self._plan.current)
            if self._now is not None:
                return
            time.sleep(random.uniform(0, min(0.02 * 2**attempt, LONGEST_PAUSE_SECONDS)))  # noqa: S311
            self._shelf.remove(self._place, self._plan.added.values())
            self._plan = self._look()
        raise DataConflictError(
            "Other writers do not let this removal through",
            got=f"{self.report.kind} of {self.report.symbol or 'every symbol'}: "
            f"overtaken {SWITCH_ATTEMPTS} times",
            remedy="Repeat it when fewer imports run; nothing was removed.",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take away what counts no more, or never did.

        Files of a part stay for readers who know the manifest before, as after any write; those of a
        whole series go at once, since nobody may ever write there again to sweep them. A reader in
        the middle looks at the manifest again, and finds the series gone.
        """
        plan = self._plan
        if self._now is None:
            self._shelf.remove(self._place, plan.added.values())
        elif self._now.files:
            self._shelf.tidy(self._place, plan.before, self._now)
        else:
            retired = (file for file, _ in plan.before.retired)
            self._shelf.remove(self._place, [*plan.before.files.values(), *retired])
