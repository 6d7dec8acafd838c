"""The job store: each verb is one transaction, and what happens in it has a module of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from onward.database.moments import Clock, require_utc, utc_now
from onward.database.transactions import reading
from onward.jobs.protocol import OnCommit, Subscription
from onward.jobs.store import claims, losses, owning, retention, stops, submission
from onward.jobs.store import reading as looking
from onward.jobs.store.bell import Bell
from onward.jobs.store.fence import held_by, unchanged
from onward.jobs.store.listening import PostgresqlSubscription
from onward.jobs.store.requests import checked
from onward.jobs.store.rows import origin_column
from onward.jobs.store.transactions import Transactions
from onward.jobs.store.watching import SqliteSubscription
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

__all__ = ["SqlJobStore"]


class SqlJobStore:
    """A `JobStore` in SQLite (one host) or PostgreSQL (several).

    Safe to use from several threads; one store a process and database, so that its writers queue
    up and its listeners hear them.

    Parameters
    ----------
    engine
        From `onward.database.open_database`, its tables up to date.
    clock
        Gives this moment, UTC. It stamps rows, and says on SQLite whether a job that is to wait for
        a moment is due (PostgreSQL asks its own clock); it never decides whether an owner lives.
    keep
        How long ended jobs are kept: stamped on them as ``expires_at``. None = not said. `prune`
        goes by the moment that it is given.
    poll_seconds
        How often a subscription looks at SQLite for what other processes did.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock = utc_now,
        keep: timedelta | None = None,
        poll_seconds: float = 0.1,
        retry_seconds: float = 0.5,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._keep = keep
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._bell = Bell()
        self._transactions = Transactions(engine, clock, self._bell)

    # -- users --------------------------------------------------------------------------------

    def submit(self, request: JobRequest, *, retry_of: str | None = None, fresh: bool = False) -> Submission:
        """Insert a queued job, or return the one that the idempotency key already made.

        ``retry_of``: the job that it tries again; ``fresh``: without what that one had finished.
        A key of a pruned job gives what is remembered of it: id, state, reason, times.

        Raises
        ------
        JobError
            When a field is not as it must be.
        JobConflictError
            When the key was used with another request.
        """
        request, request_hash = checked(request)
        with self._transactions.begin() as work:
            origin = origin_column(retry_of, fresh=fresh)
            return submission.submit(work, request, request_hash, origin=origin)

    def known(self, request: JobRequest) -> Submission | None:
        """Return the job that the key already made of the same request as it came, inserting nothing.

        None: the key is free, or nothing says how that job's request came; `submit` knows then.

        Raises
        ------
        JobConflictError
            When the key was used with another request.
        """
        if request.idempotency_key is None:
            return None
        with reading(self._engine) as connection:
            return submission.known(connection, request)

    def get(self, job_id: str) -> Job:
        """Return a job; the beginning of an id suffices when it is unique."""
        with reading(self._engine) as connection:
            return looking.get(connection, job_id)

    def glances(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return how some jobs stand, by whole id, in one query; unknown ids are left out.

        The ``spec`` of their requests is left out too, and empty: use `get` for it.
        """
        with reading(self._engine) as connection:
            return looking.glances(connection, job_ids)

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
        """Return jobs, newest first, or of those that ended since; ``limit`` from 1 to 10,000."""
        since = None if ended_after is None else require_utc(ended_after, "ended_after")
        with reading(self._engine) as connection:
            return looking.find(
                connection,
                states=states,
                kinds=kinds,
                tenant=tenant,
                ended_after=since,
                limit=limit,
                cursor=cursor,
            )

    def request_stop(self, job_id: str) -> StopReply:
        """Ask for a stop: a queued job is cancelled at once, a live one is told, an ended one stays."""
        with self._transactions.begin() as work:
            return stops.request_stop(work, looking.whole_id(work.connection, job_id), retention=self._keep)

    def events(
        self,
        job_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        kinds: Iterable[str] | None = None,
        newest: bool = False,
    ) -> Sequence[JobEvent]:
        """Return events with ``seq > after``, in order: the first ``limit`` (1 to 10,000), or the newest."""
        with reading(self._engine) as connection:
            return looking.events(connection, job_id, after=after, limit=limit, kinds=kinds, newest=newest)

    def counts(self, *, ended_after: datetime | None = None) -> Mapping[JobState, int]:
        """Return how many jobs are in each state, or of those that ended since a moment."""
        since = None if ended_after is None else require_utc(ended_after, "ended_after")
        with reading(self._engine) as connection:
            return looking.counts(connection, ended_after=since)

    def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Delete up to ``limit`` terminal jobs that ended before a moment; keys leave tombstones."""
        with self._transactions.begin() as work:
            return retention.prune(work, before=require_utc(before, "before"), limit=looking.page_size(limit))

    def delete(self, job_id: str) -> Job:
        """Delete an ended job with its events, and return what it was; a key leaves a tombstone."""
        with self._transactions.begin() as work:
            return retention.remove(work, looking.whole_id(work.connection, job_id))

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
        if limit <= 0 or not self._any_due(backends, kinds):
            return ()
        with self._transactions.begin() as work:
            return claims.claim(
                work, owner, limit=limit, global_limit=global_limit, backends=backends, kinds=kinds
            )

    def started(self, lease: Lease, identity: WorkerIdentity) -> bool:
        """Write down which process works: starting -> running. The worker waits for this.

        False: the attempt is no longer ours, or a stop came first.
        """
        with self._transactions.begin() as work:
            return owning.started(work, lease, identity)

    def renew(self, owner: str) -> Renewal:
        """Heartbeat of everything that the owner holds, in one statement."""
        with self._transactions.begin(durable=False) as work:
            return owning.renew(work, owner)

    def report(self, lease: Lease, events: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Append events of an attempt, (kind, payload) each; the last ``progress`` goes into the row."""
        with self._transactions.begin(durable=False) as work:
            return owning.report(work, lease, events)

    def stopping(self, lease: Lease, *, reason: Reason | None, deadline: datetime | None = None) -> bool:
        """Write down that the attempt is being ended; the first reason stays, a later deadline counts."""
        # A stop that was asked for is on the disk already; its deadline is for people to look at.
        with self._transactions.begin(durable=reason is not None) as work:
            return owning.stopping(work, lease, reason=reason, deadline=deadline)

    def finish(self, lease: Lease, outcome: Outcome, *, on_commit: OnCommit | None = None) -> bool:
        """End the job, and publish in the same transaction.

        False: nothing was written, since the attempt is no longer ours, or since a stop came
        before a success; then it is still held, and ends as ``cancelled`` (by `finish`, or by
        `release`, which is right in both cases).
        """
        with self._transactions.begin() as work:
            return owning.finish(work, lease, outcome, on_commit=on_commit, retention=self._keep)

    def release(self, lease: Lease, *, spent: bool = True) -> Job | None:
        """Give a job back that was not finished, its processes proven gone."""
        with self._transactions.begin() as work:
            return losses.lose(work, held_by(lease), spent=spent, retention=self._keep)

    # -- reapers ------------------------------------------------------------------------------

    def leases(self) -> Sequence[Lease]:
        """Return every attempt that is held, with its heartbeat number."""
        with reading(self._engine) as connection:
            return looking.leases(connection)

    def reap(self, lease: Lease) -> Job | None:
        """End an attempt whose owner fell silent, if owner, attempt and heartbeat are still these."""
        with self._transactions.begin() as work:
            return losses.lose(work, unchanged(lease), retention=self._keep)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Listen for new work and stops; on PostgreSQL through a connection of its own.

        A database that is away raises nothing: the subscription connects when it is back, and
        then calls everything news.
        """
        subscription = (
            PostgresqlSubscription(self._engine, self._retry_seconds)
            if self._engine.dialect.name == "postgresql"
            else SqliteSubscription(self._engine, self._bell, self._poll_seconds)
        )
        try:
            yield subscription
        finally:
            subscription.close()

    def _any_due(self, backends: Sequence[str], kinds: Sequence[str] | None) -> bool:
        """Return whether a claim is worth the writer's place, which SQLite has only one of."""
        if self._engine.dialect.name != "sqlite":
            return True
        with reading(self._engine) as connection:
            query = claims.due(connection, self._clock(), backends, kinds)
            return connection.scalar(query.limit(1)) is not None
