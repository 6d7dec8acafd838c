"""What jobs count for Prometheus: counted when it is read, seldom, and never an old figure."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.config import JobConfig
from onward.database.moments import utc_now
from onward.errors import StorageError
from onward.jobs import depth
from onward.jobs.depth import COUNT_SECONDS, Depth
from onward.jobs.kinds import JobKind
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.metrics import JobMetrics
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, JobEvent, JobState
from onward.jobs.waiting import waited_seconds
from onward.testing.job_store.ways import attempt, lease_of, request, running

QUEUED = 'onward_jobs{state="queued"}'


class Counter:
    """A database that counts, and a clock."""

    def __init__(self) -> None:
        self.queued, self.asked, self.now, self.away = 0, 0, 0.0, False

    def __call__(self) -> Mapping[JobState, int]:
        self.asked += 1
        if self.away:
            raise StorageError("The database does not answer")
        return {"queued": self.queued}

    def read(self, depth: Depth) -> dict[str, float]:
        (family,) = depth.collect()
        return {sample.labels["state"]: sample.value for sample in family.samples}


def test_a_reader_gets_a_count_of_now() -> None:
    counter = Counter()
    depth = Depth(counter, lambda: counter.now)
    assert counter.asked == 0, "nobody counts for no reader"
    counter.queued = 20
    told = counter.read(depth)
    assert (told["queued"], told["running"], len(told)) == (20, 0, 7)
    counter.queued, counter.now = 3, COUNT_SECONDS - 0.1
    assert counter.read(depth)["queued"] == 20
    assert counter.asked == 1, "not more often, however often it is read"
    counter.now = COUNT_SECONDS
    assert counter.read(depth)["queued"] == 3, "at the first reading, not at the next"


def test_an_old_count_is_no_count() -> None:
    counter = Counter()
    depth = Depth(counter, lambda: counter.now)
    assert counter.read(depth)
    counter.away, counter.now = True, COUNT_SECONDS
    assert counter.read(depth) == {}
    counter.away = False
    assert counter.read(depth)["queued"] == 0, "it is asked again at once"


def test_a_reader_does_not_wait_long_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "PATIENCE_SECONDS", 0.05)
    counter, asked, answer = Counter(), threading.Event(), threading.Event()

    def silent() -> Mapping[JobState, int]:
        asked.set()
        assert answer.wait(20)
        return {"queued": 1}

    slow = Depth(silent)
    first = threading.Thread(target=slow.collect)
    first.start()
    try:
        assert asked.wait(20)
        assert counter.read(slow) == {}
    finally:
        answer.set()
    first.join()
    assert counter.read(slow)["queued"] == 1


def test_a_manager_that_runs_nothing_counts_all_the_same(database: Engine, tmp_path: Path) -> None:
    store = SqlJobStore(database)
    kind = JobKind("train", "nowhere:train", "train")
    manager = BackgroundTaskManager(store, [], [kind], JobConfig.sealed(), tmp_path)
    for _ in range(3):
        manager.submit("train", {})
    text = manager.metrics.text().decode()
    assert f"{QUEUED} 3.0" in text
    assert "onward_jobs_held 0.0" in text
    database.dispose()
    own = manager.metrics.text(counted=False).decode()
    assert QUEUED not in own
    assert "onward_jobs_held 0.0" in own
    assert 'onward_jobs{state="succeeded"} 0.0' in text


def test_without_anybody_to_ask_there_is_no_count() -> None:
    assert "onward_jobs{" not in JobMetrics().text().decode()


# -- how long an attempt waited -------------------------------------------------------------


def waited(store: SqlJobStore, job: Job) -> float | None:
    return waited_seconds(store, job, utc_now())


def test_a_first_attempt_waits_from_its_submit_or_its_moment(database: Engine) -> None:
    past = SqlJobStore(database, clock=lambda: utc_now() - timedelta(seconds=100))
    assert 99 < (waited(past, past.get(running(past).job_id)) or 0) < 105
    job = past.submit(request(1, run_after=utc_now() - timedelta(seconds=40))).job
    assert 39 < (waited(past, job) or 0) < 45
    later = past.submit(request(2, run_after=utc_now() + timedelta(seconds=40))).job
    assert waited(past, later) == 0.0


@pytest.mark.parametrize("spent", [False, True])
def test_a_later_attempt_waits_from_when_it_was_queued_again(spent: bool, database: Engine) -> None:
    now = [utc_now() - timedelta(seconds=1_000)]
    store = SqlJobStore(database, clock=lambda: now[0])
    lease = attempt(store, max_attempts=9)
    for ago in (500, 20):
        now[0] = utc_now() - timedelta(seconds=ago)
        assert store.release(lease, spent=spent) is not None
        now[0] = utc_now()
        (job,) = store.claim("owner-2", limit=1)
        lease = lease_of(job)
        assert ago - 1 < (waited(store, job) or 0) < ago + 5


def test_nobody_knows_while_the_database_is_away(database: Engine) -> None:
    class Away(SqlJobStore):
        def events(self, job_id: str, **_: Any) -> Sequence[JobEvent]:
            raise StorageError("The database does not answer")

    store = Away(database)
    store.release(attempt(store))
    (job,) = store.claim("owner-2", limit=1)
    assert waited(store, job) is None
    JobMetrics().began(job, None)
    store.submit(request(9))
    (first,) = store.claim("owner-3", limit=1)
    assert waited(store, first) is not None, "of a first attempt the row says it"
