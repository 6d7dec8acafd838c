"""A supervisor that fails: its worker is gone, by proof, before the job ends and the place is free."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.config import JobConfig
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.local.attempt import LocalAttempt
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import ENTRIES, living, noted, until

CONFIG = JobConfig.sealed(
    concurrency=1,
    heartbeat_seconds=0.2,
    grace_seconds=0.2,
    unkillable_seconds=0.2,
    progress_seconds=0.05,
    poll_seconds=0.05,
)


class Stubborn(LocalBackend):
    """Its attempts cannot be killed before they may be, and may say what no worker says."""

    mortal = False
    said: tuple[dict[str, Any], ...] = ()
    looks_fail = 0

    def start(self, job: Job, directory: Path, **more: Any) -> LocalAttempt:
        attempt = super().start(job, directory, **more)
        kill, receive, gone = attempt.kill, attempt.receive, attempt.gone

        def killed() -> None:
            if self.mortal:
                kill()

        def seen() -> bool:
            if self.looks_fail:
                self.looks_fail -= 1
                raise OSError(24, "Too many open files")
            return gone()

        def heard(timeout: float) -> Any:
            messages = receive(timeout)
            return [*messages, *self.said] if len(noted(directory.parent)) == 2 else messages

        attempt.kill, attempt.receive, attempt.gone = killed, heard, seen  # type: ignore[method-assign]
        return attempt


@pytest.fixture
def backend() -> Iterator[Stubborn]:
    backend = Stubborn(ENTRIES)
    yield backend
    backend.mortal = True
    backend.close()


@pytest.fixture
def manager(backend: Stubborn, database: Engine, tmp_path: Path) -> Iterator[BackgroundTaskManager]:
    store = SqlJobStore(database, poll_seconds=0.05)
    kinds = [JobKind(name, ENTRIES[name], name) for name in ("escape", "echo")]
    with BackgroundTaskManager(store, [backend], kinds, CONFIG, tmp_path) as manager:
        yield manager
        backend.mortal = True


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("piece", ["metric", "log", "message", "alarm"])
def test_a_job_whose_supervisor_fails_ends_when_nothing_of_it_is_left(
    piece: str,
    manager: BackgroundTaskManager,
    backend: Stubborn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if piece == "metric":
        monkeypatch.setattr(manager._in.metrics, "began", broken)
    elif piece == "log":
        logger = type(manager._in.log)
        info = logger.info
        monkeypatch.setattr(logger, "info", lambda *a, **k: broken() if a[1] == "stopping" else info(*a, **k))
        monkeypatch.setattr(logger, "exception", broken)
    else:
        backend.said = ({"type": "result"},)
    if piece == "alarm":
        monkeypatch.setattr(manager._in.metrics, "unkillable", broken)
        backend.looks_fail = 3
    limit = 0.7 if piece == "log" else None
    job_id = manager.submit("escape", {}, timeout_seconds=limit).job.id
    manager.start()
    until(lambda: len(noted(tmp_path / job_id)) == 2)
    time.sleep(1.0)
    assert len(living(noted(tmp_path / job_id))) == 2
    assert manager.store.get(job_id).finished_at is None, "its processes live"
    assert manager.running == 1, "its place is taken"
    backend.mortal = True
    ended: Job = until(lambda: (job := manager.store.get(job_id)).finished_at and job)
    assert living(noted(tmp_path / job_id)) == []
    assert (ended.state, ended.reason) == ("failed", "error")
    assert ended.error is not None
    expected = "manifest" if piece in ("message", "alarm") else "on purpose"
    assert expected in ended.error["what"]
    assert "Traceback" in ended.error["traceback"]
    until(lambda: manager.running == 0)
    if piece in ("message", "alarm"):
        backend.said = ()
        job_id = manager.submit("echo", {}).job.id
        assert until(lambda: manager.store.get(job_id).state == "succeeded"), "the place is free again"
