"""Which clock decides what: due jobs go by the given one, leases by none."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from onward.database import open_database, reading
from onward.database.moments import moment_in, utc_now
from onward.errors import UserError
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_store.ways import IDENTITY, SUCCESS, current, lease_of, request, running

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Engine, clock: Clock) -> SqlJobStore:
    return SqlJobStore(database, clock=clock, keep=timedelta(days=30))


def test_a_job_is_due_to_the_microsecond(tmp_path: Path, sqlite_template: Path, clock: Clock) -> None:
    """On SQLite; PostgreSQL has a clock of its own, which nobody sets."""
    engine = open_database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'onward.db')}")
    store = SqlJobStore(engine, clock=clock)
    job = store.submit(request(run_after=NOON + timedelta(hours=1))).job
    assert job.queued_at == NOON
    clock.now = NOON + timedelta(hours=1, microseconds=-1)
    assert list(store.claim("owner-1", limit=1)) == []
    clock.now = NOON + timedelta(hours=1)
    (claimed,) = store.claim("owner-1", limit=1)
    assert claimed.heartbeat_at == clock.now
    engine.dispose()


@pytest.mark.parametrize("hours", [-1, 1, -20_000])
def test_who_is_behind_takes_jobs_at_once(hours: int, store: SqlJobStore, clock: Clock) -> None:
    lease = lease_of(submitted_and_claimed(store, clock, hours))
    assert store.started(lease, IDENTITY)
    assert store.release(lease) is not None
    clock.now = NOON + timedelta(hours=2 * hours)
    (again,) = store.claim("owner-1", limit=1)
    assert (again.attempt, again.request.run_after) == (2, None), "nor does a second attempt wait"


def submitted_and_claimed(store: SqlJobStore, clock: Clock, hours: int) -> Job:
    """Submit a job, and take it where it is some hours later or earlier."""
    store.submit(request())
    clock.now = NOON + timedelta(hours=hours)
    (job,) = store.claim("owner-1", limit=1)
    return job


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_postgresql_says_when_a_moment_has_come(hours: int, emptied_postgres: str) -> None:
    engine = open_database(emptied_postgres)
    wrong = SqlJobStore(engine, clock=lambda: utc_now() + timedelta(hours=hours))
    wrong.submit(request(0, run_after=utc_now() + timedelta(minutes=30)))
    due = wrong.submit(request(1, run_after=utc_now() - timedelta(seconds=1))).job
    assert [job.id for job in wrong.claim("owner-1", limit=2)] == [due.id]
    engine.dispose()


def test_moments_in_a_database_are_its_own(database: Engine) -> None:
    with reading(database) as connection:
        here = utc_now()
        told = connection.scalar(select(moment_in(connection, here)))
    assert told is not None
    if database.dialect.name == "sqlite":
        assert told == here
    else:  # the same machine, in these tests
        assert told.tzinfo is not None
        assert abs(told - here) < timedelta(seconds=5)


def test_rows_carry_the_moments_of_their_steps(store: SqlJobStore, clock: Clock) -> None:
    store.submit(request())
    lease = lease_of(store.claim("owner-1", limit=1)[0])
    clock.now = NOON + timedelta(minutes=1)
    store.started(lease, IDENTITY)
    clock.now = NOON + timedelta(minutes=2)
    store.report(lease, [("progress", {"done": 1})])
    clock.now = NOON + timedelta(minutes=3)
    store.renew("owner-1")
    clock.now = NOON + timedelta(minutes=4)
    assert store.finish(lease, SUCCESS)
    job = store.get(lease.job_id)
    assert job.started_at == NOON + timedelta(minutes=1)
    assert job.progress_at == NOON + timedelta(minutes=2)
    assert job.heartbeat_at == NOON + timedelta(minutes=3)
    assert job.finished_at == NOON + timedelta(minutes=4)
    assert job.expires_at == job.finished_at + timedelta(days=30)
    minutes = [(event.at - NOON) / timedelta(minutes=1) for event in store.events(job.id)]
    assert minutes == [0, 0, 1, 2, 4]


@pytest.mark.parametrize("hours", [-1, 1, -20_000])
def test_a_clock_that_jumps_takes_nobodys_job(hours: int, store: SqlJobStore, clock: Clock) -> None:
    lease = running(store)
    clock.now = NOON + timedelta(hours=hours)
    assert store.renew("owner-1").held == {lease.job_id: 1}
    assert store.report(lease, [("log", {"text": "x"})])
    assert store.reap(lease) is None, "a heartbeat came, whatever time it shows"
    assert current(store, lease.job_id).beat == 1
    assert store.finish(lease, SUCCESS)
    assert [event.seq for event in store.events(lease.job_id)] == [1, 2, 3, 4, 5]


def test_pruning_goes_by_the_moment_that_is_given(store: SqlJobStore, clock: Clock) -> None:
    for day in range(3):
        clock.now = NOON + timedelta(days=day)
        store.finish(running(store), SUCCESS)
    assert store.prune(before=NOON) == 0
    assert store.prune(before=NOON + timedelta(days=1)) == 1
    assert store.prune(before=NOON + timedelta(days=1, microseconds=1)) == 1
    assert store.counts()["succeeded"] == 1
    with pytest.raises(UserError, match="time zone"):
        store.prune(before=datetime(2027, 1, 1))
