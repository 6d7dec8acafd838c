"""The seams of jobs: where their state is kept, and where they run.

Every store faces `onward.testing.jobs.check_job_store`, every backend
`onward.testing.job_backends.check_job_backend`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from onward.errors import JobError
from onward.jobs.values import (
    Job,
    JobEvent,
    JobRequest,
    JobState,
    Lease,
    Outcome,
    Page,
    Reason,
    Renewal,
    StopReply,
    Submission,
    WorkerIdentity,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = [
    "Attempt",
    "Ending",
    "ForesightedBackend",
    "JobBackend",
    "JobStore",
    "OnCommit",
    "PatientBackend",
    "Subscription",
    "TooLateError",
    "Unplaced",
    "WakeableAttempt",
]

OnCommit = Callable[["Connection"], Mapping[str, Any] | None]
"""Runs inside the transaction that ends a job; what it returns is merged into the job's result.
An exception rolls everything back: neither the job's end nor what it published is visible."""


class Subscription(Protocol):
    """Wakes whoever waits for news of jobs: new work, or a stop that was asked for."""

    def wait(self, timeout: float) -> frozenset[str]:
        """Return channels with news (``queued``, ``stop``), empty after ``timeout`` seconds.

        News may come late or be lost; whoever waits must look for himself now and then.
        """


