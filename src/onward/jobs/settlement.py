"""Writing down how an attempt ended, exactly once, however long the database is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from onward.config.jobs import JobConfig
from onward.database.moments import Clock, utc_now
from onward.errors import JobNotFoundError, OnwardError, StorageError
from onward.jobs.kinds import JobKind, Publication
from onward.jobs.logs import Logger
from onward.jobs.messages import error_message
from onward.jobs.metrics import JobMetrics
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, Lease, Outcome

__all__ = ["RETRY_SECONDS", "Settlement", "Surroundings"]

RETRY_SECONDS = 0.5
"""How long to wait before asking a database again that was away."""

T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What every supervision of a manager works with."""

    store: JobStore
    config: JobConfig
    metrics: JobMetrics
    log: Logger
    clock: Clock = utc_now


class Settlement:
    """Writes the end of an attempt down.

    Parameters
    ----------
    lease
        Of the attempt.
    kind
        What it is.
    surroundings
        Store, settings, metrics.
    log
        Bound to the job.
    lost
        Set by whoever learns that the attempt belongs to somebody else.

    Attributes
    ----------
    began
        Monotonic second at which the worker began; None while it has not.
    """

    def __init__(
        self,
        lease: Lease,
        kind: JobKind,
        surroundings: Surroundings,
        log: Logger,
        lost: threading.Event,
    ) -> None:
        self._lease = lease
        self._kind = kind
        self._in = surroundings
        self._log = log
        self._lost = lost
        self.began: float | None = None

    def keep(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Write the last events down."""
        if events:
            self._persist(lambda: self._in.store.report(self._lease, events))

    def publish(self, manifest: Mapping[str, Any], directory: Path) -> None:
        """Publish what the worker made, and end the job in the same transaction."""
        try:
            publication = self._kind.publish(self._require(), manifest, directory)
        except (OnwardError, OSError) as error:
            self._log.error("not_published", error=str(error))
            self.end(Outcome("failed", "error", error=error_message(error, "")["error"]))
            return
        self.end(Outcome("succeeded", result=manifest), publication)

    def end(self, outcome: Outcome, publication: Publication | None = None) -> None:
        """End the job, unless somebody else owns it."""
        publication = publication or Publication()
        in_doubt = False
        while not self._lost.is_set():
            try:
                written = self._in.store.finish(self._lease, outcome, on_commit=publication.on_commit)
            except StorageError as error:
                # The commit may have come about before the connection broke.
                in_doubt = True
                self._log.warning("database_away", error=str(error))
                time.sleep(RETRY_SECONDS)
                continue
            except Exception as error:  # what was to be published was refused, by us or by the database
                if publication.on_commit is None:
                    raise
                publication.abandon()
                publication = Publication()
                outcome = Outcome("failed", "error", error=error_message(error, "")["error"])
                continue
            if written or (in_doubt and self._was_written(outcome)):
                publication.settled()
                self._count()
                return
            if outcome.state != "cancelled" and self.stop_came_first():
                publication.abandon()
                publication, outcome = Publication(), Outcome("cancelled")
                continue
            break
        if in_doubt and self._was_written(outcome):
            publication.settled()
            self._count()
            return
        if in_doubt:  # what was prepared may be published: whoever mends or sweeps decides later
            publication.doubted()
        else:
            publication.abandon()
        self._in.metrics.lost()
        self._log.warning("lease_lost")

    def give_back(self, *, spent: bool) -> None:
        """Give the job back: queued while attempts are left."""
        job = self._persist(lambda: self._in.store.release(self._lease, spent=spent))
        if job is not None:
            self._log.info("released", state=job.state, reason=job.reason)
            if job.state != "queued":
                self._count()

    def collapse(self, error: BaseException, traceback: str) -> None:
        """End a job whose supervisor itself failed; its processes are gone."""
        self.end(
            Outcome("failed", "error", error={**error_message(error, "")["error"], "traceback": traceback})
        )

    def still_ours(self) -> bool:
        """Return whether the attempt is ours, as far as the database can be asked."""
        job = self._read()
        return job is not None and (job.owner, job.attempt) == (self._lease.owner, self._lease.attempt)

    def stop_came_first(self) -> bool:
        """Return whether a person asked for a stop while the attempt is still ours."""
        job = self._read()
        return (
            job is not None
            and job.cancel_requested_at is not None
            and job.state in ("starting", "running", "stopping")
            and (job.owner, job.attempt) == (self._lease.owner, self._lease.attempt)
        )

    def _was_written(self, outcome: Outcome) -> bool:
        job = self._glance()
        return job is not None and (job.state, job.attempt) == (outcome.state, self._lease.attempt)

    def _count(self) -> None:
        """Count an end that is written; from here on a heartbeat that misses the job means nothing."""
        job = self._glance()
        if job is None:
            return
        self._in.metrics.ended(job, None if self.began is None else time.monotonic() - self.began)
        if job.state == "cancelled" and job.cancel_requested_at is not None:
            self._in.metrics.stopped((self._in.clock() - job.cancel_requested_at).total_seconds())
        if job.state != "succeeded":
            try:
                self._kind.ended(job)
            except (OnwardError, OSError) as error:
                self._log.warning("not_tidied", error=str(error))
        self._log.info("ended", state=job.state, reason=job.reason)

    def _require(self) -> Job:
        job = self._read()
        if job is None:
            raise JobNotFoundError("the job is gone", got=self._lease.job_id, remedy="Submit it again.")
        return job

    def _glance(self) -> Job | None:
        """Return the job if the database can be asked just now, whoever owns the job."""
        try:
            return self._in.store.get(self._lease.job_id)
        except (JobNotFoundError, StorageError):
            return None

    def _read(self) -> Job | None:
        try:
            return self._persist(lambda: self._in.store.get(self._lease.job_id))
        except JobNotFoundError:
            return None

    def _persist(self, call: Callable[[], T]) -> T | None:
        """Return what a call of the database gives, asking again while it is away; None once lost."""
        while not self._lost.is_set():
            try:
                return call()
            except StorageError as error:
                self._log.warning("database_away", error=str(error))
                time.sleep(RETRY_SECONDS)
        return None
