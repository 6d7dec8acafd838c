"""What worker and supervisor cannot tell each other is said, and nobody waits for ever; real processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.config import JobConfig
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.messages import LONGEST_TEXT
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import ENTRIES, begun, ended, until

CONFIG = JobConfig.sealed(concurrency=2, heartbeat_seconds=0.2, progress_seconds=0.05, poll_seconds=0.05)
CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)
ANSWERS: Mapping[int, Any] = {1: "x" * 5_000_000, 2: {1, 2}, 3: {(1, 2): 3}, 4: date(2030, 1, 1), 5: CIRCULAR}


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES, fence_seconds=600.0)
    backend.warm()
    yield backend
    backend.close()


@pytest.fixture
def manager(database: Engine, tmp_path: Path) -> Iterator[BackgroundTaskManager]:
    def answer(job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
        return ANSWERS[arguments["number"]]

    kinds = [
        JobKind("ask", ENTRIES["ask"], "ask", answer=answer),
        *(JobKind(name, ENTRIES[name], name) for name in ("shout", "oversize")),
    ]
    store = SqlJobStore(database, poll_seconds=0.05)
    with BackgroundTaskManager(store, [LocalBackend(ENTRIES)], kinds, CONFIG, tmp_path) as manager:
        manager.start()
        yield manager


def run(manager: BackgroundTaskManager, kind: str, **spec: Any) -> Job:
    job_id = manager.submit(kind, spec).job.id
    job: Job = until(lambda: (job := manager.store.get(job_id)).finished_at and job)
    return job


def test_an_answer_that_cannot_be_given_is_an_error_of_whoever_asked(manager: BackgroundTaskManager) -> None:
    for number in ANSWERS:
        job = run(manager, "ask", number=number)
        assert (job.state, job.reason, job.attempt) == ("failed", "error", 1), number
        assert job.error is not None
        assert ("too long" if number == 1 else "no plain JSON") in job.error["what"]
        assert {"got", "allowed", "remedy", "traceback"} <= set(job.error)
    long = run(manager, "ask", number=1).error
    assert long is not None
    assert (long["got"], long["allowed"]) == ("5,000,036 bytes", "at most 4,000,000 bytes")


def test_what_a_worker_says_at_too_great_a_length_is_cut_or_refused(manager: BackgroundTaskManager) -> None:
    job = run(manager, "shout", where="log")
    assert job.state == "succeeded"
    (event,) = manager.store.events(job.id, kinds=("log",))
    assert len(event.payload["text"]) == LONGEST_TEXT
    assert event.payload["text"].endswith("(5,000,000 characters)")

    assert run(manager, "shout", where="progress").state == "succeeded"

    job = run(manager, "shout", where="figures")
    assert job.state == "succeeded", "figures that nobody can take do not end a training"
    (event,) = manager.store.events(job.id, kinds=("log",))
    assert "5,000 figures of work are left out" in event.payload["text"]
    assert "4,000,000 bytes" in event.payload["text"]

    for kind, spec in (("shout", {"where": "ask"}), ("oversize", {})):
        error = run(manager, kind, **spec).error
        assert error is not None
        assert "too long" in error["what"]
        assert "file in the job's directory" in error["remedy"]

    error = run(manager, "shout", where="error").error
    assert error is not None
    assert (error["error"], len(error["what"])) == ("ValueError", LONGEST_TEXT)
    assert error["traceback"].startswith("...")


@pytest.mark.parametrize(
    "junk", [b"nonsense\n", b'{"type":"answer"}\n', b"x" * 4_000_001 + b"\n", b"\xff\n"], ids=range(4)
)
def test_a_worker_that_is_told_what_is_no_message_says_so_and_ends(
    junk: bytes, backend: LocalBackend, tmp_path: Path
) -> None:
    with begun(backend, "ask", {"number": 7}, tmp_path) as attempt:
        until(lambda: list(attempt.receive(0.1)))
        attempt._worker._waiting += junk  # type: ignore[attr-defined]
        messages, ending = ended(attempt, 60.0)
        assert [message["type"] for message in messages] == ["error"]
        assert "no message" in messages[0]["error"]["what"]
        assert "Traceback" in messages[0]["traceback"]
        assert ending.signal == 9
        assert until(attempt.gone)
    assert "Traceback" in next(tmp_path.rglob("log.txt")).read_text()
