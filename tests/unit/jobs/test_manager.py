"""The manager at work: what it refuses, what it runs, how it ends, on a real database with real processes."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from onward.config import JobConfig
from onward.database import open_database
from onward.errors import ConfigError, JobConflictError, JobError, JobNotFoundError
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.presence import Presence
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import ENTRIES, living, noted, until

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
KINDS = [JobKind(name, entry, name) for name, entry in ENTRIES.items()]
CONFIG = JobConfig.sealed(
    concurrency=2,
    heartbeat_seconds=0.2,
    fence_seconds=20.0,
    lease_seconds=30.0,
    grace_seconds=0.3,
    progress_seconds=0.05,
    memory_sample_seconds=0.1,
    max_request_bytes=2_000,
    poll_seconds=0.05,
)


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES)
    backend.warm()
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


@pytest.fixture
def manager(backend: LocalBackend, sqlite_template: Path, tmp_path: Path) -> Iterator[BackgroundTaskManager]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    store = SqlJobStore(engine, poll_seconds=0.05)
    borrowed: Any = Borrowed(backend)
    with BackgroundTaskManager(store, [borrowed], KINDS, CONFIG, tmp_path / "jobs") as manager:
        yield manager
        manager.close(finish_within=0.0)
    engine.dispose()


def end(manager: BackgroundTaskManager, job_id: str) -> Job:
    job: Job = until(lambda: (job := manager.store.get(job_id)).finished_at and job)
    return job


def run(manager: BackgroundTaskManager, kind: str, spec: dict[str, Any] | None = None, **more: Any) -> Job:
    return end(manager, manager.submit(kind, spec or {}, **more).job.id)


def test_the_second_job_of_a_kind_is_foretold_by_the_first(manager: BackgroundTaskManager) -> None:
    kind = JobKind("publish", ENTRIES["publish"], "publish", likeness=lambda spec: (repr(spec),))
    manager.kinds = {"publish": kind}
    manager.start()
    spec = {"seconds": 0.6}
    told = []
    for _ in range(2):
        job = run(manager, "publish", spec)
        (event,) = manager.store.events(job.id, kinds=("progress",))
        told.append(event.payload["job_eta_seconds"])
    assert told[0] is None
    assert 0.4 <= told[1] <= 60.0


# -- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "spec", "more", "said"),
    [
        ("ecko", {}, {}, "Did you mean echo"),
        ("echo", {"x": {1, 2}}, {}, "plain JSON"),
        ("echo", {"x": float("nan")}, {}, "plain JSON"),
        ("echo", {"x": "y" * 3_000}, {}, "too large"),
        ("echo", {}, {"max_attempts": 0}, "max_attempts"),
        ("echo", {}, {"priority": 10**7}, "priority"),
        ("echo", {}, {"timeout_seconds": -1.0}, "timeout_seconds"),
        ("echo", {}, {"memory_limit_mb": 1}, "memory_limit_mb"),
        ("echo", {}, {"idempotency_key": ""}, "idempotency_key"),
        ("echo", {}, {"tenant": ""}, "tenant"),
    ],
)
def test_what_cannot_run_is_refused_at_submit(
    manager: BackgroundTaskManager, kind: str, spec: Any, more: Any, said: str
) -> None:
    with pytest.raises(JobError, match=said):
        manager.submit(kind, spec, **more)
    assert sum(manager.store.counts().values()) == 0


def test_a_key_with_another_request_is_refused(manager: BackgroundTaskManager) -> None:
    first = manager.submit("echo", {"x": 1}, idempotency_key="k")
    again = manager.submit("echo", {"x": 1}, idempotency_key="k")
    assert (first.job.id, first.created, again.created) == (again.job.id, True, False)
    with pytest.raises(JobConflictError):
        manager.submit("echo", {"x": 2}, idempotency_key="k")


def test_a_repeated_key_is_answered_without_preparing_again(
    manager: BackgroundTaskManager,
) -> None:
    prepared = []

    def prepare(spec: Any) -> Any:
        prepared.append(spec)
        return {**spec, "filled": len(prepared)}  # otherwise each time, as settings and files are

    manager.kinds = {"echo": JobKind("echo", ENTRIES["echo"], "echo", prepare=prepare)}
    first = manager.submit("echo", {"x": 1}, idempotency_key="k", run_after=NOON)
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    again = manager.submit("echo", {"x": 1}, idempotency_key="k", run_after=tokyo)
    assert (again.created, again.job) == (False, first.job)
    assert len(prepared) == 1
    for other in ({"run_after": NOON, "priority": 1}, {"run_after": NOON, "max_attempts": 7}, {}):
        with pytest.raises(JobConflictError):
            manager.submit("echo", {"x": 1}, idempotency_key="k", **other)
    assert len(prepared) == 1
    assert manager.submit("echo", {"x": 1}, idempotency_key="k", run_after=NOON, tenant="t").created


def test_submits_at_once_with_one_key_make_one_job(manager: BackgroundTaskManager) -> None:
    barrier = threading.Barrier(8)

    def prepare(spec: Any) -> Any:
        time.sleep(0.02)
        return {**spec, "thread": threading.get_ident()}

    def submit(_: int) -> Any:
        barrier.wait()
        return manager.submit("echo", {"x": 1}, idempotency_key="k")

    manager.kinds = {"echo": JobKind("echo", ENTRIES["echo"], "echo", prepare=prepare)}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(submit, range(8)))
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1


def test_unknown_and_ended_jobs(manager: BackgroundTaskManager) -> None:
    with pytest.raises(JobNotFoundError):
        manager.request_stop("0" * 16)
    job_id = manager.submit("echo", {}).job.id
    with pytest.raises(JobError, match="has ended"):
        manager.retry(job_id)
    assert manager.request_stop(job_id).accepted
    reply = manager.request_stop(job_id)
    assert (reply.accepted, reply.job.state) == (False, "cancelled")


def test_a_fence_that_closes_too_late_is_refused() -> None:
    with pytest.raises(ConfigError, match="fence"):
        JobConfig.sealed(heartbeat_seconds=2.0, fence_seconds=60.0, lease_seconds=60.0)


# -- endings --------------------------------------------------------------------------------


def test_a_job_succeeds_with_its_events(manager: BackgroundTaskManager) -> None:
    manager.start()
    job = run(manager, "echo", {"x": 1})
    assert (job.state, job.result, job.attempt) == ("succeeded", {"x": 1}, 1)
    events = manager.store.events(job.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {"score", "stage", "progress", "log", "state"} == {event.kind for event in events}


@pytest.mark.parametrize(
    ("kind", "spec", "more", "reason"),
    [
        ("fail", {}, {}, "error"),
        ("die", {"code": 3}, {}, "error"),
        ("die", {"signal": 11}, {}, "error"),
        ("die", {"signal": 9}, {"max_attempts": 1}, "worker_lost"),
        ("sleep", {}, {"timeout_seconds": 0.3}, "timeout"),
        ("grow", {}, {"memory_limit_mb": 200}, "oom"),
        ("garble", {}, {}, "error"),
    ],
)
def test_a_job_fails_for_its_reason(
    manager: BackgroundTaskManager, kind: str, spec: Any, more: Any, reason: str
) -> None:
    manager.start()
    job = run(manager, kind, spec, **more)
    assert (job.state, job.reason, job.attempt) == ("failed", reason, 1)
    assert job.error is not None
    assert job.error["what"]
    assert living(noted(manager._directory / job.id)) == []
    until(lambda: not (manager._directory / job.id / "1" / "work").exists())


def test_silence_is_a_reason_when_it_is_limited(manager: BackgroundTaskManager) -> None:
    changed = CONFIG.model_copy(update={"stall_seconds": 0.3})
    object.__setattr__(manager._in, "config", changed)
    manager.start()
    job = run(manager, "sleep")
    assert (job.state, job.reason) == ("failed", "stalled")


def test_a_lost_worker_is_tried_again(manager: BackgroundTaskManager) -> None:
    manager.start()
    job = run(manager, "die", {"signal": 9}, max_attempts=3)
    assert (job.state, job.reason, job.attempt) == ("failed", "worker_lost", 3)


def test_others_see_a_manager_from_its_start_until_it_begins_to_close(
    manager: BackgroundTaskManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, seen = Presence(tmp_path / "jobs", ""), []
    assert not others.anybody()
    manager.start()
    assert others.anybody()
    dispatcher = manager._dispatcher
    join = dispatcher.join
    monkeypatch.setattr(dispatcher, "join", lambda: (seen.append(others.anybody()), join()))
    manager.close()
    assert seen == [False], "it claims nothing more, so nobody is to count on it"


def test_a_retry_is_a_new_job(manager: BackgroundTaskManager) -> None:
    manager.start()
    first = run(manager, "fail", idempotency_key="k")
    second = manager.retry(first.id).job
    assert (second.id != first.id, second.retry_of) == (True, first.id)
    assert end(manager, second.id).reason == "error"


def test_a_retry_with_a_key_is_one_job_however_often_it_is_sent(manager: BackgroundTaskManager) -> None:
    first, other = (manager.submit("quick", {"n": n}).job.id for n in range(2))
    for job_id in (first, other):
        manager.request_stop(job_id)
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: manager.retry(first, idempotency_key="again"), range(4)))
    assert len({one.job.id for one in sent}) == 1
    assert sorted(one.created for one in sent) == [False, False, False, True]
    for elsewise in (
        lambda: manager.retry(other, idempotency_key="again"),
        lambda: manager.retry(first, idempotency_key="again", fresh=True),
        lambda: manager.retry(first, idempotency_key="again", max_attempts=7),
        lambda: manager.submit("quick", {"n": 0}, idempotency_key="again"),
    ):
        with pytest.raises(JobConflictError):
            elsewise()
    made = sent[0].job.id
    manager.request_stop(made)
    manager.delete(made)
    remembered = manager.retry(first, idempotency_key="again")
    assert (remembered.job.id, remembered.created) == (made, False)
    assert manager.retry(first).job.id != manager.retry(first).job.id


def test_a_retry_takes_over_what_a_failed_job_had_finished_unless_it_is_fresh(
    manager: BackgroundTaskManager,
) -> None:
    manager.start()
    first = run(manager, "fail")
    (manager._directory / first.id / "shared" / "fold-1").write_text("finished")
    fresh = manager.retry(first.id, fresh=True, max_attempts=5, memory_limit_mb=700).job
    assert (fresh.fresh, fresh.request.max_attempts, fresh.request.memory_limit_mb) == (True, 5, 700)
    end(manager, fresh.id)
    assert not (manager._directory / fresh.id / "shared" / "fold-1").exists()
    later = manager.retry(first.id, run_after=datetime(2100, 1, 1, tzinfo=UTC)).job
    assert (later.state, later.request.run_after) == ("queued", datetime(2100, 1, 1, tzinfo=UTC))
    again = manager.retry(first.id).job
    assert again.request.max_attempts == first.request.max_attempts
    end(manager, again.id)
    assert (manager._directory / again.id / "shared" / "fold-1").read_text() == "finished"


def test_what_has_not_ended_cannot_be_tried_again_and_says_what_to_do(
    manager: BackgroundTaskManager,
) -> None:
    queued = manager.submit("sleep", {}).job.id
    with pytest.raises(JobError, match="onward worker"):
        manager.retry(queued)
    manager.request_stop(queued)
    with pytest.raises(JobError, match="max_attempts"):
        manager.retry(queued, max_attempts=0)
    manager.start()
    running = manager.submit("sleep", {}).job.id
    until(lambda: manager.store.get(running).state == "running")
    with pytest.raises(JobError, match=f"onward jobs stop {running}"):
        manager.retry(running)


def test_urgent_jobs_come_first(manager: BackgroundTaskManager) -> None:
    ids = [manager.submit("quick", {"n": n}, priority=n).job.id for n in range(6)]
    manager.start()
    began = [end(manager, job_id).started_at for job_id in ids]
    assert began[5] is not None
    assert began[0] is not None
    assert began[5] < began[0]


def test_a_stop_frees_the_place(manager: BackgroundTaskManager) -> None:
    manager.start()
    ids = [manager.submit("sleep", {}).job.id for _ in range(3)]
    until(lambda: sum(manager.store.get(job_id).state == "running" for job_id in ids) == 2)
    assert manager.store.get(ids[2]).state == "queued"
    manager.request_stop(ids[0])
    assert end(manager, ids[0]).state == "cancelled"
    until(lambda: manager.store.get(ids[2]).state == "running")
    assert living(noted(manager._directory / ids[0])) == []


# -- closing --------------------------------------------------------------------------------


def test_closing_gives_back_what_did_not_finish(manager: BackgroundTaskManager) -> None:
    manager.start()
    long, short = manager.submit("sleep", {}).job.id, manager.submit("quick", {"seconds": 0.5}).job.id
    until(lambda: manager.store.counts()["running"] == 2)
    pids = until(lambda: noted(manager._directory / long))
    closing = threading.Timer(0.0, manager.close, kwargs={"finish_within": 3600.0})
    closing.start()
    until(lambda: manager.store.get(short).finished_at)  # what finishes is waited for
    assert closing.is_alive()
    manager.hurry()  # and what does not is not
    closing.join()
    assert manager.store.get(short).state == "succeeded"
    job = manager.store.get(long)
    assert (job.state, job.owner, job.request.max_attempts) == ("queued", None, 3)
    assert living(pids) == []


def test_closing_does_not_wait_for_a_database_that_is_away(manager: BackgroundTaskManager) -> None:
    from onward.errors import StorageError

    class Away:
        def __getattr__(self, name: str) -> Any:
            def away(*arguments: Any, **named: Any) -> Any:
                raise StorageError("away")

            return away

    manager.start()
    job_id = manager.submit("sleep", {}).job.id
    pids = until(lambda: noted(manager._directory / job_id))
    store = manager.store
    config = manager._config.model_copy(update={"unkillable_seconds": 0.5})
    manager._config = config
    object.__setattr__(manager._in, "store", Away())
    began = time.monotonic()
    manager.close(finish_within=0.0)
    assert time.monotonic() - began < 60.0
    assert living(pids) == []
    assert store.get(job_id).state in ("running", "stopping"), "whoever watches takes it over"


# -- what the database does to it -----------------------------------------------------------


def test_a_claim_whose_answer_is_lost_is_given_back(manager: BackgroundTaskManager) -> None:
    submitted = manager.submit("echo", {})
    assert [job.id for job in manager.store.claim(manager.owner, limit=1)] == [submitted.job.id]
    manager.start()  # knows nothing of it, and renews it all the same
    ended = end(manager, submitted.job.id)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
