"""Advisory file locks: who makes a file or an entry of a cache, who still reads one.

The locks are ``flock`` locks. The system releases them when their holder ends, however it ends,
so there is no stale lock to clean up. Where ``flock`` does not exist (Windows) or the file system
refuses it, every lock is granted: two processes may then compute the same entry, which costs time
only, and the system itself refuses to remove a file that somebody maps.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["held_alone", "hold_for_reading", "is_held", "remove_unless_held"]

_FIRST_WAIT_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 0.25


def hold_for_reading(path: Path) -> int | None:
    """Return an open descriptor that marks a file as in use until it is closed.

    None when the file is gone. Whoever maps the file closes the descriptor with the map.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    # Waits for nobody but a remover, who holds the file for the time of an unlink.
    _lock(descriptor, exclusive=False, wait=True)
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Return whether a living process marks the file as in use."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _lock(descriptor, exclusive=True, wait=False)
    finally:
        os.close(descriptor)


def remove_unless_held(path: Path) -> bool:
    """Remove a file that nobody marks as in use; return whether it was removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        if not _lock(descriptor, exclusive=True, wait=False):
            return False
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def held_alone(path: Path, timeout: float) -> Iterator[bool]:
    """Hold a lock file alone while the block runs; it is gone afterwards.

    Parameters
    ----------
    path
        The lock file, in a directory that exists.
    timeout
        Seconds to wait for another holder.

    Yields
    ------
    Whether the lock was got. False after the timeout, or when no lock file can be written: the
    block runs all the same.
    """
    descriptor = _acquire(path, timeout)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            # Removed while it is held: whoever waits on this file notices and makes a new one.
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def _acquire(path: Path, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError:
            return None
        if _lock(descriptor, exclusive=True, wait=False):
            if _is_at(descriptor, path):
                return descriptor
            os.close(descriptor)
            continue
        os.close(descriptor)
        if time.monotonic() >= deadline:
            return None
        time.sleep(min(wait, max(deadline - time.monotonic(), 0.0)))
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


if sys.platform == "win32":

    def _lock(descriptor: int, *, exclusive: bool, wait: bool) -> bool:  # noqa: ARG001
        return True

else:
    import fcntl

    def _lock(descriptor: int, *, exclusive: bool, wait: bool) -> bool:
        """Return False only when somebody else holds the lock."""
        mode = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(descriptor, mode)
        except OSError as error:
            return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
        return True
