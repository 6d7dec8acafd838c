"""Where sent files lie: one that arrives in a directory of its own, a whole one by its content."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onward.errors import StorageError
from onward.server.uploads.names import kept_name, shown_name

__all__ = ["ARRIVING_SECONDS", "DIRECTORY", "Arriving", "Staging", "called"]

DIRECTORY = "uploads"
"""Of the home."""
RESERVE_BYTES = 256 * 2**20
"""Left free on the disk: a database that cannot write is worse than an upload that is refused."""
ARRIVING = "arriving-"
WHOLE = "whole-"
JOB = "job-"
CALLED = ".called"
"""Beside a file that was sent: how its client calls it. No name that is kept begins with a dot."""
IDENTITY = re.compile(r"[0-9a-f]{40}")
ARRIVING_SECONDS = 3600.0
"""A directory that nobody wrote to for so long belongs to a server that was killed."""


class Arriving:
    """A file while it arrives; whatever is left when the block ends is removed.

    Attributes
    ----------
    path
        The file, once it has begun.
    name
        How its client calls it, for people.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "nothing"
        self.name = self.path.name
        self._sink: BinaryIO | None = None
        self._sum = hashlib.sha256()

    def open(self, name: str) -> Arriving:
        """Begin the file; the client's name is a hint, never a path."""
        self.path, self.name = self.directory / kept_name(name), shown_name(name)
        self._sink = self.path.open("xb")
        if self.name != self.path.name:
            (self.directory / CALLED).write_text(self.name, encoding="utf-8")
        return self

    def write(self, piece: bytes) -> int:
        """Write a piece."""
        assert self._sink is not None
        self._sum.update(piece)
        return self._sink.write(piece)

    def close(self) -> None:
        """Let the file be whole on the disk."""
        if self._sink is not None and not self._sink.closed:
            self._sink.flush()
            os.fsync(self._sink.fileno())
            self._sink.close()

    def abandon(self) -> None:
        """Let go of the file, and remove what came of it."""
        if self._sink is not None:
            self._sink.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written."""
        return self._sum.hexdigest()


@dataclass(frozen=True)
class Staging:
    """The directory of sent files.

    Attributes
    ----------
    root
        Below the home; made when the first file comes.
    """

    root: Path
    lock = threading.Lock()
    """Held while a file is placed for its job, and while the sweeper decides: one must not meet the other."""

    @contextmanager
    def arriving(self, expected_bytes: int) -> Iterator[Arriving]:
        """Give a place for a file that arrives.

        Raises
        ------
        StorageError
            When the disk would be full with it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.check_space(expected_bytes)
        arriving = Arriving(self.root / f"{ARRIVING}{uuid.uuid4().hex}")
        arriving.directory.mkdir(mode=0o700)
        try:
            yield arriving
        finally:
            arriving.abandon()

    def check_space(self, more: int) -> None:
        """Refuse what would fill the disk."""
        free = shutil.disk_usage(self.root).free
        if free - more < RESERVE_BYTES:
            raise StorageError(
                "the server's disk has no room for the file",
                got=f"{free / 1e6:,.0f} MB free, {more / 1e6:,.0f} MB to come",
                allowed=f"{RESERVE_BYTES / 1e6:,.0f} MB stay free",
                remedy="Free some space on the server, then send it again.",
            )

    def place(self, arriving: Arriving) -> Path:
        """Keep a whole file under its content, and return its path; twice the same is one file.

        The same bytes under the same name have the same path, so that a request which is sent
        again with its `Idempotency-Key` is the same request. Call it with `lock` held.
        """
        name = arriving.path.name
        directory = (
            self.root / f"{WHOLE}{hashlib.sha256(f'{name}|{arriving.digest}'.encode()).hexdigest()[:40]}"
        )
        directory.mkdir(mode=0o700, exist_ok=True)
        arriving.path.replace(directory / name)
        if (arriving.directory / CALLED).exists():
            (arriving.directory / CALLED).replace(directory / CALLED)
        os.utime(directory)
        return directory / name

    def find(self, identity: str) -> Path | None:
        """Return a whole file by what `identity_of` said of it; None when it is not kept any more.

        It counts as touched: the sweeper leaves it alone for another while.
        """
        if not IDENTITY.fullmatch(identity):
            return None
        directory = self.root / f"{WHOLE}{identity}"
        try:
            # Directories are those of somebody who reads it at this moment.
            (file,) = [
                path
                for path in directory.iterdir()
                if path.is_file() and not path.name.startswith((JOB, "."))
            ]
            os.utime(directory)
        except (OSError, ValueError):
            return None
        return file

    @staticmethod
    def identity_of(path: Path) -> str:
        """Return by which text a file that was placed is found again."""
        return path.parent.name.removeprefix(WHOLE)

    def belongs(self, path: Path, job_id: str) -> None:
        """Write down that a job reads a file; it is kept as long as that one may."""
        (path.parent / f"{JOB}{job_id}").touch()

    def stale(self, now: float | None = None) -> Iterator[Path]:
        """Give directories of files that never became whole, or that no job was made for."""
        now = time.time() if now is None else now
        for directory in self._directories(ARRIVING):
            if now - _touched(directory) > ARRIVING_SECONDS:
                yield directory
        for directory, jobs in self.kept().items():
            if not jobs and now - _touched(directory) > ARRIVING_SECONDS:
                yield directory

    def kept(self) -> Mapping[Path, tuple[str, ...]]:
        """Return the directories of whole files, with the jobs that they were sent for."""
        return {
            directory: tuple(sorted(mark.name.removeprefix(JOB) for mark in directory.glob(f"{JOB}*")))
            for directory in self._directories(WHOLE)
        }

    def is_empty(self) -> bool:
        """Return whether nothing lies here."""
        return not (self.root.is_dir() and any(self.root.iterdir()))

    def _directories(self, prefix: str) -> list[Path]:
        return sorted(path for path in self.root.glob(f"{prefix}*") if path.is_dir())


def called(path: Path) -> str:
    """Return how the client calls a file that lies here; its own name when that is the same."""
    try:
        return (path.parent / CALLED).read_text(encoding="utf-8")
    except OSError:
        return path.name


def _touched(directory: Path) -> float:
    """Return when a directory or a file in it was last written to; now for one that is being removed."""
    try:
        return max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
    except OSError:
        return time.time()
