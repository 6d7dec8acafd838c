"""Events of jobs, written in the transaction of what they tell of, numbered without gaps.

The number of the newest event lies in the job's own row. Whoever writes events has counted it up
and so holds the row until the commit: nobody else can take a number in between, and a rollback
gives the numbers back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, update

from onward.database.tables import ml_job_events, ml_jobs
from onward.jobs.store.documents import document
from onward.jobs.values import Reason

__all__ = ["append", "record_states", "step"]


def step(
    connection: Connection,
    guard: ColumnElement[bool],
    now: datetime,
    *,
    because: Reason | None = None,
    **changes: Any,
) -> Row[Any] | None:
    """Take one job to another state, if the guard still holds, and write the event.

    Parameters
    ----------
    connection
        Inside a transaction.
    guard
        Condition that picks at most one job.
    now
        Moment of the event.
    because
        What the event gives as the reason when the row has none (a lost attempt that is queued again).
    changes
        Columns and their new values.

    Returns
    -------
    Row or None
        The row as it now is; None when the guard did not hold.
    """
    row = connection.execute(
        update(ml_jobs)
        .where(guard)
        .values(event_seq=ml_jobs.c.event_seq + 1, **changes)
        .returning(*ml_jobs.c)
    ).one_or_none()
    if row is not None:
        record_states(connection, [row], now, because=because)
    return row


def record_states(
    connection: Connection, rows: Sequence[Row[Any]], now: datetime, *, because: Reason | None = None
) -> None:
    """Write one event for each of some rows whose ``event_seq`` was just counted up by one."""
    connection.execute(
        insert(ml_job_events),
        [_event(row.id, row.event_seq, row.attempt, now, "state", _state(row, because)) for row in rows],
    )


def append(
    connection: Connection,
    row: Row[Any],
    now: datetime,
    events: Sequence[tuple[str, Mapping[str, Any]]],
) -> None:
    """Write events of an attempt whose row was just counted up by their number."""
    first = row.event_seq - len(events) + 1
    connection.execute(
        insert(ml_job_events),
        [
            _event(row.id, first + place, row.attempt, now, kind, document(payload))
            for place, (kind, payload) in enumerate(events)
        ],
    )


def _state(row: Row[Any], because: Reason | None) -> dict[str, Any]:
    return {"state": row.state, "reason": row.reason or because}


def _event(
    job_id: str, seq: int, attempt: int, now: datetime, kind: str, payload: Mapping[str, Any]
) -> dict[str, Any]:
    return {"job_id": job_id, "seq": seq, "attempt": attempt, "ts": now, "kind": kind, "payload": payload}
