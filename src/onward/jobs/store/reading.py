"""Looking at jobs: one, pages of them, their events, how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from onward.database.tables import ml_job_events, ml_jobs
from onward.errors import JobError, JobNotFoundError
from onward.jobs.states import STATES
from onward.jobs.store.cursors import decode_cursor, encode_cursor
from onward.jobs.store.fence import held
from onward.jobs.store.rows import event_of, job_of
from onward.jobs.values import Job, JobEvent, JobState, Lease, Page

__all__ = ["counts", "events", "find", "get", "glances", "leases", "page_size", "whole_id"]

GLANCES: Select[Any] = select(
    *(column for column in ml_jobs.c if column.name != "spec"), literal_column("NULL").label("spec")
).where(ml_jobs.c.id.in_(bindparam("ids", expanding=True)))
"""Written once; a specification is long, and is read by nobody who asks how a job fares."""
LARGEST_PAGE = 10_000
LARGEST_NUMBER = 2**31 - 1


def whole_id(connection: Connection, job_id: object) -> str:
    """Return the id that begins with some characters.

    Raises
    ------
    JobNotFoundError
        When there is none.
    JobError
        When there are several.
    """
    text = job_id if isinstance(job_id, str) else ""
    if _may_be_an_id(text):
        exact = connection.scalar(select(ml_jobs.c.id).where(ml_jobs.c.id == text))
        if exact is not None:
            return str(exact)
        starts = ml_jobs.c.id.startswith(text, autoescape=True)
        found = connection.scalars(select(ml_jobs.c.id).where(starts).order_by(ml_jobs.c.id).limit(3)).all()
        if len(found) == 1:
            return str(found[0])
        if found:
            raise JobError(
                "Several jobs begin with these characters",
                got=text,
                allowed=", ".join(found),
                remedy="Give more of the id.",
            )
    raise JobNotFoundError(
        "There is no such job",
        got=ascii(job_id)[:80],
        remedy="`onward jobs list` shows them; ended ones are pruned after a while.",
    )


def get(connection: Connection, job_id: str) -> Job:
    """Return a job."""
    row = _row(connection, job_id) or _row(connection, whole_id(connection, job_id))
    assert row is not None
    return job_of(row)


def glances(connection: Connection, job_ids: Sequence[str]) -> dict[str, Job]:
    """Return those of some jobs that are there, by whole id, without what they were asked to do."""
    asked = [job_id for job_id in job_ids if _may_be_an_id(job_id)]
    rows = connection.execute(GLANCES, {"ids": asked}).all() if asked else ()
    return {row.id: job_of(row) for row in rows}


def find(
    connection: Connection,
    *,
    states: Iterable[JobState] | None,
    kinds: Iterable[str] | None,
    tenant: str | None,
    ended_after: datetime | None,
    limit: int,
    cursor: str | None,
) -> Page:
    """Return a page, newest first.

    A page begins where the one before ended, by moment and id, so jobs that come meanwhile move
    nothing, and none is shown twice or passed over.
    """
    wanted: list[ColumnElement[bool]] = []
    if states is not None:
        wanted.append(ml_jobs.c.state.in_(_known(states)))
    if kinds is not None:
        wanted.append(ml_jobs.c.kind.in_(_sayable(kinds)))
    if tenant is not None:
        wanted.append(ml_jobs.c.tenant.in_(_sayable([tenant])))
    if ended_after is not None:
        wanted.append(ml_jobs.c.finished_at > ended_after)
    if cursor is not None:
        moment, job_id = decode_cursor(cursor)
        at, same = ml_jobs.c.queued_at, ml_jobs.c.queued_at == moment
        wanted += [at <= moment, or_(at < moment, and_(same, ml_jobs.c.id < job_id))]
    query = (
        select(ml_jobs)
        .where(*wanted)
        .order_by(ml_jobs.c.queued_at.desc(), ml_jobs.c.id.desc())
        .limit(page_size(limit) + 1)
    )
    rows = connection.execute(query).all()
    jobs = tuple(job_of(row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(jobs, encode_cursor(jobs[-1].queued_at, jobs[-1].id) if more else None)


def events(
    connection: Connection,
    job_id: str,
    *,
    after: int,
    limit: int,
    kinds: Iterable[str] | None,
    newest: bool,
) -> tuple[JobEvent, ...]:
    """Return the first, or newest, events of a job that came after a number, in order."""
    own = bindparam("job_id", type_=ml_job_events.c.job_id.type)
    order = ml_job_events.c.seq.desc() if newest else ml_job_events.c.seq
    query = (
        select(ml_job_events)
        .where(ml_job_events.c.job_id == own, ml_job_events.c.seq > min(after, LARGEST_NUMBER))
        .order_by(order)
        .limit(page_size(limit))
    )
    if kinds is not None:
        query = query.where(ml_job_events.c.kind.in_(_sayable(kinds)))
    found = _events(connection, query, job_id) if _may_be_an_id(job_id) else ()
    if not found:
        whole = whole_id(connection, job_id)
        if whole != job_id:
            found = _events(connection, query, whole)
    return found[::-1] if newest else found


def counts(connection: Connection, *, ended_after: datetime | None = None) -> Mapping[JobState, int]:
    """Return how many jobs are in each state, zeros included; or of those that ended since a moment."""
    query = select(ml_jobs.c.state, func.count()).group_by(ml_jobs.c.state)
    if ended_after is not None:
        query = query.where(ml_jobs.c.finished_at > ended_after)
    found: dict[Any, int] = {row.state: row[1] for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def leases(connection: Connection) -> tuple[Lease, ...]:
    """Return every attempt that is held."""
    query = select(ml_jobs.c.id, ml_jobs.c.owner, ml_jobs.c.attempt, ml_jobs.c.hb_seq).where(held())
    return tuple(Lease(*row) for row in connection.execute(query))


def _row(connection: Connection, job_id: str) -> Row[Any] | None:
    if not _may_be_an_id(job_id):
        return None
    return connection.execute(select(ml_jobs).where(ml_jobs.c.id == job_id)).one_or_none()


def _may_be_an_id(text: object) -> bool:
    """Return whether it is worth asking the database, which must not be asked about NUL and the like."""
    return isinstance(text, str) and text.isascii() and text.isalnum()


def _events(connection: Connection, query: Select[Any], job_id: str) -> tuple[JobEvent, ...]:
    return tuple(event_of(row) for row in connection.execute(query, {"job_id": job_id}))


def _known(states: Iterable[JobState]) -> list[JobState]:
    wanted = list(states)
    for state in wanted:
        if state not in STATES:
            raise JobError("There is no such state of jobs", got=ascii(state), allowed=", ".join(STATES))
    return wanted


def _sayable(texts: Iterable[str]) -> list[str]:
    """Return the texts that a job can carry; no job has the others, and databases choke on them."""
    return [text for text in texts if text.isprintable()]


def page_size(limit: int) -> int:
    """Return a number of rows that may be asked for.

    Raises
    ------
    JobError
        When it may not.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise JobError("A page cannot have this size", got=repr(limit), allowed=f"1 to {LARGEST_PAGE}")
    return limit
