"""Short jobs do not wait behind long ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.config.jobs import JobConfig
from onward.database.engine import open_database
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.places import Places, free_places
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import ENTRIES, until

COUNT = st.integers(0, 20)


@pytest.mark.parametrize(
    ("running", "short", "free"),
    [
        (0, 0, (2, 1)),
        (1, 0, (1, 1)),
        (2, 0, (0, 1)),
        (3, 1, (0, 0)),
        (1, 1, (2, 0)),
        (2, 2, (1, 0)),
        (9, 9, (0, 0)),
    ],
)
def test_short_jobs_sit_in_their_own_places_first(running: int, short: int, free: tuple[int, int]) -> None:
    assert free_places(concurrency=2, short_places=1, running=running, short_running=short) == Places(*free)


@given(COUNT, COUNT, COUNT, COUNT)
def test_what_is_free_never_exceeds_the_limits(places: int, short_places: int, long: int, short: int) -> None:
    free = free_places(
        concurrency=places, short_places=short_places, running=long + short, short_running=short
    )
    assert free.any >= 0
    assert free.short >= 0
    # Whoever fills them all, with jobs of whatever kind, stays within the sum.
    if long + short <= places + short_places and long <= places:
        assert long + short + free.any + free.short == places + short_places
    assert long + free.any <= max(places, long)


def test_a_short_job_runs_beside_a_long_one(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    kinds = [JobKind(name, ENTRIES[name], name, short=name == "echo") for name in ("sleep", "echo")]
    config = JobConfig.sealed(concurrency=1, short_places=1, poll_seconds=0.05, grace_seconds=0.3)
    backend = LocalBackend(ENTRIES)
    store = SqlJobStore(engine, poll_seconds=0.05)

    def state(job: Job) -> str:
        return store.get(job.id).state

    try:
        with BackgroundTaskManager(store, [backend], kinds, config, tmp_path / "jobs").start() as manager:
            first = manager.submit("sleep", {}).job
            until(lambda: state(first) == "running")
            second = manager.submit("sleep", {"n": 2}).job
            short = manager.submit("echo", {"x": 1}).job
            until(lambda: state(short) == "succeeded")
            assert state(first) == "running"
            assert state(second) == "queued", "long ones have the other places only"
            for job in (second, first):
                manager.request_stop(job.id)
            until(lambda: state(first) == "cancelled")
    finally:
        backend.close()
        engine.dispose()
