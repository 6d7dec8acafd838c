"""What an owner writes about the attempts that it holds; each statement carries the fence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select, update

from onward.database.tables import ml_jobs
from onward.errors import JobError
from onward.jobs.protocol import OnCommit
from onward.jobs.states import STEPS
from onward.jobs.store.bell import QUEUED
from onward.jobs.store.documents import document
from onward.jobs.store.fence import held, held_by, in_states
from onward.jobs.store.journal import append, step
from onward.jobs.store.rows import identity_columns
from onward.jobs.store.transactions import Work
from onward.jobs.values import JobState, Lease, Outcome, Reason, Renewal, WorkerIdentity

__all__ = ["finish", "renew", "report", "started", "stopping"]


def started(work: Work, lease: Lease, identity: WorkerIdentity) -> bool:
    """Write down who works: starting -> running. A stop that came first keeps it from beginning."""
    guard = and_(held_by(lease), in_states("starting"))
    row = step(
        work.connection, guard, work.now, state="running", started_at=work.now, **identity_columns(identity)
    )
    return row is not None


def renew(work: Work, owner: str) -> Renewal:
    """Count up the heartbeat of everything that an owner holds, and learn what was asked meanwhile."""
    rows = work.connection.execute(
        update(ml_jobs)
        .where(ml_jobs.c.owner == owner, held())
        .values(hb_seq=ml_jobs.c.hb_seq + 1, heartbeat_at=work.now)
        .returning(ml_jobs.c.id, ml_jobs.c.attempt, ml_jobs.c.cancel_requested_at)
    ).all()
    return Renewal(
        held={row.id: row.attempt for row in rows},
        stopping=frozenset(row.id for row in rows if row.cancel_requested_at is not None),
    )


def report(work: Work, lease: Lease, events: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Append events; the last ``progress`` among them becomes the row's."""
    told = [payload for kind, payload in events if kind == "progress"]
    changes: dict[str, Any] = {"event_seq": ml_jobs.c.event_seq + len(events)}
    if told:
        changes |= {"progress": document(told[-1]), "progress_at": work.now}
    row = work.connection.execute(
        update(ml_jobs)
        .where(held_by(lease))
        .values(changes)
        .returning(ml_jobs.c.id, ml_jobs.c.attempt, ml_jobs.c.event_seq)
    ).one_or_none()
    if row is None:
        return False
    if events:
        append(work.connection, row, work.now, events)
    return True


def stopping(work: Work, lease: Lease, *, reason: Reason | None, deadline: datetime | None) -> bool:
    """Write down that the attempt is being ended; the first cause stays."""
    first = and_(held_by(lease), in_states("starting", "running"))
    if step(work.connection, first, work.now, state="stopping", reason=reason, stop_deadline=deadline):
        return True
    again = and_(held_by(lease), in_states("stopping"))
    known = ml_jobs.c.stop_deadline if deadline is None else deadline
    done = work.connection.execute(update(ml_jobs).where(again).values(stop_deadline=known))
    return done.rowcount == 1


def finish(
    work: Work, lease: Lease, outcome: Outcome, *, on_commit: OnCommit | None, retention: timedelta | None
) -> bool:
    """End the job and publish, or do neither."""
    if (outcome.state == "failed") != (outcome.reason is not None):
        raise JobError(
            "A job that failed has a reason, another has none",
            got=f"state {outcome.state}, reason {outcome.reason}",
        )
    guard = and_(held_by(lease), in_states(*_leading_to(outcome.state)))
    # The row is locked before anything is published: what comes later in here cannot be overtaken.
    if work.connection.execute(select(ml_jobs.c.id).where(guard).with_for_update()).one_or_none() is None:
        return False
    published = on_commit(work.connection) if on_commit is not None else None
    result = outcome.result if published is None else {**(outcome.result or {}), **published}
    row = step(
        work.connection,
        guard,
        work.now,
        state=outcome.state,
        reason=outcome.reason,
        result=document(result),
        error=document(outcome.error),
        finished_at=work.now,
        expires_at=None if retention is None else work.now + retention,
    )
    assert row is not None
    work.announce(QUEUED)  # a place is free
    return True


def _leading_to(state: JobState) -> tuple[JobState, ...]:
    return tuple(before for before, after in STEPS.items() if state in after and before != "queued")
