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
from onward.errors import JobNotFoundError, OnwardError, StorageError, StorageRefusedError
from onward.jobs.kinds import JobKind, Publication
from onward.jobs.logs import Logger
from onward.jobs.messages import error_message
from onward.jobs.metrics import JobMetrics
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, Lease, Outcome

__all__ = ["Settlement", "Surroundings"]

T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What every supervision of a manager works with."""

    store: JobStore
    config: JobConfig
    metrics: JobMetrics
    log: Logger
    clock: Clock = utc_now


@dataclass
class _End:
    """How an attempt is to end, and what is known of the tries to write that down."""

    outcome: Outcome
    publication: Publication
    in_doubt: bool = False
    refused: bool = False

    def become(self, outcome: Outcome) -> None:
        """Be another end, which publishes nothing."""
        self.publication.abandon()
        self.publication, self.outcome = Publication(), outcome

    def is_refused_by(self, error: Exception) -> bool:
        """Return whether waiting is of no use: we or the database refuse what is published or said.

        A second refusal is none of this end: then the database takes no end at all, until it is mended.
        """
        if self.refused:
            return False
        if isinstance(error, StorageError):
            return isinstance(error, StorageRefusedError)
        return self.publication.on_commit is not None

    def refuse(self, error: Exception) -> None:
        """Be the end of what was refused: in our words, since those of the worker may be the reason."""
        self.refused, state = True, self.outcome.state
        told = error_message(error, "")["error"]
        failed = Outcome("failed", self.outcome.reason or "error", error=told)
        self.become(Outcome("cancelled") if state == "cancelled" else failed)


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
        if not events:
            return
        try:
            self._persist(lambda: self._in.store.report(self._lease, events))
        except StorageRefusedError as error:  # how the attempt ended counts more than a line of its log
            self._log.error("events_refused", error=str(error))

    def publish(self, manifest: Mapping[str, Any], directory: Path) -> None:
        """Publish what the worker made, and end the job in the same transaction."""
        try:
            publication = self._prepared(manifest, directory)
        except (OnwardError, OSError) as error:
            self._log.error("not_published", error=str(error))
            self.end(Outcome("failed", "error", error=error_message(error, "")["error"]))
            return
        self.end(Outcome("succeeded", result=manifest), publication)

    def _prepared(self, manifest: Mapping[str, Any], directory: Path) -> Publication:
        """Prepare what is to be published, again as long as the database is away for the kind."""
        while True:
            job = self._require()  # also says when the attempt was lost meanwhile
            try:
                return self._kind.publish(job, manifest, directory)
            except StorageRefusedError:
                raise
            except StorageError as error:
                self._await_database(error)

    def end(self, outcome: Outcome, publication: Publication | None = None) -> None:
        """End the job, unless somebody else owns it."""
        end = _End(outcome, publication or Publication())
        while not self._lost.is_set():
            written = self._write(end)
            if written is None:
                continue
            if written or (end.in_doubt and self._was_written(end.outcome)):
                self._settle(end)
                return
            if end.outcome.state == "cancelled" or not self.stop_came_first():
                break
            end.become(Outcome("cancelled"))
        self._leave(end)

    def _write(self, end: _End) -> bool | None:
        """Try once to write the end; None when it is to be tried again, perhaps another end."""
        try:
            return self._in.store.finish(self._lease, end.outcome, on_commit=end.publication.on_commit)
        except Exception as error:
            if end.is_refused_by(error):
                # What was to be published or said is not taken; that it was refused is, in plain words.
                self._log.error("end_refused", error=str(error))
                end.refuse(error)
                return None
            if not isinstance(error, StorageError):
                raise
            end.in_doubt = True  # the commit may have come about before the connection broke
            self._await_database(error)
            return None

    def _settle(self, end: _End) -> None:
        end.publication.settled()
        self._count()

    def _leave(self, end: _End) -> None:
        """Let go of an end that was not written, as far as we know."""
        if end.in_doubt and self._was_written(end.outcome):
            self._settle(end)
            return
        if end.in_doubt:  # what was prepared may be published: whoever mends or sweeps decides later
            end.publication.doubted()
        else:
            end.publication.abandon()
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
        """End a job whose supervisor itself failed; its processes are gone.

        A database that was away just then is no fault of the job's: another attempt may do it.
        """
        if isinstance(error, StorageError) and not isinstance(error, StorageRefusedError):
            self.give_back(spent=True)
            return
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
            except StorageRefusedError:
                raise
            except StorageError as error:
                self._await_database(error)
        return None

    def _await_database(self, error: StorageError) -> None:
        """Wait before a database that was away is asked again; not once the attempt is lost."""
        self._log.warning("database_away", error=str(error))
        self._lost.wait(self._in.config.retry_seconds)
