"""Who may still write to a job: conditions that go into the WHERE of every owner's statement."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_
from sqlalchemy import literal_column as written_out

from onward.database.tables import HELD_STATES, QUEUED_STATE, ml_jobs
from onward.jobs.values import JobState, Lease

__all__ = ["held", "held_by", "in_states", "is_current_attempt", "queued", "unchanged"]


def queued() -> ColumnElement[bool]:
    """Pick jobs that wait, in the words of the partial index."""
    return ml_jobs.c.state == QUEUED_STATE


def held() -> ColumnElement[bool]:
    """Pick jobs that an owner holds, in the words of the partial index."""
    return ml_jobs.c.state.in_(HELD_STATES)


def in_states(*states: JobState) -> ColumnElement[bool]:
    """Pick jobs in one of these states."""
    return ml_jobs.c.state.in_([written_out(f"'{state}'", ml_jobs.c.state.type) for state in states])


def is_current_attempt(lease: Lease) -> ColumnElement[bool]:
    """Hold as long as no later attempt was begun: ``attempt`` is the fencing token.

    An owner that lost a job and claimed it again is the same owner; only this tells its two
    attempts apart.
    """
    return ml_jobs.c.attempt == lease.attempt


def held_by(lease: Lease) -> ColumnElement[bool]:
    """Pick the job of a lease, while the lease is good."""
    return and_(
        ml_jobs.c.id == lease.job_id, ml_jobs.c.owner == lease.owner, is_current_attempt(lease), held()
    )


def unchanged(lease: Lease) -> ColumnElement[bool]:
    """Pick the job of a lease, while no heartbeat came after the one that was seen."""
    return and_(held_by(lease), ml_jobs.c.hb_seq == lease.beat)
