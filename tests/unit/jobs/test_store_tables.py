"""The tables themselves refuse what must never be, whoever writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, update
from sqlalchemy.exc import IntegrityError

from onward.database import reading, writing
from onward.database.tables import ml_job_events, ml_jobs
from onward.jobs.states import STATES, STEPS, TERMINAL
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobState, Outcome
from onward.testing.job_store.ways import attempt, request, running

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENDS = {"succeeded": None, "failed": "error", "cancelled": None}


def in_state(store: SqlJobStore, state: JobState) -> str:
    """Make a job that is in a state, by lawful steps, and return its id."""
    if state == "queued":
        lease = attempt(store)
        store.release(lease)
    elif state == "starting":
        lease = attempt(store)
    else:
        lease = running(store)
        if state == "stopping":
            store.stopping(lease, reason=None)
        elif state != "running":
            store.finish(lease, Outcome(state, ENDS[state]))
    assert store.get(lease.job_id).state == state
    return lease.job_id


def columns(state: JobState) -> dict[str, object]:
    """Return what a row must hold to be in a state."""
    return {
        "state": state,
        "reason": ENDS.get(state),
        "owner": None if state == "queued" else "owner-1",
        "attempt": 1,
        "finished_at": NOW if state in TERMINAL else None,
    }


@pytest.mark.parametrize("before", STATES)
def test_only_lawful_steps_pass(before: JobState, database: Engine) -> None:
    store = SqlJobStore(database)
    for after in STATES:
        job_id = in_state(store, before)
        statement = update(ml_jobs).where(ml_jobs.c.id == job_id).values(columns(after))
        if after in STEPS[before] or (before == after and before not in TERMINAL):
            with writing(database) as connection:
                connection.execute(statement)
        else:
            with pytest.raises(IntegrityError, match="does not"), writing(database) as connection:
                connection.execute(statement)
            assert store.get(job_id).state == before
        with writing(database) as connection:  # out of the way of the next one
            connection.execute(
                update(ml_jobs).where(ml_jobs.c.state == "queued").values(state="cancelled", finished_at=NOW)
            )


def test_no_column_of_an_ended_job_changes(database: Engine) -> None:
    job_id = in_state(SqlJobStore(database), "succeeded")
    for column in ml_jobs.c:
        with pytest.raises(IntegrityError, match="does not change"), writing(database) as connection:
            connection.execute(update(ml_jobs).where(ml_jobs.c.id == job_id).values({column: column}))


@pytest.mark.parametrize("state", STATES)
def test_only_ended_jobs_are_deleted(state: JobState, database: Engine) -> None:
    job_id = in_state(SqlJobStore(database), state)
    statement = delete(ml_jobs).where(ml_jobs.c.id == job_id)
    if state in TERMINAL:
        with writing(database) as connection:
            connection.execute(statement)
        with reading(database) as connection:
            assert connection.execute(ml_job_events.select()).all() == []
    else:
        with pytest.raises(IntegrityError, match="not deleted"), writing(database) as connection:
            connection.execute(statement)


def test_attempts_only_count_up(database: Engine) -> None:
    job_id = in_state(SqlJobStore(database), "running")
    with pytest.raises(IntegrityError, match="count up"), writing(database) as connection:
        connection.execute(update(ml_jobs).where(ml_jobs.c.id == job_id).values(attempt=0))


def test_rows_that_contradict_themselves_are_refused(database: Engine) -> None:
    job_id = in_state(SqlJobStore(database), "running")
    contradictions: list[dict[str, object]] = [
        {"state": "paused"},
        {"state": "failed", "finished_at": NOW},
        {"state": "failed", "finished_at": NOW, "reason": "bored"},
        {"state": "failed", "reason": "error"},
        {"finished_at": NOW},
        {"reason": "oom"},
        {"owner": None},
        {"max_attempts": 0},
    ]
    for changes in contradictions:
        with pytest.raises(IntegrityError), writing(database) as connection:
            connection.execute(update(ml_jobs).where(ml_jobs.c.id == job_id).values(changes))


def test_event_numbers_are_unique(database: Engine) -> None:
    job_id = in_state(SqlJobStore(database), "running")
    row = {"job_id": job_id, "seq": 1, "attempt": 1, "ts": NOW, "kind": "log", "payload": {}}
    for bad in (row, {**row, "seq": 0}, {**row, "seq": 9, "job_id": "nobody"}):
        with pytest.raises(IntegrityError), writing(database) as connection:
            connection.execute(insert(ml_job_events), [bad])


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """Collect how the database goes about what is asked of it meanwhile."""
    found: list[str] = []
    postgresql = engine.dialect.name == "postgresql"

    def look(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if "ml_jobs" not in statement or statement.startswith(("INSERT", "EXPLAIN")):
            return
        if postgresql:  # a small table is read whole, whatever indexes it has
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {'' if postgresql else 'QUERY PLAN'} {statement}", parameters)
        found.append(str(cursor.fetchall()))

    event.listen(engine, "before_cursor_execute", look)
    yield found
    event.remove(engine, "before_cursor_execute", look)


def test_what_is_asked_all_the_time_uses_an_index(database: Engine) -> None:
    store = SqlJobStore(database)
    store.submit(request())
    with plans(database) as claim:
        (job,) = store.claim("owner-1", limit=1, global_limit=5)
    with plans(database) as renew:
        store.renew("owner-1")
    with plans(database) as leases:
        store.leases()
    with plans(database) as get:
        store.get(job.id)
    with plans(database) as page:
        store.find(limit=5, cursor=f"{10**15}-a")
    assert any("ix_ml_jobs_queued" in plan for plan in claim)
    assert any("ix_ml_jobs_held" in plan for plan in claim)
    for found, index in ((renew, "held"), (leases, "held"), (page, "queued_at_id"), (get, "ml_jobs")):
        assert found
        assert all(
            f"ix_ml_jobs_{index}" in plan or "pk_ml_jobs" in plan or "autoindex" in plan for plan in found
        )
    for plan in (*claim, *page):
        assert "TEMP B-TREE" not in plan, "the index gives the order"
        assert "Sort" not in plan
