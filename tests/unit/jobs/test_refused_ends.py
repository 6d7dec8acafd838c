"""What the database never takes ends a job, and says why; what it does not take now is written later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from onward.config import JobConfig
from onward.errors import JobError, StorageError, StorageRefusedError
from onward.jobs.kinds import JobKind, Publication
from onward.jobs.local import LocalBackend
from onward.jobs.logs import job_logger
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.metrics import JobMetrics
from onward.jobs.settlement import Settlement, Surroundings
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, Lease, Outcome
from onward.tasks.asking import patient
from onward.testing.job_backends import ENTRIES, until
from onward.testing.job_store.ways import running

CONFIG = JobConfig.sealed(
    concurrency=2, heartbeat_seconds=0.2, progress_seconds=0.05, poll_seconds=0.05, retry_seconds=0.01
)
TOO_BIG = {"sqlite": "SELECT zeroblob(2000000000)", "postgresql": "SELECT CAST('x' AS integer)"}
CONSTRAINED = "INSERT INTO model_versions (model, version) VALUES ('m', 1)"
SAID = {"sqlite": "too big", "postgresql": "invalid input syntax"}


# -- through a manager ----------------------------------------------------------------------


@pytest.fixture
def manager(database: Engine, tmp_path: Path) -> Iterator[BackgroundTaskManager]:
    def refused(name: str, statement: str, **values: str) -> JobKind:
        def on_commit(connection: Connection) -> None:
            connection.execute(text(statement), values)

        def publish(job: Job, *_: object) -> Publication:
            abandoned = tmp_path / f"{job.id}.abandoned"
            return Publication(on_commit, abandon=abandoned.touch)

        return JobKind(name, ENTRIES["echo"], name, publish=publish)

    kinds = [
        refused("data", TOO_BIG[database.dialect.name]),
        refused("statement", "SELECT absent FROM ml_jobs"),
        refused("constraint", CONSTRAINED),
        JobKind("echo", ENTRIES["echo"], "echo"),
    ]
    if database.dialect.name == "postgresql":
        kinds.append(refused("nul", "SELECT CAST(:words AS text)", words="a\x00b"))
    store = SqlJobStore(database, poll_seconds=0.05)
    entries = {kind.name: kind.entry for kind in kinds}
    with BackgroundTaskManager(store, [LocalBackend(entries)], kinds, CONFIG, tmp_path / "jobs") as manager:
        yield manager


def _end(manager: BackgroundTaskManager, job_id: str) -> Job:
    job: Job = until(lambda: (job := manager.store.get(job_id)).finished_at and job)
    return job


def test_what_is_refused_for_good_fails_the_job_alone(
    manager: BackgroundTaskManager, database: Engine, tmp_path: Path
) -> None:
    manager.start()
    jobs = {kind: manager.submit(kind, {}).job.id for kind in manager.kinds}
    ends = {kind: _end(manager, job_id) for kind, job_id in jobs.items()}
    assert ends.pop("echo").state == "succeeded"
    said = {
        "data": SAID[database.dialect.name],
        "statement": "absent",
        "constraint": "constraint",
        "nul": "NUL",
    }
    for kind, job in ends.items():
        assert (job.state, job.reason, job.attempt, job.result) == ("failed", "error", 1, None)
        assert job.error is not None
        assert said[kind] in f"{job.error['what']} {job.error.get('got')}", "it says what was refused"
        assert (tmp_path / f"{job.id}.abandoned").exists()


# -- one end at a time ----------------------------------------------------------------------


class Refusing(SqlJobStore):
    """Refuses the first writes of a verb, each with the next of some errors."""

    def __init__(self, engine: Engine, verb: str, *errors: Exception) -> None:
        super().__init__(engine)
        self._verb, self._errors = verb, list(errors)

    def _perhaps(self, verb: str) -> None:
        if verb == self._verb and self._errors:
            raise self._errors.pop(0)

    def finish(self, lease: Lease, outcome: Outcome, **more: Any) -> bool:
        self._perhaps("finish")
        return super().finish(lease, outcome, **more)

    def report(self, lease: Lease, events: Any) -> bool:
        self._perhaps("report")
        return super().report(lease, events)

    def get(self, job_id: str) -> Job:
        self._perhaps("get")
        return super().get(job_id)

    def release(self, lease: Lease, *, spent: bool = True) -> Job | None:
        self._perhaps("release")
        return super().release(lease, spent=spent)


REFUSED = StorageRefusedError("It will not", got="a word")
AWAY = StorageError("It is away")


def settled(
    engine: Engine,
    verb: str,
    *errors: Exception,
    publish: Any = None,
    lost: threading.Event | None = None,
    config: JobConfig = CONFIG,
) -> tuple[Settlement, Refusing, Lease]:
    store = Refusing(engine, verb, *errors)
    lease = running(store)
    log = job_logger(Path("/dev/null").open("w"))  # noqa: SIM115
    surroundings = Surroundings(store, config, JobMetrics(), log)
    kind = JobKind("train", "nowhere:train", "train")
    if publish is not None:
        kind = replace(kind, publish=publish)
    return Settlement(lease, kind, surroundings, log, lost or threading.Event()), store, lease


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        (Outcome("succeeded", result={"word": "a"}), ("failed", "error")),
        (Outcome("failed", "oom", error={"what": "a word"}), ("failed", "oom")),
        (Outcome("cancelled"), ("cancelled", None)),
    ],
)
@pytest.mark.parametrize(
    "errors", [[REFUSED], [AWAY, REFUSED, AWAY], [REFUSED, REFUSED, REFUSED]], ids=["once", "between", "long"]
)
def test_an_end_whose_words_are_refused_is_written_without_them(
    outcome: Outcome, ends: tuple[str, str | None], errors: list[Exception], database: Engine
) -> None:
    one, store, lease = settled(database, "finish", *errors)
    one.end(outcome)
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.result) == (*ends, None)
    if job.state == "failed":
        assert job.error is not None
        assert (job.error["what"], job.error["got"]) == ("It will not", "a word")


def test_a_database_that_is_away_is_waited_for(database: Engine) -> None:
    one, store, lease = settled(database, "finish", *[AWAY] * 20)
    one.end(Outcome("succeeded", result={"word": "a"}))
    assert store.get(lease.job_id).state == "succeeded"


class Preparing:
    """A kind's ``publish`` that reads the database: it raises some errors before it comes to an end."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.published: list[Job] = []
        self.asked = threading.Event()

    def __call__(self, job: Job, manifest: Any, directory: Path) -> Publication:
        self.asked.set()
        if self._errors:
            raise self._errors.pop(0)
        return Publication(lambda _: self.published.append(job))


