"""Forgetting jobs that ended long ago; their keys are remembered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from onward.database.tables import ml_job_tombstones, ml_jobs
from onward.jobs.states import TERMINAL
from onward.jobs.store.transactions import Work

__all__ = ["prune"]


def prune(work: Work, *, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` jobs that ended before a moment, with their events, oldest first.

    A job with an idempotency key leaves a tombstone in the same transaction, so that a client who
    repeats an old request after months still gets his old job and no new one.
    """
    query = (
        select(ml_jobs)
        .where(ml_jobs.c.state.in_(sorted(TERMINAL)), ml_jobs.c.finished_at < before)
        .order_by(ml_jobs.c.finished_at, ml_jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    old = work.connection.execute(query).all()
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
    return len(old)
