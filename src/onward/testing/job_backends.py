"""The contract of job backends, for Onward's own and for those that others write.

::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_backend(check, tmp_path):
        check(my_backend, tmp_path)      # runs the tasks of onward.testing.job_tasks: ENTRIES

A backend serves all checks, one after the other; each check leaves nothing running.
"""

# ruff: noqa: D401 - a promise is a statement, no order

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from onward.jobs.local.processes import find
from onward.jobs.protocol import Attempt, Ending, JobBackend
from onward.jobs.values import Job, JobRequest, WorkerIdentity
from onward.testing.job_tasks import TASKS

__all__ = [
    "CHECKS",
    "ENTRIES",
    "Check",
    "begun",
    "check_job_backend",
    "ended",
    "job_of",
    "living",
    "noted",
    "until",
]

Check = Callable[[JobBackend, Path], None]

ENTRIES: Mapping[str, str] = {name: f"onward.testing.job_tasks:{name}" for name in TASKS}
"""Job kind -> what the worker runs, for the backend that faces the contract."""
PATIENCE = 120.0
GONE_SECONDS = 20.0
"""Time in which what was killed must be gone: a moment, and much longer on a machine that is overrun."""
_numbers = itertools.count(1)


def it_runs_a_task_and_passes_on_what_it_says(backend: JobBackend, directory: Path) -> None:
    """Progress, log lines and the manifest come, in their order, then a regular end."""
    with begun(backend, "echo", {"x": 1}, directory) as attempt:
        messages, ending = ended(attempt)
        assert [message["type"] for message in messages] == ["progress", "log", "result"]
        assert messages[0]["values"] == {"auc": 0.5}
        assert messages[2]["manifest"] == {"x": 1}
        assert (ending.exit_code, ending.signal, ending.out_of_memory) == (0, None, False)


def it_waits_until_it_is_told_to_begin(backend: JobBackend, directory: Path) -> None:
    """Nothing is done before the identity of the worker was written down."""
    with begun(backend, "echo", {}, directory, begin=False) as attempt:
        assert attempt.receive(0.3) == []
        assert attempt.ending() is None
        assert not attempt.gone()
        attempt.begin()
        messages, _ = ended(attempt)
        assert messages[-1]["type"] == "result"


def an_error_is_told(backend: JobBackend, directory: Path) -> None:
    """An exception of the task comes with its traceback."""
    with begun(backend, "fail", {}, directory) as attempt:
        messages, ending = ended(attempt)
        assert messages[-1]["type"] == "error"
        assert messages[-1]["error"] == {"error": "ZeroDivisionError", "what": "on purpose"}
        assert "on purpose" in messages[-1]["traceback"]
        assert not messages[-1]["memory"]
        assert ending.exit_code != 0


def a_question_is_answered(backend: JobBackend, directory: Path) -> None:
    """What the supervisor says reaches the task; also when it is long."""
    with begun(backend, "ask", {"number": 7}, directory) as attempt:
        question = until(lambda: list(attempt.receive(0.1)))[0]
        assert (question["type"], question["question"]) == ("ask", "size")
        assert question["arguments"] == {"number": 7}
        attempt.answer(int(question["id"]), {"value": "x" * 2_000_000})
        messages, _ = ended(attempt)
        assert messages[-1]["manifest"] == {"answer": "x" * 2_000_000}


def a_large_spec_arrives(backend: JobBackend, directory: Path) -> None:
    """Four megabytes of a request."""
    with begun(backend, "quick", {"text": "x" * 4_000_000}, directory) as attempt:
        messages, _ = ended(attempt)
        assert messages[-1] == {"type": "result", "manifest": {"attempt": 1}}


def what_is_no_message_ends_the_attempt(backend: JobBackend, directory: Path) -> None:
    """A worker gone wrong is ended, and that is told as its error."""
    with begun(backend, "garble", {}, directory) as attempt:
        messages, _ = ended(attempt)
        errors = [message for message in messages if message["type"] == "error"]
        assert errors
        assert "no message" in errors[0]["error"]["what"]
        assert until(attempt.gone)


def what_is_too_long_is_refused_where_it_is_said(backend: JobBackend, directory: Path) -> None:
    """A manifest, a question or an answer that is too long is an error that says how long it may be."""
    for kind, spec in (("oversize", {}), ("shout", {"where": "ask"}), ("ask", {"number": 7})):
        with begun(backend, kind, spec, directory) as attempt:
            if kind == "ask":
                question = until(partial(attempt.receive, 0.1))[0]
                attempt.answer(int(question["id"]), {"value": "x" * 5_000_000})
            messages, _ = ended(attempt)
            assert [message["type"] for message in messages] == ["error"], kind
            error = messages[0]["error"]
            assert "too long" in error["what"], kind
            assert error["got"].startswith("5,000,"), kind
            assert "4,000,000 bytes" in error["allowed"], kind
            assert error["remedy"], kind
            assert until(attempt.gone)


def stopping_ends_native_code(backend: JobBackend, directory: Path) -> None:
    """A booster in the middle of its training is gone within a moment of being told."""
    with begun(backend, "lightgbm", {}, directory) as attempt:
        until(lambda: noted(directory))
        time.sleep(0.3)
        assert attempt.memory_bytes() > 1_000_000
        attempt.stop()
        assert until(attempt.gone, GONE_SECONDS)
        assert living(noted(directory)) == []


