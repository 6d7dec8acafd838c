"""Taking due jobs: each attempt goes to one owner, whoever else reaches for it at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, not_, or_, select, update

from onward.database.moments import moment_in
from onward.database.tables import ml_jobs
from onward.database.transactions import exclusive
from onward.jobs.store.fence import held, queued
from onward.jobs.store.journal import record_states
from onward.jobs.store.rows import job_of
from onward.jobs.store.transactions import Work
from onward.jobs.values import Job

__all__ = ["claim", "due", "locked"]

LARGEST_CLAIM = 10_000
LIMIT_LOCK = "onward-jobs-limit"


def claim(
    work: Work,
    owner: str,
    *,
    limit: int,
    global_limit: int | None,
    backends: Sequence[str],
    kinds: Sequence[str] | None,
) -> tuple[Job, ...]:
    """Take up to ``limit`` due jobs, most urgent first, without exceeding the global limit."""
    if global_limit is not None:
        limit = min(limit, _free_places(work.connection, global_limit))
    if limit <= 0:
        return ()
    limit = min(limit, LARGEST_CLAIM)
    chosen = locked(due(work.connection, work.now, backends, kinds).limit(limit)).cte("chosen")
    rows = work.connection.execute(
        update(ml_jobs)
        .where(ml_jobs.c.id.in_(select(chosen.c.id)))
        .values(
            state="starting",
            owner=owner,
            attempt=ml_jobs.c.attempt + 1,
            hb_seq=0,
            heartbeat_at=work.now,
            event_seq=ml_jobs.c.event_seq + 1,
        )
        .returning(*ml_jobs.c)
    ).all()
    if rows:
        record_states(work.connection, rows, work.now)
    return tuple(job_of(row) for row in sorted(rows, key=_urgency))


def due(
    connection: Connection, now: datetime, backends: Sequence[str], kinds: Sequence[str] | None = None
) -> Select[tuple[str]]:
    """Return the query for jobs that may start now, most urgent first; of these kinds, if some are named.

    A job that was submitted without a moment is due whatever any clock shows: the host that took it in
    may be ahead of the one that looks. One that is to wait for a moment waits by the one clock that all
    hosts share where there is one, and that is the database's.

    Parameters
    ----------
    connection
        Of the database, whose clock may decide.
    now
        This moment here, for databases without a clock of their own.
    backends, kinds
        As of `claim`.
    """
    moment = moment_in(connection, now)
    query = select(ml_jobs.c.id).where(
        queued(),
        or_(not_(ml_jobs.c.scheduled), ml_jobs.c.run_after <= moment),
        ml_jobs.c.backend.in_(backends),
    )
    if kinds is not None:
        query = query.where(ml_jobs.c.kind.in_(kinds))
    return query.order_by(ml_jobs.c.priority.desc(), ml_jobs.c.queued_at, ml_jobs.c.id)


def locked(query: Select[Any]) -> Select[Any]:
    """Make a query lock what it picks, look at it again once locked, and pass over what others hold.

    Without this, two owners that look at the same moment pick the same jobs and both take them
    (2,938 of 2,000 jobs were measured). SQLite leaves it out: its writers are alone anyway.
    """
    return query.with_for_update(skip_locked=True)


def _free_places(connection: Connection, global_limit: int) -> int:
    """Return how many more may run; whoever else counts waits until this transaction has ended."""
    exclusive(connection, LIMIT_LOCK)
    taken = connection.scalar(select(func.count()).select_from(ml_jobs).where(held()))
    return global_limit - int(taken or 0)


def _urgency(row: Any) -> tuple[int, datetime, str]:
    return (-row.priority, row.queued_at, row.id)
