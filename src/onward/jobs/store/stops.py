"""Stops that people ask for; against a finish, the first commit wins."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, select, update

from onward.database.tables import ml_jobs
from onward.jobs.store.bell import STOP
from onward.jobs.store.fence import in_states, queued
from onward.jobs.store.journal import step
from onward.jobs.store.rows import job_of
from onward.jobs.store.transactions import Work
from onward.jobs.values import StopReply

__all__ = ["request_stop"]


def request_stop(work: Work, job_id: str, *, retention: timedelta | None) -> StopReply:
    """Cancel a queued job, or tell the owner of a live one.

    A live job is `stopping` from this commit on, so a result that comes later is not published.
    """
    connection, now = work.connection, work.now
    this = ml_jobs.c.id == job_id
    # The row stays locked: between these statements nobody takes another step.
    connection.execute(select(ml_jobs.c.id).where(this).with_for_update())
    waiting = step(
        connection,
        and_(this, queued()),
        now,
        state="cancelled",
        cancel_requested_at=now,
        finished_at=now,
        expires_at=None if retention is None else now + retention,
    )
    if waiting is not None:
        return StopReply(job_of(waiting), accepted=True)
    live = step(
        connection,
        and_(this, in_states("starting", "running")),
        now,
        state="stopping",
        cancel_requested_at=now,
    )
    if live is None:  # it is being ended for another reason: from now on also because of this
        live = connection.execute(
            update(ml_jobs)
            .where(this, in_states("stopping"), ml_jobs.c.cancel_requested_at.is_(None))
            .values(cancel_requested_at=now)
            .returning(*ml_jobs.c)
        ).one_or_none()
    if live is not None:
        work.announce(STOP)
        return StopReply(job_of(live), accepted=True)
    row = connection.execute(select(ml_jobs).where(this)).one()
    return StopReply(job_of(row), accepted=False)
