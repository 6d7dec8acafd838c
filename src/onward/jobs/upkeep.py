"""The thread that tidies up: old jobs are forgotten, and what a dead server left half-done is mended."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from onward.errors import JobNotFoundError, OnwardError, StorageError
from onward.jobs.kinds import JobKind
from onward.jobs.settlement import Surroundings
from onward.jobs.values import Job

__all__ = ["Upkeep"]

BATCH = 1000
"""Jobs that are forgotten in one transaction; other writers come in between."""
HEX = frozenset("0123456789abcdef")
ID_LENGTH = 16


class Upkeep:
    """Forgets ended jobs after ``jobs.retention_days``, with their directories, and mends.

    Rows are pruned by one server at a time; directories by each server in its own home, also
    those of jobs that another server pruned.

    Parameters
    ----------
    directory
        ``jobs/`` of the home.
    kinds
        What may have something to mend.
    surroundings
        Store, settings, log, clock.
    """

    def __init__(self, directory: Path, kinds: Iterable[JobKind], surroundings: Surroundings) -> None:
        self._directory = directory
        self._kinds = tuple(kinds)
        self._in = surroundings
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def once(self) -> int:
        """Mend, forget one batch, and return how many rows went.

        Raises
        ------
        StorageError
            When the database is away.
        """
        for kind in self._kinds:
            try:
                kind.mend(self._look)
            except StorageError:
                raise
            except (OnwardError, OSError) as error:
                self._in.log.warning("not_mended", kind=kind.name, error=str(error))
        before = self._in.clock() - timedelta(days=self._in.config.retention_days)
        # Files first: should this server die in between, the rows still say what is to go.
        for path in self._old_directories(before):
            shutil.rmtree(path, ignore_errors=True)
        gone = self._in.store.prune(before=before, limit=BATCH)
        if gone:
            self._in.log.info("pruned", jobs=gone, before=before.isoformat())
        return gone

    def _old_directories(self, before: datetime) -> Iterator[Path]:
        """Give directories of jobs that ended long ago, and of jobs that are known here no more.

        The latter may belong to another database, so what was written in them must be as old.
        """
        if not self._directory.is_dir():
            return
        for path in sorted(self._directory.iterdir()):
            is_job = len(path.name) == ID_LENGTH and HEX.issuperset(path.name) and path.is_dir()
            if not is_job or _touched(path) >= before.timestamp():
                continue  # an attempt ends after its directory was made
            job = self._look(path.name)
            ended = None if job is None else job.finished_at
            if job is None or (ended is not None and ended < before):
                yield path

    def _look(self, job_id: str) -> Job | None:
        try:
            return self._in.store.get(job_id)
        except JobNotFoundError:
            return None

    def _run(self) -> None:
        while not self._closing.is_set():
            pause = self._in.config.upkeep_seconds
            try:
                if self.once() >= BATCH:
                    pause = min(pause, self._in.config.upkeep_pause_seconds)
            except StorageError as error:
                self._in.log.warning("database_away", error=str(error))
            except Exception:  # whatever it was, the next round may do better
                self._in.log.exception("upkeep_failed")
            self._closing.wait(pause)


def _touched(path: Path) -> float:
    """Return when something was last written below a job's directory (attempts and their logs)."""
    times = [entry.stat().st_mtime for entry in (path, *path.glob("*"), *path.glob("*/log.txt"))]
    return max(times)
