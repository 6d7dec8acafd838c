"""That somebody of this home runs jobs: locks that a worker or server holds, freed when it dies.

Whoever ends because nothing is left to do lets go first and looks at the queue again afterwards.
Whoever submits looks at the lock after the job is in the queue. So one of the two sees the other,
and no job is left to a worker that has just gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

__all__ = ["Presence", "alone"]

LOOKS, LOOK_SECONDS = 3, 0.01
"""Whoever looks holds a lock for an instant, which somebody else who looks must not take
for a worker's. No setting: it is about the instant of one system call."""


class Presence:
    """The locks of those who run jobs of one home and database, one for each backend.

    Parameters
    ----------
    directory
        ``jobs/`` of the home.
    database
        Address of the database: workers of another one do other jobs.
    backends
        Where jobs are run, or are to run: who runs none there takes none for there.
    """

    def __init__(self, directory: Path, database: str, backends: Sequence[str] = ("local",)) -> None:
        self._paths = [directory / f".workers-{_short(f'{database}|{name}')}.lock" for name in backends]
        self._held: list[BinaryIO] = []

    def take(self) -> None:
        """Be there, among others."""
        import fcntl

        if self._held:
            return
        for path in self._paths:
            file = _opened(path)
            fcntl.flock(file, fcntl.LOCK_SH)
            self._held.append(file)

    def leave(self) -> None:
        """Be there no longer."""
        while self._held:
            self._held.pop().close()

    def anybody(self) -> bool:
        """Return whether somebody is there for one of the backends."""
        return any(_is_held(path) for path in self._paths)


@contextlib.contextmanager
def alone(directory: Path, database: str) -> Iterator[None]:
    """Let only one at a time find out whether a worker is to be started, and start it."""
    import fcntl

    with _opened(directory / f".starting-{_short(database)}.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_held(path: Path) -> bool:
    import fcntl

    for _ in range(LOOKS):
        with _opened(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOOK_SECONDS)
            else:
                return False
    return True


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
