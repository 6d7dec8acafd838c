"""`BackgroundTaskManager`: takes jobs in, claims what is due, and has every attempt supervised."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from onward.config.jobs import JobConfig
from onward.database.moments import Clock, utc_now
from onward.errors import JobError, StorageError
from onward.jobs.desk import JobDesk
from onward.jobs.heartbeat import Heartbeat
from onward.jobs.kinds import JobKind
from onward.jobs.logs import Logger, job_logger
from onward.jobs.metrics import JobMetrics
from onward.jobs.places import Places, free_places
from onward.jobs.presence import Presence
from onward.jobs.protocol import JobBackend, JobStore
from onward.jobs.settlement import Surroundings
from onward.jobs.supervision import Supervision
from onward.jobs.takeover import Takeover
from onward.jobs.upkeep import Upkeep
from onward.jobs.values import Job, JobState, Lease, StopReply

__all__ = ["BackgroundTaskManager"]

LOOK_SECONDS = 0.05
"""How often a shutdown looks whether the jobs have finished: a gap, not a patience, so no setting."""


class BackgroundTaskManager(JobDesk):
    """Jobs of one server: submitted here or elsewhere, run here, stopped from anywhere.

    Submitting, stopping and reading need no `start`; a started manager also claims and runs.
    Use it as a context manager, or call `close`, so that nothing stays behind.

    Parameters
    ----------
    store
        The truth about jobs, shared with other servers.
    backends
        Where attempts run.
    kinds
        What can be done.
    config
        Limits and waiting times.
    directory
        ``jobs/`` of the home: ``<job>/<attempt>/`` for each attempt, ``<job>/shared/`` for what
        one attempt leaves to the next.
    presence
        Says to others on this host, from `start` until `close` begins, that somebody takes jobs.
    metrics, log, clock
        Replaceable in tests.
    """

    def __init__(
        self,
        store: JobStore,
        backends: Iterable[JobBackend],
        kinds: Iterable[JobKind],
        config: JobConfig,
        directory: Path,
        *,
        presence: Presence | None = None,
        metrics: JobMetrics | None = None,
        log: Logger | None = None,
        clock: Clock = utc_now,
    ) -> None:
        # Unique per boot of a server: a restarted one must never take itself for its predecessor.
        self.owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        super().__init__(store, kinds, config, directory)
        self.presence = Presence(directory, "") if presence is None else presence
        self.metrics = JobMetrics(self._counts, lambda: self.running) if metrics is None else metrics
        self._backends: Mapping[str, JobBackend] = {backend.name: backend for backend in backends}
        self._log = (job_logger() if log is None else log).bind(owner=self.owner)
        self._short = tuple(kind.name for kind in self.kinds.values() if kind.short)
        self._in = Surroundings(store, config, self.metrics, self._log, clock)
        # By job and attempt: a job that was lost may be claimed anew before its old attempt is cleared.
        self._held: dict[tuple[str, int], tuple[Supervision, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._claiming = threading.Lock()
        self._closing = threading.Event()
        self._hurried = threading.Event()
        self._heartbeat = Heartbeat(self.owner, self._supervisions, self._backends.values(), self._in)
        self._takeover = Takeover(self.owner, self._backends, self.kinds, directory, self._in)
        self._upkeep = Upkeep(directory, self.kinds.values(), self._in)
        self._dispatcher = threading.Thread(target=self._dispatch, name="job-dispatcher", daemon=True)

    # -- stopping -----------------------------------------------------------------------------

    def request_stop(self, job_id: str) -> StopReply:
        """Ask for a stop, wherever the job runs; it is over when its state says ``cancelled``."""
        reply = super().request_stop(job_id)
        if reply.accepted:
            job = reply.job
            with self._lock:
                held = self._held.get((job.id, job.attempt)) if job.owner == self.owner else None
            if held is not None:
                held[0].ask_to_stop()  # committed, and ours: nobody needs to be asked about it
            else:
                self._heartbeat.soon()
        return reply

    # -- running ------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin to claim and run jobs."""
        self.presence.take()
        self._heartbeat.start()
        self._takeover.start()
        self._upkeep.start()
        self._dispatcher.start()
        self._log.info("started", concurrency=self._config.concurrency)
        return self

    @property
    def running(self) -> int:
        """Attempts that are held here."""
        return len(self._held)

    def close(self, *, finish_within: float | None = None) -> None:
        """Claim nothing more, let jobs finish for a while, give the others back, and end everything.

        Parameters
        ----------
        finish_within
            Seconds; default is ``jobs.shutdown_seconds``.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self.presence.leave()  # first: whoever submits from here on must not count on this server
        if self._dispatcher.ident is not None:
            self._dispatcher.join()
            with self._claiming:  # by the thread of a job that has just ended; nobody claims after that
                pass
            patience = self._config.shutdown_seconds if finish_within is None else finish_within
            deadline = time.monotonic() + patience
            while self.running and not self._hurried.is_set() and time.monotonic() < deadline:
                self._hurried.wait(LOOK_SECONDS)
            left = list(self._held.values())
            for supervision, _ in left:
                supervision.shut_down()
            self._await(left)
            self._upkeep.close()
            self._takeover.close()
            self._heartbeat.close()
            self._log.info("closed")
        for backend in self._backends.values():
            backend.close()

    def hurry(self) -> None:
        """Let a `close` that is under way, or comes, wait no longer for jobs to finish; from any thread."""
        self._hurried.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(finish_within=None if error is None else 0.0)

    # -- inside -------------------------------------------------------------------------------

    def _counts(self) -> Mapping[JobState, int]:
        return self.store.counts()

    def _supervisions(self) -> list[Supervision]:
        with self._lock:
            return [supervision for supervision, _ in self._held.values()]

    def _await(self, left: list[tuple[Supervision, threading.Thread]]) -> None:
        """Wait until attempts are ended and given back, but not for ever for a database that is away."""
        config = self._config
        deadline = time.monotonic() + config.grace_seconds + config.unkillable_seconds
        for _, thread in left:
            thread.join(max(0.0, deadline - time.monotonic()))
        for supervision, thread in left:
            if thread.is_alive():
                supervision.lose()  # nobody renews its lease any more: another server takes it over
                thread.join(config.parting_seconds)

    def _dispatch(self) -> None:
        for backend in self._backends.values():
            try:
                backend.warm()
            except JobError as error:  # the first attempt says so again
                self._log.warning("backend_not_ready", backend=backend.name, error=str(error))
        while not self._closing.is_set():
            try:
                with self.store.subscribe() as news:
                    while not self._closing.is_set():
                        self._claim()
                        if "stop" in news.wait(self._config.poll_seconds):
                            self._heartbeat.soon()
            except StorageError as error:
                self._log.warning("database_away", error=str(error))
            except Exception:  # whatever it was, jobs must go on being claimed
                self._log.exception("dispatcher_failed")
            self._closing.wait(self._config.retry_seconds)

    def _claim(self) -> None:
        with self._claiming:
            if self._closing.is_set():
                return
            free = self._free_places()
            if self._short:  # first: they leave the places of every kind to others
                self._take(free.short, self._short)
            # Others wait for a server that knows them: of a newer version, or with kinds of its own.
            self._take(free.any, tuple(self.kinds))

    def _free_places(self) -> Places:
        with self._lock:
            running = [supervision.job.kind for supervision, _ in self._held.values()]
        return free_places(
            concurrency=self._config.concurrency,
            short_places=self._config.short_places,
            running=len(running),
            short_running=sum(kind in self._short for kind in running),
        )

    def _take(self, limit: int, kinds: Sequence[str]) -> None:
        if limit <= 0 or self._closing.is_set():
            return
        claimed = time.monotonic()  # before: nothing later is known to be ours
        for job in self.store.claim(
            self.owner,
            limit=limit,
            global_limit=self._config.global_limit,
            backends=tuple(self._backends),
            kinds=kinds,
        ):
            if self._closing.is_set():  # it began to while the database took its time
                self._hand_back(job)
            else:
                self._supervise(job, claimed)

    def _hand_back(self, job: Job) -> None:
        """Give back what was claimed and has not begun; without the database, its lease runs out."""
        try:
            self.store.release(Lease(job.id, self.owner, job.attempt, job.beat), spent=False)
        except StorageError as error:
            self._log.warning("database_away", job_id=job.id, error=str(error))

    def _supervise(self, job: Job, claimed: float) -> None:
        supervision = Supervision(
            job,
            self.kinds[job.kind],
            self._backends[job.request.backend],
            self._directory / job.id,
            self._in,
            claimed=claimed,
        )
        thread = threading.Thread(
            target=self._run, args=(supervision,), name=f"job-{job.id[:8]}", daemon=True
        )
        with self._lock:
            self._held[job.id, job.attempt] = (supervision, thread)
        thread.start()

    def _run(self, supervision: Supervision) -> None:
        try:
            supervision.run()
        finally:
            with self._lock:
                self._held.pop((supervision.job.id, supervision.job.attempt), None)
        try:
            self._claim()  # a free place does not wait for the next look
        except StorageError as error:
            self._log.warning("database_away", error=str(error))
