"""Which jobs a manager takes, and until when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.config import JobConfig
from onward.errors import JobError, StorageError
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import ENTRIES, living, noted, until
from onward.testing.job_store.ways import running

CONFIG = JobConfig.sealed(concurrency=1, heartbeat_seconds=0.2, grace_seconds=0.3, poll_seconds=0.05)
ECHO = JobKind("echo", ENTRIES["echo"], "echo")
QUICK = JobKind("quick", ENTRIES["quick"], "quick")
NEWER = JobKind("newer", ENTRIES["echo"], "what only the newer server knows", short=True)


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend({**ENTRIES, "newer": ENTRIES["echo"]})
    yield backend
    backend.close()


class Borrowed:
    """A backend that outlives the managers that use it."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def close(self) -> None:
        pass


def managed(
    store: SqlJobStore, backend: LocalBackend, directory: Path, *kinds: JobKind, config: JobConfig = CONFIG
) -> BackgroundTaskManager:
    borrowed: Any = Borrowed(backend)
    return BackgroundTaskManager(store, [borrowed], kinds, config, directory)


def end(store: SqlJobStore, job_id: str) -> Job:
    job: Job = until(lambda: (job := store.get(job_id)).finished_at and job)
    return job


# -- kinds that a server does not know ------------------------------------------------------


