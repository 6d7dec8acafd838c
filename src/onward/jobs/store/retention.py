"""Forgetting jobs that ended long ago; their keys are remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from onward.database.audit_log import record
from onward.database.tables import ml_job_tombstones, ml_jobs
from onward.errors import JobStateError
from onward.jobs.states import TERMINAL
from onward.jobs.store.rows import job_of
from onward.jobs.store.transactions import Work
from onward.jobs.values import Job

__all__ = ["prune", "remove"]

PRUNING = int.from_bytes(hashlib.sha256(b"onward jobs pruning").digest()[:8], "big", signed=True)
"""Advisory lock of PostgreSQL for whoever prunes."""


def prune(work: Work, *, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` jobs that ended before a moment, with their events, oldest first.

    A job with an idempotency key leaves a tombstone in the same transaction, so that a client who
    repeats an old request after months still gets his old job and no new one. One caller at a
    time: 0 also means that another one is at it.
    """
    if not _alone(work.connection):
        return 0
    query = (
        select(ml_jobs)
        .where(ml_jobs.c.state.in_(sorted(TERMINAL)), ml_jobs.c.finished_at < before)
        .order_by(ml_jobs.c.finished_at, ml_jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    old = work.connection.execute(query).all()
    _forget(work, old)
    if old:
        record(work.connection, "jobs.prune", "", detail={"jobs": len(old)}, now=work.now)
    return len(old)


def remove(work: Work, job_id: str) -> Job:
    """Delete one ended job as `prune` would, and return what it was.

    Raises
    ------
    JobStateError
        When it has not ended.
    """
    row = work.connection.execute(select(ml_jobs).where(ml_jobs.c.id == job_id).with_for_update()).one()
    job = job_of(row)
    if job.state not in TERMINAL:
        raise JobStateError(
            "only a job that has ended can be deleted",
            got=f"{job.id} is {job.state}",
            allowed=", ".join(sorted(TERMINAL)),
            remedy="Stop it first, and wait until it is cancelled.",
        )
    _forget(work, [row])
    record(work.connection, "job.delete", job.id, detail={"kind": job.kind, "state": job.state}, now=work.now)
    return job


def _alone(connection: Connection) -> bool:
    """Return whether nobody else prunes until this transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(PRUNING))))


def _forget(work: Work, old: Sequence[Row[Any]]) -> None:
    stones = [
        {
            "tenant": row.tenant,
            "idempotency_key": row.idempotency_key,
            "request_hash": row.request_hash,
            "job_id": row.id,
            "state": row.state,
            "reason": row.reason,
            "attempt": row.attempt,
            "queued_at": row.queued_at,
            "finished_at": row.finished_at,
            "pruned_at": work.now,
        }
        for row in old
        if row.idempotency_key is not None
    ]
    if stones:
        work.connection.execute(insert(ml_job_tombstones), stones)
    if old:
        work.connection.execute(delete(ml_jobs).where(ml_jobs.c.id.in_([row.id for row in old])))
