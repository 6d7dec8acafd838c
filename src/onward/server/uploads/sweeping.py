"""Removes sent files that nobody needs any more, also those of a server that was killed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from onward.errors import JobNotFoundError, OnwardError
from onward.jobs.logs import job_logger
from onward.jobs.protocol import JobStore
from onward.server.uploads.staging import Staging
from onward.tasks.uploaded import may_read

__all__ = ["UploadSweeper", "swept"]

EVERY_SECONDS = 30.0


def swept(staging: Staging, store: JobStore, now: datetime | None = None) -> list[Path]:
    """Remove what no job will read any more, and return the directories that went.

    Raises
    ------
    StorageError
        When the database does not answer; nothing is removed then.
    """
    now = datetime.now(UTC) if now is None else now
    with staging.lock:
        gone = list(staging.stale(now.timestamp()))
        gone += [
            directory
            for directory, jobs in staging.kept().items()
            if jobs and not any(_may_read(store, job_id, now) for job_id in jobs)
        ]
        for directory in gone:
            shutil.rmtree(directory, ignore_errors=True)
    return gone


def _may_read(store: JobStore, job_id: str, now: datetime) -> bool:
    try:
        return may_read(store.get(job_id), now)
    except JobNotFoundError:
        return False


class UploadSweeper:
    """A thread that sweeps as long as something lies there, and is gone otherwise.

    Parameters
    ----------
    staging
        What to sweep.
    store
        Opens the jobs; called in the thread.
    """

    def __init__(
        self, staging: Staging, store: Callable[[], JobStore], every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._staging, self._store, self._every = staging, store, every_seconds
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Begin to sweep if anything lies there and nobody does so yet."""
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._closing.is_set() or self._staging.is_empty():
                return
            self._thread = threading.Thread(target=self._sweep, name="upload-sweeper", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(5)

    def _sweep(self) -> None:
        while not self._closing.is_set() and not self._staging.is_empty():
            try:
                swept(self._staging, self._store())
            except (OnwardError, OSError) as error:  # tried again: a file too many does no harm
                job_logger().warning("uploads_not_swept", error=str(error))
            self._closing.wait(self._every)