def killing_ends_children(backend: JobBackend, directory: Path) -> None:
    """Children that train in processes of their own go with the worker."""
    with begun(backend, "loky", {}, directory) as attempt:
        until(lambda: len(noted(directory)) == 2)
        attempt.kill()
        assert until(attempt.gone, GONE_SECONDS)
        assert living(noted(directory)) == []


def killing_ends_whoever_left(backend: JobBackend, directory: Path) -> None:
    """Neither a session of its own nor a parent that died hides a process."""
    with begun(backend, "escape", {}, directory) as attempt:
        until(lambda: len(noted(directory)) == 2)
        attempt.kill()
        assert until(attempt.gone, GONE_SECONDS)
        assert living(noted(directory)) == []


def killing_ends_a_suspended_worker(backend: JobBackend, directory: Path) -> None:
    """Suspended and deaf: SIGTERM does nothing, killing does."""
    with begun(backend, "deaf", {}, directory) as attempt:
        until(lambda: len(noted(directory)) == 2)
        time.sleep(0.2)
        attempt.stop()
        time.sleep(0.2)
        assert not attempt.gone()
        attempt.kill()
        assert until(attempt.gone, GONE_SECONDS)
        assert living(noted(directory)) == []


def closing_an_attempt_ends_it(backend: JobBackend, directory: Path) -> None:
    """Whoever forgets to kill closes, and that suffices."""
    with begun(backend, "sleep", {}, directory):
        pids = until(lambda: noted(directory))
    assert until(lambda: not living(pids), GONE_SECONDS)


def a_sudden_end_is_told_apart(backend: JobBackend, directory: Path) -> None:
    """An exit code is no signal, and a signal no exit code."""
    for spec, expected in (
        ({"code": 7}, (7, None)),
        ({"signal": 11}, (None, 11)),
        ({"signal": 9}, (None, 9)),
    ):
        with begun(backend, "die", spec, directory) as attempt:
            messages, ending = ended(attempt)
            assert messages == []
            assert (ending.exit_code, ending.signal) == expected


def an_orphan_elsewhere_is_no_business_of_ours(backend: JobBackend, directory: Path) -> None:
    """What ran on another machine was ended by its own fence; nothing here is touched."""
    assert backend.end_orphan(
        job_of("sleep", {}, identity=WorkerIdentity("elsewhere", "boot", 1, 1, 1)), directory
    )


CHECKS: tuple[Check, ...] = (
    it_runs_a_task_and_passes_on_what_it_says,
    it_waits_until_it_is_told_to_begin,
    an_error_is_told,
    a_question_is_answered,
    a_large_spec_arrives,
    what_is_no_message_ends_the_attempt,
    what_is_too_long_is_refused_where_it_is_said,
    stopping_ends_native_code,
    killing_ends_children,
    killing_ends_whoever_left,
    killing_ends_a_suspended_worker,
    closing_an_attempt_ends_it,
    a_sudden_end_is_told_apart,
    an_orphan_elsewhere_is_no_business_of_ours,
)
"""What every backend promises, one function a promise."""


def check_job_backend(backend: JobBackend, directory: Path) -> None:
    """Run the whole contract.

    Raises
    ------
    AssertionError
        When a promise of `JobBackend` or `Attempt` is broken.
    """
    for check in CHECKS:
        below = directory / check.__name__
        below.mkdir()
        check(backend, below)


@contextmanager
def begun(
    backend: JobBackend, kind: str, spec: Mapping[str, Any], directory: Path, *, begin: bool = True
) -> Iterator[Attempt]:
    """Give an attempt at work; closed in the end."""
    for note in (directory / "shared").glob("pid-*"):
        note.unlink()
    job = job_of(kind, spec)
    place = directory / f"{job.id}-{job.attempt}"
    (place / "work").mkdir(parents=True)
    attempt = backend.start(job, place)
    try:
        if begin:
            attempt.begin()
        yield attempt
    finally:
        attempt.close()


def job_of(
    kind: str, spec: Mapping[str, Any], *, identity: WorkerIdentity | None = None, attempt: int = 1
) -> Job:
    """Return a claimed job, as a store would give it."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Job(
        id=f"contract{os.getpid()}x{next(_numbers)}",  # suites side by side must not end each other's orphans
        request=JobRequest(kind, spec),
        state="starting",
        reason=None,
        attempt=attempt,
        owner="contract",
        beat=0,
        heartbeat_at=now,
        identity=identity,
        queued_at=now,
        started_at=None,
        finished_at=None,
        expires_at=None,
        cancel_requested_at=None,
        stop_deadline=None,
        progress={},
        progress_at=None,
        result=None,
        error=None,
    )


def ended(attempt: Attempt, patience: float = PATIENCE) -> tuple[Sequence[Mapping[str, Any]], Ending]:
    """Return all messages of an attempt and how it ended."""
    messages: list[Mapping[str, Any]] = []
    deadline = time.monotonic() + patience
    while (ending := attempt.ending()) is None:
        messages += attempt.receive(0.05)
        assert time.monotonic() < deadline, f"no end within {patience:g} s; it said {messages}"
    while more := attempt.receive(0.0):
        messages += more
    return messages, ending


def until(look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return what a look gives as soon as that is true; fail when it never is."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"still not so after {patience:g} s: {look}"
        time.sleep(0.005)
    return found


def noted(directory: Path) -> list[int]:
    """Return the processes that tasks of this job noted down."""
    return [int(note.name.removeprefix("pid-")) for note in (directory / "shared").glob("pid-*")]


def living(pids: Sequence[int]) -> list[int]:
    """Return which of these processes are alive."""
    return [pid for pid in pids if (process := find(pid)) is not None and not process.dead]