@runtime_checkable
class JobStore(Protocol):
    """The truth about jobs.

    Promises: an accepted job is never lost; a job is claimed at most once an attempt; only lawful
    steps are taken (`onward.jobs.states`); terminal rows never change (a trigger of the database
    guards it); every write of an owner is fenced by owner and attempt, and answers False when the
    attempt is no longer his; every transition leaves an event, whose numbers have no gaps; wall
    clocks never decide who lives. Methods may be called from any thread.

    Unknown ids raise `JobNotFoundError`; a failing database `StorageError`.
    """

    # -- users --------------------------------------------------------------------------------

    def submit(self, request: JobRequest, *, retry_of: str | None = None, fresh: bool = False) -> Submission:
        """Insert a queued job, or return the one that the idempotency key already made.

        `JobConflictError` when the key was used with another request: one that neither came like
        this (``asked_hash``) nor was completed to this (``request_hash``). ``retry_of``: the job
        that is tried again; ``fresh``: without what that one had finished.
        """

    def known(self, request: JobRequest) -> Submission | None:
        """Return the job that the key already made of the same request as it came, inserting nothing.

        None: the key is free, or nothing says how that job's request came. `JobConflictError` when
        it came otherwise. A hint that saves work: `submit` decides.
        """

    def get(self, job_id: str) -> Job:
        """Return a job; the beginning of an id suffices when it is unique."""

    def find(
        self,
        *,
        states: Iterable[JobState] | None = None,
        kinds: Iterable[str] | None = None,
        tenant: str | None = None,
        ended_after: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return jobs, newest first; with ``ended_after`` those that ended since, alone."""

    def request_stop(self, job_id: str) -> StopReply:
        """Ask for a stop: a queued job is cancelled at once, a live one is told, an ended one stays."""

    def events(
        self,
        job_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        kinds: Iterable[str] | None = None,
        newest: bool = False,
    ) -> Sequence[JobEvent]:
        """Return events with ``seq > after``, in order: the first ``limit`` of them, or the newest.

        ``kinds``: of these alone.
        """

    def counts(self, *, ended_after: datetime | None = None) -> Mapping[JobState, int]:
        """Return how many jobs are in each state, or of those that ended since a moment."""

    def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Delete up to ``limit`` terminal jobs that ended before a moment; keys leave tombstones.

        One caller at a time does so; 0 also means that another one is at it.
        """

    def delete(self, job_id: str) -> Job:
        """Delete an ended job with its events, and return what it was; a key leaves a tombstone.

        `JobStateError` when it has not ended.
        """

    # -- owners -------------------------------------------------------------------------------

    def claim(
        self,
        owner: str,
        *,
        limit: int,
        global_limit: int | None = None,
        backends: Sequence[str] = ("local",),
        kinds: Sequence[str] | None = None,
    ) -> Sequence[Job]:
        """Take up to ``limit`` due jobs, of some kinds or all: queued -> starting, attempt + 1, owner set."""

    def started(self, lease: Lease, identity: WorkerIdentity) -> bool:
        """Write down which process works: starting -> running. The worker waits for this.

        False: the attempt is no longer ours, or a stop came first; see `finish`.
        """

    def renew(self, owner: str) -> Renewal:
        """Heartbeat of everything that the owner holds, in one statement."""

    def report(self, lease: Lease, events: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Append events of an attempt, (kind, payload) each; the last ``progress`` goes into the row."""

    def stopping(self, lease: Lease, *, reason: Reason | None, deadline: datetime | None = None) -> bool:
        """Write down that the attempt is being ended; ``reason`` None: a person asked for it."""

    def finish(self, lease: Lease, outcome: Outcome, *, on_commit: OnCommit | None = None) -> bool:
        """End the job, and publish in the same transaction.

        False: nothing was written. The attempt is no longer ours, or a stop came before a success;
        then it is still held and wants to end as ``cancelled``. `release` is right in both cases.
        """

    def release(self, lease: Lease, *, spent: bool = True) -> Job | None:
        """Give a job back that was not finished, its processes proven gone.

        -> queued while attempts are left, failed (``worker_lost``) without, cancelled when a stop
        was asked for. None: the attempt was no longer ours. ``spent`` False, when an owner shuts
        down: the attempt does not count against ``max_attempts`` (which is raised by one, since
        attempt numbers fence and are never given twice), so it is always queued again.
        """

    # -- reapers ------------------------------------------------------------------------------

    def leases(self) -> Sequence[Lease]:
        """Return every attempt that is held, with its heartbeat number."""

    def reap(self, lease: Lease) -> Job | None:
        """End an attempt whose owner fell silent, if owner, attempt and heartbeat are still these.

        -> queued, failed (``worker_lost``) or cancelled as for `release`, an attempt used up.
        """

    def subscribe(self) -> AbstractContextManager[Subscription]:
        """Listen for new work and stops; a connection of its own where the database has one."""


@runtime_checkable
class Attempt(Protocol):
    """A worker at work on one attempt of a job. One thread at a time talks to it."""

    @property
    def identity(self) -> WorkerIdentity:
        """Which process it is."""

    def begin(self) -> None:
        """Let it start: it waits until its identity was written down."""

    def receive(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Return the messages that came (see `onward.jobs.messages`), after at most ``timeout`` seconds."""

    def answer(self, question: int, value: Any) -> None:
        """Answer a question of the worker's."""

    def stop(self) -> None:
        """Ask it to end: SIGTERM, which ends it without waiting for Python."""

    def kill(self) -> None:
        """SIGKILL everything that belongs to it: session, and whoever left it."""

    def gone(self) -> bool:
        """Return whether no process of it is left, proven by looking."""

    def memory_bytes(self) -> int:
        """Return what all its processes hold in memory (resident; shared pages of a process group once)."""

    def ending(self) -> Ending | None:
        """Return how the leader ended; None while it lives."""

    def close(self) -> None:
        """Free what it held here (pipes, pidfds, guardian entry); kills what is left."""


@runtime_checkable
class WakeableAttempt(Protocol):
    """An `Attempt` whose ``receive`` can be ended early, so that a stop need not wait for it."""

    def wake(self) -> None:
        """Let a ``receive`` that is under way, or comes next, return at once; from any thread."""


class Ending(Protocol):
    """How a worker ended."""

    @property
    def exit_code(self) -> int | None:
        """0 for a regular end; None when a signal ended it."""

    @property
    def signal(self) -> int | None:
        """Signal that ended it."""

    @property
    def out_of_memory(self) -> bool:
        """Whether there is evidence that the system killed it for want of memory."""


@runtime_checkable
class JobBackend(Protocol):
    """Where attempts run.

    Promises: everything that an attempt starts, however it hides, is gone after ``kill``; a
    process that is not the attempt's is never signalled; when this server dies, by whatever
    signal, or is suspended beyond its lease, the attempt's processes end without it.
    """

    @property
    def name(self) -> str:
        """Name under which jobs ask for it."""

    def warm(self) -> None:
        """Get ready, so that the first job does not wait."""

    def start(self, job: Job, directory: Path, *, claimed: float | None = None) -> Attempt:
        """Start a worker for an attempt, its files below ``directory``; it waits for ``begin``.

        ``claimed``: ``time.monotonic()`` before the job was claimed (now, if left out), from when the
        lease is known to be ours. `TooLateError` when that is so long ago that somebody else may
        hold it; `JobError` when the worker cannot be started.
        """

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        """Note that leases were renewed: keeps the fence of these attempts open, and of no others.

        ``sent``: ``time.monotonic()`` before the renewal was sent, since that is what it proves;
        ``held``: attempt by job id.
        """

    def end_orphan(self, job: Job, directory: Path) -> bool:
        """End what is left of an attempt of a dead owner, as far as this host can; True: nothing is left.

        ``directory``: of the attempt, as given to `start`; its owner may have had another disk.
        True also for identities of another host or boot: its own fence ended those.
        """

    def close(self) -> None:
        """End everything that still runs, and the helpers."""


class TooLateError(JobError):
    """No worker was started: the claim lies so far back that the attempt may be somebody else's."""


@dataclass(frozen=True)
class Unplaced:
    """An attempt did not come to be, through no fault of the job's.

    Attributes
    ----------
    why
        For people.
    spent
        Whether it counts as an attempt: a worker was on its way and got lost. Without a place
        nothing was tried.
    """

    why: str
    spent: bool = False


@runtime_checkable
class PatientBackend(Protocol):
    """A `JobBackend` on which a start may have to wait for a place."""

    def start_unless(
        self, job: Job, directory: Path, unwanted: Callable[[], bool]
    ) -> Attempt | Unplaced | None:
        """Start as `JobBackend.start` does, unless it becomes unwanted; None when it did.

        With None or `Unplaced` nothing of the attempt is left.
        """


@runtime_checkable
class ForesightedBackend(Protocol):
    """A `JobBackend` that has to get ready before it can end orphans without delay."""

    def expect_orphans(self) -> None:
        """Get ready: an owner of attempts here has been silent for some time, though not too long yet.

        Called again and again while that is so, and on the thread that takes over: it returns at
        once and raises nothing. `JobBackend.end_orphan` is right without it, and only slower.
        """