@pytest.mark.parametrize("verb", ["publish", "get", "finish"])
def test_a_database_that_is_away_is_waited_for_while_publishing(
    verb: str, database: Engine, tmp_path: Path
) -> None:
    away = [AWAY] * 20
    preparing = Preparing(*(away if verb == "publish" else ()))
    one, store, lease = settled(database, verb, *away, publish=preparing)
    one.publish({"word": "a"}, tmp_path)
    job = store.get(lease.job_id)
    assert (job.state, job.result, len(preparing.published)) == ("succeeded", {"word": "a"}, 1)


@pytest.mark.parametrize("error", [REFUSED, JobError("It will not", got="a word")])
def test_what_is_refused_while_preparing_fails_at_once(
    error: Exception, database: Engine, tmp_path: Path
) -> None:
    one, store, lease = settled(database, "none", publish=Preparing(AWAY, error))
    one.publish({}, tmp_path)
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.error and job.error["what"]) == ("failed", "error", "It will not")


def test_nobody_waits_for_a_database_once_the_attempt_is_lost(database: Engine, tmp_path: Path) -> None:
    patient = JobConfig.sealed(retry_seconds=60.0)
    lost, preparing = threading.Event(), Preparing(*[AWAY] * 20)
    one, store, lease = settled(database, "none", publish=preparing, lost=lost, config=patient)
    publishing = threading.Thread(target=one.publish, args=({}, tmp_path), daemon=True)
    publishing.start()
    assert preparing.asked.wait(20)
    assert publishing.is_alive()
    lost.set()
    publishing.join(20)
    assert not publishing.is_alive()
    assert (store.get(lease.job_id).state, preparing.published) == ("running", [])


def test_the_end_of_a_supervisor_that_failed_waits_for_the_database(database: Engine) -> None:
    one, store, lease = settled(database, "finish", *[AWAY] * 20)
    one.collapse(RuntimeError("a bug"), "where")
    job = store.get(lease.job_id)
    assert (job.state, job.reason) == ("failed", "error")
    assert job.error is not None
    assert job.error["traceback"] == "where"


def test_a_supervisor_that_failed_for_want_of_a_database_gives_the_job_back(database: Engine) -> None:
    one, store, lease = settled(database, "release", *[AWAY] * 20)
    one.collapse(AWAY, "where")
    job = store.get(lease.job_id)
    assert (job.state, job.attempt, job.owner) == ("queued", 1, None)
    assert job.request.max_attempts == 2, "it may have worked: the attempt counts"


def test_an_event_that_is_refused_is_left_out(database: Engine) -> None:
    one, store, lease = settled(database, "report", REFUSED)
    one.keep([("log", {"text": "x"})])
    one.keep([("log", {"text": "y"})])
    one.end(Outcome("succeeded"))
    assert [event.payload["text"] for event in store.events(lease.job_id, kinds=("log",))] == ["y"]
    assert store.get(lease.job_id).state == "succeeded"


def test_a_worker_is_told_what_it_can_never_be_told() -> None:
    def answer(error: Exception) -> Any:
        def say(*_: object) -> Any:
            raise error

        return patient(say)(None, "which", {})  # type: ignore[arg-type]

    assert set(answer(AWAY)) == {"again_in"}
    for error in (REFUSED, JobError("no")):
        with pytest.raises(type(error)):
            answer(error)
