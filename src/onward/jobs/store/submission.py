"""Taking in a job, once for each idempotency key."""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, and_, select
from sqlalchemy.dialects import postgresql, sqlite

from onward.database.tables import ml_job_tombstones, ml_jobs
from onward.errors import JobConflictError
from onward.jobs.store.bell import QUEUED
from onward.jobs.store.journal import record_states
from onward.jobs.store.rows import job_of, request_columns
from onward.jobs.store.transactions import Work
from onward.jobs.values import Job, JobRequest, Submission

__all__ = ["known", "submit"]


def known(connection: Connection, request: JobRequest) -> Submission | None:
    """Return the job that a key made of the same request as it came; None when that is not known.

    Raises
    ------
    JobConflictError
        When the key was used with another request.
    """
    row, buried = _known(connection, request), None
    if row is None:
        buried = _buried(connection, request)
    found = row or buried
    if found is None:
        return None
    if request.asked_hash == found.request_hash:
        return Submission(_remembered(request, found) if row is None else job_of(found), created=False)
    if row is not None and row.request_hash != job_of(row).request.request_hash:
        _refuse(request)
    return None  # nobody noted how it came: what it is completed to decides


def submit(work: Work, request: JobRequest, request_hash: str, *, origin: str | None) -> Submission:
    """Insert a queued job, or return the one that the key already made; pruned ones included.

    Raises
    ------
    JobConflictError
        When the key was used with another request.
    """
    while True:
        savepoint = work.connection.begin_nested()
        row = _insert(work, request, request_hash, origin)
        # In this order: a job that is pruned between the two statements leaves its tombstone first.
        buried = _buried(work.connection, request)
        if row is not None and buried is None:
            savepoint.commit()
            record_states(work.connection, [row], work.now)
            work.announce(QUEUED)
            return Submission(job_of(row), created=True)
        savepoint.rollback()
        if buried is not None:
            _same(request, buried.request_hash, request_hash)
            return Submission(_remembered(request, buried), created=False)
        row = _known(work.connection, request)
        if row is not None:
            _same(request, row.request_hash, request_hash)
            return Submission(job_of(row), created=False)
        # Pruned at this very moment: the next look finds the tombstone.


def _insert(work: Work, request: JobRequest, request_hash: str, origin: str | None) -> Row[Any] | None:
    new = postgresql.insert if work.connection.dialect.name == "postgresql" else sqlite.insert
    statement = (
        new(ml_jobs)
        .values(
            id=secrets.token_hex(8),
            request_hash=request.asked_hash or request_hash,
            queued_at=work.now,
            state="queued",
            attempt=0,
            hb_seq=0,
            progress={},
            retry_of=origin,
            event_seq=1,
            **request_columns(request, work.now),
        )
        .on_conflict_do_nothing(index_elements=["tenant", "idempotency_key"])
        .returning(*ml_jobs.c)
    )
    return work.connection.execute(statement).one_or_none()


def _buried(connection: Connection, request: JobRequest) -> Row[Any] | None:
    if request.idempotency_key is None:
        return None
    stone = ml_job_tombstones.c
    key = and_(stone.tenant == request.tenant, stone.idempotency_key == request.idempotency_key)
    return connection.execute(select(ml_job_tombstones).where(key)).one_or_none()


def _known(connection: Connection, request: JobRequest) -> Row[Any] | None:
    key = and_(ml_jobs.c.tenant == request.tenant, ml_jobs.c.idempotency_key == request.idempotency_key)
    return connection.execute(select(ml_jobs).where(key)).one_or_none()


def _same(request: JobRequest, known: str, completed: str) -> None:
    if known not in (request.asked_hash, completed):
        _refuse(request)


def _refuse(request: JobRequest) -> NoReturn:
    raise JobConflictError(
        "The idempotency key belongs to another request",
        got=repr(request.idempotency_key),
        allowed="the same request once more, or a key of its own for another one",
        remedy="Choose a new key; a key stays taken after its job was pruned.",
    )


def _remembered(request: JobRequest, stone: Row[Any]) -> Job:
    """Return what is still known of a pruned job."""
    return Job(
        id=stone.job_id,
        request=request,
        state=stone.state,
        reason=stone.reason,
        attempt=stone.attempt,
        owner=None,
        beat=0,
        heartbeat_at=None,
        identity=None,
        queued_at=stone.queued_at,
        started_at=None,
        finished_at=stone.finished_at,
        expires_at=None,
        cancel_requested_at=None,
        stop_deadline=None,
        progress={},
        progress_at=None,
        result=None,
        error=None,
    )
