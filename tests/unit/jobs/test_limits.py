"""Which time of an attempt counts, and what happens when its own fence held it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.config import JobConfig
from onward.database import open_database, upgrade
from onward.jobs.kinds import JobKind
from onward.jobs.limits import Clocks, overstepped
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.testing.job_backends import ENTRIES, until
from onward.testing.postgres import PostgresServer, missing

LOG, SUSPENDED = {"type": "log"}, {"type": "suspended"}


def resumed(seconds: float) -> dict[str, object]:
    return {"type": "resumed", "seconds": seconds}


@pytest.mark.parametrize(
    ("clocks", "until_second", "expected"),
    [
        (Clocks(0.0, 5.0), 10.0, None),
        (Clocks(0.0, 9.0), 10.1, "timeout"),
        (Clocks(5.0, 0.0), 5.1, "stalled"),
        (Clocks(0.0, 0.0), 99.0, "timeout"),
        (Clocks(0.0, 0.0, suspended=True), 99.0, None),
        (Clocks(0.0, 0.0).after(LOG, 4.0), 9.0, None),
        (Clocks(0.0, 0.0).after(SUSPENDED, 4.0), 99.0, None),
        (Clocks(0.0, 0.0).after(SUSPENDED, 4.0).after(resumed(50.0), 54.0), 55.0, None),
        (Clocks(0.0, 0.0).after(SUSPENDED, 4.0).after(resumed(50.0), 54.0), 55.1, "stalled"),
        (Clocks(0.0, 0.0).after(SUSPENDED, 4.0).after(resumed(50.0), 54.0).after(LOG, 58.0), 60.1, "timeout"),
    ],
)
def test_only_time_in_which_the_worker_could_work_counts(
    clocks: Clocks, until_second: float, expected: str | None
) -> None:
    assert overstepped(clocks, until_second, timeout_seconds=10.0, stall_seconds=5.0) == expected


def test_no_clock_is_put_ahead_by_what_lay_before_it() -> None:
    """Suspended before it began, or heard after it was suspended: that part is not taken off twice."""
    assert Clocks(100.0, 100.0).after(resumed(50.0), 101.0) == Clocks(101.0, 101.0)
    assert Clocks(0.0, 0.0).after(SUSPENDED, 60.0).after(LOG, 60.0).after(resumed(50.0), 61.0) == Clocks(
        50.0, 61.0
    )
    assert overstepped(Clocks(0.0, 0.0), 1e9, timeout_seconds=None, stall_seconds=None) is None


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with PostgresServer() as server:
        yield server


def test_an_outage_beyond_the_fence_ends_no_job_by_its_limits(server: PostgresServer, tmp_path: Path) -> None:
    config = JobConfig.sealed(
        heartbeat_seconds=0.1,
        fence_seconds=0.8,
        lease_seconds=60.0,
        poll_seconds=0.05,
        stall_seconds=3.0,
        progress_seconds=0.05,
    )
    engine = open_database(server.url())
    upgrade(engine)
    backend = LocalBackend(ENTRIES, fence_seconds=config.fence_seconds)
    kinds = [JobKind("quick", ENTRIES["quick"], "quick")]
    with BackgroundTaskManager(SqlJobStore(engine), [backend], kinds, config, tmp_path) as manager:
        manager.start()
        job = manager.submit("quick", {"seconds": 2.0}, timeout_seconds=4.0).job
        until(lambda: manager.store.get(job.id).state == "running")
        server.stop("immediate")
        time.sleep(5.0)
        server.start()
        ended = until(lambda: (found := manager.store.get(job.id)).finished_at and found)
        assert (ended.state, ended.attempt) == ("succeeded", 1)
        told = [event.payload for event in manager.store.events(job.id) if event.kind == "log"]
        assert any("counts towards no limit" in str(one.get("text")) for one in told)
    engine.dispose()
