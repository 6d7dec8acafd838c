"""Market data in an object store: immutable files a year, and one manifest a symbol that is switched.

``data/<kind>/<symbol>[/<timeframe>]/manifest.json`` names the current files. A writer uploads new
files beside them and then replaces the manifest on condition that it is still the one that was
read; who comes second reads anew. So a reader sees one complete state, two writers on different
hosts neither lose nor mix rows, and a writer that is killed leaves files that nobody names.

Replaced files stay for a while, for those who are just reading them: the manifest lists them as
retired, and a later writer removes them. What a killed writer left goes after a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from onward.data.repositories import frames
from onward.data.repositories.files import FORMAT, MANIFEST
from onward.errors import StorageError
from onward.storage import LocalCopies, MissingObjectError, ObjectStore

__all__ = ["Shelf", "State", "Turns"]

DATA = "data"
RETIRED_FOR = timedelta(minutes=15)
"""How long a replaced file stays for readers who know the manifest before."""
ABANDONED_AFTER = timedelta(days=1)
"""Age at which a file that no manifest names was left by a writer who died."""
FILE = re.compile(r"(?P<year>\d{4})-[0-9a-f]{12}(?:-(?P<digest>[0-9a-f]{24}))?\.parquet")

Turns = Callable[[str], AbstractContextManager[object]]
"""Lets one writer of all hosts at a time into its block, by a name."""


@dataclass(frozen=True)
class State:
    """What a manifest says.

    Attributes
    ----------
    files
        Current file of each year.
    retired
        Replaced files, and when they were replaced.
    tag
        Of the manifest; None when there is none.
    """

    files: Mapping[int, str] = field(default_factory=dict)
    retired: tuple[tuple[str, datetime], ...] = ()
    tag: str | None = None


class Shelf:
    """The files and manifests of all symbols.

    Parameters
    ----------
    store
        Where they lie.
    copies
        Where files are read from.
    root
        Directory that stands for the store: places are named by paths below it, and imports of this
        host are staged in it.
    turns
        Needed where the store does not keep conditions: a lock that all hosts share.
    """

    def __init__(
        self, store: ObjectStore, copies: LocalCopies, root: Path, *, turns: Turns | None = None
    ) -> None:
        self.root = Path(root)
        self._store = store
        self._copies = copies
        self._turns = turns

    def places(self, *kind: str) -> list[Path]:
        """Return the places below ``root`` that have a manifest, sorted."""
        prefix = "/".join((DATA, *kind))
        found = self._store.list(f"{prefix}/")
        # one without bytes says that nothing is stored any more
        names = [i.name.split("/")[1:-1] for i in found if i.size and i.name.endswith(f"/{MANIFEST}")]
        return sorted(self.root.joinpath(*parts) for parts in names)

    def state(self, place: Path) -> State:
        """Return what is current.

        Raises
        ------
        StorageError
            When the manifest is damaged, or names something that is no file of the store.
        """
        name = self._name(place, MANIFEST)
        try:
            content, tag = self._store.read(name)
        except MissingObjectError:
            return State()
        if not content:
            return State(tag=tag)
        try:
            return _parsed(json.loads(content), tag)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise StorageError(
                "The manifest of the store is damaged",
                got=f"{name}: {error}",
                remedy="Restore the object from a backup, or delete it and import the data again.",
            ) from error

    def read(self, place: Path, file: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return columns of a file, from a copy whose bytes were checked.

        Raises
        ------
        MissingObjectError
            When it is gone.
        StorageError
            When it is damaged.
        """
        name = self._name(place, file)
        copy = self._copies.get(name, partial(self._download, name), partial(_is_sound, file))
        try:
            return frames.read(copy, columns)
        except FileNotFoundError as error:  # the copy was taken away just now
            raise MissingObjectError("There is no such artifact", got=name) from error

    def add(self, place: Path, year: int, content: bytes) -> str:
        """Upload a file that no manifest names yet, and return its name."""
        digest = hashlib.sha256(content).hexdigest()[:24]
        file = f"{year:04d}-{secrets.token_hex(6)}-{digest}.parquet"
        self._store.write(self._name(place, file), content)
        return file

    def switch(self, place: Path, seen: State, current: Mapping[int, str]) -> State | None:
        """Make files the current ones if ``seen`` still is what is there.

        Returns
        -------
        State or None
            What is current now; None when somebody else was faster.
        """
        now = datetime.now(UTC)
        replaced = [(f, now) for year, f in seen.files.items() if current.get(year) != f]
        kept = tuple(
            (f, at) for f, at in seen.retired if now - at < RETIRED_FOR and f not in current.values()
        )
        retired = (*kept, *replaced)
        told = {
            "format": FORMAT,
            "files": {str(year): current[year] for year in sorted(current)},
            "retired": [[file, at.isoformat()] for file, at in retired],
            # Two writers never write the same bytes: what is there then says whose it is.
            "write": secrets.token_hex(8),
        }
        content = json.dumps(told, indent=1).encode() if current else b""
        tag = self._replace(self._name(place, MANIFEST), content, seen.tag)
        return None if tag is None else State(dict(current), retired, tag)

    def remove(self, place: Path, doomed: Iterable[str]) -> None:
        """Delete files that no manifest names; what cannot be deleted goes after a day."""
        with contextlib.suppress(StorageError):
            self._store.delete([self._name(place, file) for file in doomed])

    def tidy(self, place: Path, before: State, now: State) -> None:
        """Delete what is retired no longer, and what writers who died left; else the next writer does."""
        named = {*now.files.values(), *(file for file, _ in now.retired)}
        oldest = datetime.now(UTC) - ABANDONED_AFTER
        with contextlib.suppress(StorageError):
            doomed = {file for file, _ in before.retired} - named
            for info in self._store.list(self._name(place, "")):
                file = info.name.rpartition("/")[2]
                if FILE.fullmatch(file) and file not in named and info.modified < oldest:
                    doomed.add(file)
            self.remove(place, doomed)
            for file in doomed:
                self._copies.drop(self._name(place, file))

    def _replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        if self._store.conditional:
            return self._store.replace(name, content, tag)
        if self._turns is None:
            raise StorageError(
                "The store keeps no conditional writes, and there is no lock that all hosts share",
                got=name,
                remedy="Write through a server or the command line: they have the database.",
            )
        with self._turns(name):
            try:
                there: str | None = self._store.read(name)[1]
            except MissingObjectError:
                there = None
            if there != tag:
                return None
            self._store.write(name, content)
            return self._store.read(name)[1]

    def _name(self, place: Path, file: str) -> str:
        return f"{DATA}/{place.relative_to(self.root).as_posix()}/{file}"

    def _download(self, name: str, draft: Path) -> None:
        self._store.download(name, draft)
        if not _is_sound(name.rpartition("/")[2], draft):
            raise StorageError(
                "A file of market data in the store is damaged",
                got=name,
                remedy="Restore the object from a backup, or import the data of its year again.",
            )


def _parsed(told: Any, tag: str) -> State:
    """Return what a manifest says, after looking at every name in it: they become keys and paths."""
    current = {int(year): str(file) for year, file in told["files"].items()}
    retired = tuple((str(file), datetime.fromisoformat(at)) for file, at in told.get("retired", ()))
    for file in (*current.values(), *(file for file, _ in retired)):
        if not FILE.fullmatch(file):
            raise ValueError(f"it names {file[:80]!r}")
    if any(at.tzinfo is None for _, at in retired):
        raise ValueError("it names moments without a zone")
    return State(current, retired, tag)


def _is_sound(file: str, copy: Path) -> bool:
    """Return whether a copy has the bytes that its name promises (files of a directory promise none)."""
    match = FILE.fullmatch(file)
    if match is None or match["digest"] is None:
        return match is not None
    return hashlib.sha256(copy.read_bytes()).hexdigest().startswith(match["digest"])
