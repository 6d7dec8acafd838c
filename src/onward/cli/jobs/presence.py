"""That a worker of this home is alive: a lock that it holds, and that the system frees when it dies.

Whoever ends because nothing is left to do lets go first and looks at the queue again afterwards.
Whoever submits looks at the lock after the job is in the queue. So one of the two sees the other,
and no job is left to a worker that has just gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["Presence", "alone"]


class Presence:
    """The lock of the workers of one home and database.

    Parameters
    ----------
    directory
        ``jobs/`` of the home.
    database
        Address of the database: workers of another one do other jobs.
    """

    def __init__(self, directory: Path, database: str) -> None:
        self._path = directory / f".workers-{_short(database)}.lock"
        self._held: BinaryIO | None = None

    def take(self) -> None:
        """Be there, among others."""
        if self._held is None:
            self._held = _opened(self._path)
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Be there no longer."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def anybody(self) -> bool:
        """Return whether a worker is there."""
        with _opened(self._path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


@contextlib.contextmanager
def alone(directory: Path, database: str) -> Iterator[None]:
    """Let only one at a time find out whether a worker is to be started, and start it."""
    with _opened(directory / f".starting-{_short(database)}.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _short(database: str) -> str:
    return hashlib.sha256(database.encode()).hexdigest()[:12]
