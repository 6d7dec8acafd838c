"""Local copies of immutable artifacts: fetched once, checked on every use, bounded in size."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from onward.errors import StorageError
from onward.storage.address import check_key
from onward.storage.file_locks import held_alone

__all__ = ["DEFAULT_MAX_BYTES", "LocalCopies"]

DEFAULT_MAX_BYTES = 10 * 10**9
IN_USE_SECONDS = 600.0
"""Copies that were asked for so recently stay: whoever asked may not have read them yet."""
LOCK_SECONDS = 600.0
ABANDONED_SECONDS = 3_600.0
MAKING, LOCKS = ".making", ".locks"
WHOLE = "manifest.json"
"""A directory with this file in it is one copy, whatever else is in it."""


class LocalCopies:
    """Files and directories below one directory, each a copy of something that never changes.

    A copy appears by a single rename. Of several threads and processes that want the same one, one
    fetches it and the others wait. What is there is checked before it is handed out; a copy that is
    damaged is fetched anew.

    Parameters
    ----------
    directory
        Made when needed; may be deleted at any time.
    max_bytes
        Above this, copies go that were not used for longest; those of the last ten minutes stay.
        None = no limit.
    """

    def __init__(self, directory: Path | str, *, max_bytes: int | None = DEFAULT_MAX_BYTES) -> None:
        self.directory = Path(directory)
        self.max_bytes = max_bytes

    def place(self, name: str) -> Path:
        """Return where the copy of a name lies, or would.

        Raises
        ------
        StorageError
            When the name could mean a place elsewhere.
        """
        check_key(name)
        return self.directory / name

    def get(self, name: str, fetch: Callable[[Path], None], sound: Callable[[Path], bool]) -> Path:
        """Return a sound copy, fetching it when there is none.

        Parameters
        ----------
        name
            Of the copy, parts joined by ``/``; the same name always means the same content.
        fetch
            Writes a file, or fills a directory that it makes, at the path that it is given, and
            raises when what it got is not what it should be.
        sound
            Whether what lies at a path is whole and unchanged.

        Raises
        ------
        StorageError
            When the disk is full or refuses; what ``fetch`` raises is passed on.
        """
        target = self.place(name)
        if self._usable(target, sound):
            return target
        try:
            (self.directory / LOCKS).mkdir(parents=True, exist_ok=True)
            (self.directory / MAKING).mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(self.directory, error) from error
        lock = self.directory / LOCKS / hashlib.sha256(name.encode()).hexdigest()[:32]
        with held_alone(lock, LOCK_SECONDS):  # without it the same is fetched twice, which harms nobody
            if self._usable(target, sound):
                return target
            draft = self.directory / MAKING / uuid.uuid4().hex
            try:
                fetch(draft)
                self._make_room(_size(draft))
                self.drop(name)
                draft.rename(target)
            except StorageError:
                raise
            except OSError as error:
                if self._usable(target, sound):  # somebody without the lock was faster
                    return target
                raise _refused(target, error) from error
            finally:
                _remove(draft)
        return target

    def drop(self, name: str) -> None:
        """Forget the copy of something that is gone, or damaged."""
        doomed = self.directory / MAKING / uuid.uuid4().hex
        with suppress(OSError):  # out of sight in one step, so that nobody sees half of a directory
            self.place(name).rename(doomed)
        _remove(doomed)

    def _usable(self, target: Path, sound: Callable[[Path], bool]) -> bool:
        try:
            if target.exists() and sound(target):
                os.utime(target)
                return True
        except OSError:  # taken away meanwhile, or unreadable
            pass
        return False

    def _make_room(self, needed: int) -> None:
        now = time.time()
        for left in self._children(self.directory / MAKING):
            with suppress(OSError):
                if now - left.stat().st_mtime > ABANDONED_SECONDS:
                    _remove(left)
        if self.max_bytes is None:
            return
        entries = sorted(self._entries(), key=lambda entry: entry.used)
        held = sum(entry.n_bytes for entry in entries) + needed
        for entry in entries:
            if held <= self.max_bytes or now - entry.used < IN_USE_SECONDS:
                return
            self.drop(entry.path.relative_to(self.directory).as_posix())
            held -= entry.n_bytes

    def _entries(self) -> Iterator[_Entry]:
        """Yield the copies: directories with a manifest are one each, other files are."""
        waiting = [p for p in self._children(self.directory) if not p.name.startswith(".")]
        while waiting:
            path = waiting.pop()
            with suppress(OSError):
                if path.is_dir() and not (path / WHOLE).exists():
                    waiting += self._children(path)
                else:
                    yield _Entry(path, _size(path), path.stat().st_mtime)

    @staticmethod
    def _children(directory: Path) -> list[Path]:
        try:
            return list(directory.iterdir())
        except OSError:
            return []


@dataclass(frozen=True)
class _Entry:
    path: Path
    n_bytes: int
    used: float


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(Path(folder, name).stat().st_size for folder, _, names in os.walk(path) for name in names)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _refused(place: Path, error: OSError) -> StorageError:
    return StorageError(
        "A copy of an artifact cannot be kept",
        got=f"{error.filename or place} ({error.strerror or error})",
        remedy="Free some space, make the directory writable, or lower storage.artifact_cache_gb.",
    )