def test_a_job_waits_for_a_server_that_knows_its_kind(
    backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = SqlJobStore(database, poll_seconds=0.05)
    with managed(store, backend, tmp_path, ECHO) as old:
        with pytest.raises(JobError, match="no such kind"):
            old.submit("newer", {})
        newer = managed(store, backend, tmp_path, ECHO, NEWER)
        waiting = newer.submit("newer", {}, priority=5).job
        old.start()
        assert end(store, newer.submit("echo", {}).job.id).owner == old.owner, "it goes on with what it knows"
        assert store.get(waiting.id).state == "queued"
        with newer:
            newer.start()
            ended = end(store, waiting.id)
    assert (ended.state, ended.attempt, ended.owner) == ("succeeded", 1, newer.owner)


# -- claims that are under way when a server closes -----------------------------------------


class Slow(SqlJobStore):
    """Takes its time to claim, where the thread of a job that has just ended asks."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, poll_seconds=0.05)
        self.claiming, self.go_on = threading.Event(), threading.Event()
        self.away = False

    def claim(self, owner: str, **asked: Any) -> Any:
        if threading.current_thread().name not in ("job-dispatcher", "MainThread"):
            self.claiming.set()
            assert self.go_on.wait(20)
        return super().claim(owner, **asked)

    def release(self, *given: Any, **named: Any) -> Any:
        if self.away:
            raise StorageError("The database does not answer")
        return super().release(*given, **named)


@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
def test_nothing_is_begun_after_a_server_closed(
    away: bool, backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = Slow(database)
    # The dispatcher looks seldom: it must not be what `close` waits for.
    slowly = JobConfig.sealed(**{**CONFIG.model_dump(), "poll_seconds": 0.4})
    manager = managed(store, backend, tmp_path, QUICK, config=slowly)
    first, second = (manager.submit("quick", {"seconds": 0.1}).job for _ in range(2))
    manager.start()
    try:
        assert store.claiming.wait(20), "the place is free, and its thread asks for more"
        store.away = away
        closing = threading.Thread(target=manager.close, kwargs={"finish_within": 0.0})
        closing.start()
        time.sleep(0.7)
        assert closing.is_alive(), "it waits for what is under way"
    finally:
        store.go_on.set()
    closing.join(20)
    assert not closing.is_alive()
    assert manager.running == 0
    job = store.get(second.id)
    if away:
        assert (job.state, job.started_at, job.owner) == ("starting", None, manager.owner), (
            "its lease runs out"
        )
    else:
        assert (job.state, job.started_at) == ("queued", None)
        assert job.request.max_attempts == first.request.max_attempts + job.attempt, "no attempt was spent"
    assert not (tmp_path / second.id).exists(), "nothing was begun"


# -- claims whose answer got lost -----------------------------------------------------------


class Forgetful(SqlJobStore):
    """Loses the answer to the first claim that got a job."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, poll_seconds=0.05)
        self.lost: list[Job] = []

    def claim(self, owner: str, **asked: Any) -> Any:
        claimed = super().claim(owner, **asked)
        if claimed and not self.lost:
            self.lost = list(claimed)
            raise StorageError("The database broke the connection off")
        return claimed


def test_a_claim_whose_answer_got_lost_spends_no_attempt(
    backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = Forgetful(database)
    with managed(store, backend, tmp_path, ECHO) as manager:
        job = manager.submit("echo", {}, max_attempts=1).job
        manager.start()
        ended = end(store, job.id)
        assert [lost.id for lost in store.lost] == [job.id]
        assert (ended.state, ended.attempt) == ("succeeded", 2), "nobody had worked at the first one"


def test_an_attempt_that_nobody_watches_any_more_was_spent(
    backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = SqlJobStore(database, poll_seconds=0.05)
    with managed(store, backend, tmp_path, ECHO) as manager:
        lease = running(store, manager.owner, max_attempts=1)
        manager.start()
        ended = end(store, lease.job_id)
    assert (ended.state, ended.reason, ended.attempt) == ("failed", "worker_lost", 1)


# -- what cannot be begun -------------------------------------------------------------------


def test_a_directory_that_cannot_be_made_is_a_reason(
    backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = SqlJobStore(database, poll_seconds=0.05)
    with managed(store, backend, tmp_path, ECHO) as manager:
        job = manager.submit("echo", {}).job
        (tmp_path / job.id).write_text("somebody's file")
        manager.start()
        ended = end(store, job.id)
        assert (ended.state, ended.reason, ended.attempt, ended.started_at) == (
            "failed",
            "spawn_failed",
            1,
            None,
        )
        assert ended.error is not None
        assert str(tmp_path / job.id) in ended.error["what"]
        assert "mkdir" in ended.error["traceback"]
        until(lambda: manager.running == 0)  # a moment after the row says so
        assert 'reason="spawn_failed"' in manager.metrics.text().decode()
        assert end(store, manager.submit("echo", {}).job.id).state == "succeeded", "its place is free again"
    assert (tmp_path / job.id).read_text() == "somebody's file"


def test_a_worker_whose_warden_refuses_is_a_reason_with_the_last_words_of_the_log(
    backend: LocalBackend, database: Engine, tmp_path: Path
) -> None:
    store = SqlJobStore(database, poll_seconds=0.05)
    with managed(store, backend, tmp_path, ECHO) as manager:
        job = manager.submit("echo", {}).job
        (tmp_path / job.id / "1" / "warden.json").mkdir(parents=True)  # where the warden leaves its note
        (tmp_path / job.id / "1" / "log.txt").write_text("last words\n")
        manager.start()
        ended = end(store, job.id)
        assert (ended.state, ended.reason, ended.identity) == ("failed", "spawn_failed", None)
        assert ended.error is not None
        assert ended.error["what"] == "the worker of the job could not be started"
        assert ended.error["got"] == "Is a directory"
        assert "disk" in ended.error["remedy"]
        assert "could not be started" in ended.error["traceback"]
        assert ended.error["log"] == "last words\n"
        assert living(noted(tmp_path / job.id)) == []
        assert end(store, manager.submit("echo", {}).job.id).state == "succeeded", "its place is free again"


def test_workers_that_come_from_nowhere_are_a_reason(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onward.jobs.local.backend.sys.executable", "/bin/false")
    store = SqlJobStore(database, poll_seconds=0.05)
    with managed(store, LocalBackend(ENTRIES), tmp_path, ECHO) as manager:
        job = manager.submit("echo", {}).job
        manager.start()
        ended = end(store, job.id)
        assert (ended.state, ended.reason) == ("failed", "spawn_failed")
        assert ended.error is not None
        assert ended.error["got"] == "it ended with exit code 1"
        assert "Traceback" in ended.error["traceback"]
