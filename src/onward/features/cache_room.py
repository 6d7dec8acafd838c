"""What a cache directory holds, and making room in it: the least recently used entries go first."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from onward.storage.file_locks import is_held, remove_unless_held

__all__ = ["CacheStats", "Removal", "list_entries", "make_room", "mark_used", "measure", "sweep_unfinished"]

ABANDONED_SECONDS = 3_600
"""An unfinished file that nobody wrote to for this long belongs to a writer that was killed."""


@dataclass(frozen=True)
class CacheStats:
    """What a cache directory holds.

    Attributes
    ----------
    n_entries
        Finished matrices.
    n_bytes
        Their size on disk, unfinished files included.
    n_in_use
        Matrices that a living process maps; they are never removed.
    bytes_in_use
        Size of those.
    n_unfinished
        Files that are being written, or were left by a writer that was killed.
    max_bytes
        Limit of the cache; None when it has none.
    last_used
        When the least and the most recently used matrix was last opened, seconds since 1970;
        None when there is none.
    """

    n_entries: int
    n_bytes: int
    n_in_use: int
    bytes_in_use: int
    n_unfinished: int
    max_bytes: int | None
    last_used: tuple[float, float] | None


@dataclass(frozen=True)
class Removal:
    """What was removed from a cache directory.

    Attributes
    ----------
    n_entries, n_bytes
        Files removed, and their size.
    n_in_use
        Matrices left alone because a living process maps them.
    n_refused
        Matrices that the system would not remove.
    """

    n_entries: int
    n_bytes: int
    n_in_use: int
    n_refused: int = 0


@dataclass(frozen=True)
class _Entry:
    path: Path
    n_bytes: int
    used: int


def list_entries(directory: Path) -> list[_Entry]:
    """Return the finished matrices, the least recently used first."""
    entries = []
    for path in directory.glob("*.npy"):
        with suppress(OSError):  # removed meanwhile by another process
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # somebody's directory is no matrix
                continue
            entries.append(_Entry(path, status.st_size, max(status.st_atime_ns, status.st_mtime_ns)))
    return sorted(entries, key=lambda entry: (entry.used, entry.path.name))


def mark_used(path: Path) -> None:
    """Note that an entry was opened just now.

    The access time is set by hand: most systems no longer keep it themselves.
    """
    with suppress(OSError):
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def measure(directory: Path, max_bytes: int | None) -> CacheStats:
    """Return what a directory holds."""
    entries = list_entries(directory)
    unfinished = _unfinished(directory)
    held = [entry.n_bytes for entry in entries if is_held(entry.path)]
    return CacheStats(
        n_entries=len(entries),
        n_bytes=sum(entry.n_bytes for entry in entries) + sum(size for _, size, _ in unfinished),
        n_in_use=len(held),
        bytes_in_use=sum(held),
        n_unfinished=len(unfinished),
        max_bytes=max_bytes,
        last_used=(entries[0].used / 1e9, entries[-1].used / 1e9) if entries else None,
    )


def make_room(directory: Path, allowed: int) -> tuple[Removal, bool]:
    """Remove entries, the least recently used first, until at most ``allowed`` bytes are left.

    Returns
    -------
    What was removed, and whether it was enough: entries that a living process maps stay.
    """
    sweep_unfinished(directory)
    entries = list_entries(directory)
    left = sum(entry.n_bytes for entry in entries) + sum(size for _, size, _ in _unfinished(directory))
    n_removed = n_bytes = n_in_use = n_refused = 0
    for entry in entries:
        if left <= allowed:
            break
        if remove_unless_held(entry.path):
            n_removed += 1
            n_bytes += entry.n_bytes
            left -= entry.n_bytes
        elif is_held(entry.path):
            n_in_use += 1
        elif entry.path.exists():
            n_refused += 1
        else:  # another process was faster
            left -= entry.n_bytes
    return Removal(n_removed, n_bytes, n_in_use, n_refused), left <= allowed


def sweep_unfinished(directory: Path, older_than: float = ABANDONED_SECONDS) -> Removal:
    """Remove what writers that were killed left behind."""
    n_removed = n_bytes = 0
    for path, size, written in _unfinished(directory):
        if time.time() - written >= older_than:
            with suppress(OSError):
                path.unlink()
                n_removed += 1
                n_bytes += size
    return Removal(n_removed, n_bytes, 0)


def _unfinished(directory: Path) -> list[tuple[Path, int, float]]:
    files = []
    for path in directory.glob("*.part"):
        with suppress(OSError):
            status = path.stat()
            files.append((path, status.st_size, status.st_mtime))
    return sorted(files)
