"""Which clock decides what: due jobs go by the given one, leases by none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from onward.errors import UserError
from onward.jobs.store import SqlJobStore
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


def test_a_job_is_due_to_the_microsecond(store: SqlJobStore, clock: Clock) -> None:
    job = store.submit(request(run_after=NOON + timedelta(hours=1))).job
    assert job.queued_at == NOON
    clock.now = NOON + timedelta(hours=1, microseconds=-1)
    assert list(store.claim("owner-1", limit=1)) == []
    clock.now = NOON + timedelta(hours=1)
    (claimed,) = store.claim("owner-1", limit=1)
    assert claimed.heartbeat_at == clock.now


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
