"""Attempts that ended without an outcome: given back by their owner, or taken from a silent one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from onward.database.tables import ml_jobs
from onward.errors import JobError
from onward.jobs.states import after_loss
from onward.jobs.store.bell import QUEUED
from onward.jobs.store.journal import step
from onward.jobs.store.rows import NOBODY, job_of
from onward.jobs.store.transactions import Work
from onward.jobs.values import Job, Reason

__all__ = ["lose"]

LOST = JobError(
    "The worker or its server was lost, and no attempts are left",
    remedy="Submit the job again with `onward jobs retry`; raise jobs.max_attempts if servers come and go.",
).to_dict()


def lose(
    work: Work, guard: ColumnElement[bool], *, spent: bool = True, retention: timedelta | None
) -> Job | None:
    """End an attempt: the job is queued again, failed or cancelled, as `after_loss` decides.

    Parameters
    ----------
    work
        The transaction.
    guard
        Condition under which the attempt is still the one that is meant.
    spent
        False: the attempt does not count against ``max_attempts``.
    retention
        How long an ended job is kept.

    Returns
    -------
    Job or None
        As it now stands; None when the guard did not hold.
    """
    row = work.connection.execute(select(ml_jobs).where(guard).with_for_update()).one_or_none()
    if row is None:
        return None
    max_attempts = row.max_attempts if spent else row.max_attempts + 1
    state, reason = after_loss(
        attempt=row.attempt,
        max_attempts=max_attempts,
        stop_requested=row.cancel_requested_at is not None,
        reason=row.reason,
    )
    changes: dict[str, Any] = {"state": state, "reason": reason}
    if state == "queued":
        changes |= {
            "max_attempts": max_attempts,
            "owner": None,
            "heartbeat_at": None,
            "started_at": None,
            "stop_deadline": None,
            "progress": {},
            "progress_at": None,
            **NOBODY,
        }
    else:
        changes |= {
            "finished_at": work.now,
            "expires_at": None if retention is None else work.now + retention,
            "error": LOST if reason == "worker_lost" else None,
        }
    because: Reason | None = "worker_lost" if state == "queued" and spent else None
    after = step(work.connection, guard, work.now, because=because, **changes)
    assert after is not None
    work.announce(QUEUED)
    return job_of(after)
