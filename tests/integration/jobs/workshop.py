"""A home with a small market and a server that runs jobs in real processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onward.jobs.local.processes import send_signal
from onward.jobs.values import Job, JobEvent
from onward.settings import load_settings
from onward.testing.markets import planted_signal
from onward.wiring import Application, build_application
from tests.unit.training.small_runs import SMALL

__all__ = ["SEARCHED", "Workshop"]

PATIENCE = 240.0
"""Seconds; long, since only a test that fails waits for its end, also on a machine at a load of 40."""
JOBS = {"jobs.progress_seconds": 0.05, "jobs.poll_seconds": 0.05, "jobs.shutdown_seconds": 0.1}
# Everything that comes after the scores is tested elsewhere.
PLAIN = {"evaluation.importance": False, "evaluation.drift": False, "evaluation.adversarial": False}
SEARCHED: dict[str, Any] = {
    "selection.null_importance": False,
    "selection.mutual_information": False,
    "optimization.trials": 4,
    "optimization.inner_splits": 3,
    "optimization.startup_trials": 2,
    "optimization.space": {
        "model.num_leaves": {"low": 2, "high": 16, "log": True},
        "model.learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    },
}


class Workshop:
    """One application, its manager started, and a file of bars."""

    def __init__(self, directory: Path, *, n_bars: int = 600, **overrides: Any) -> None:
        self.directory = directory
        self.bars = directory / "bars.parquet"
        market = planted_signal(n_bars, seed=0, strength=0.004)
        market.bars.reset_index().to_parquet(self.bars)
        more = {name.replace("__", "."): value for name, value in overrides.items()}
        self.settings = load_settings(
            home=directory / "home", cwd=directory, environ={}, overrides={**SMALL, **PLAIN, **JOBS, **more}
        )
        self.application: Application = build_application(self.settings)
        self.manager = self.application.job_manager.start()
        self.store = self.application.job_store

    def close(self) -> None:
        self.application.close()

    @property
    def home(self) -> Path:
        return self.application.home.root

    def submit(self, kind: str, spec: dict[str, Any] | None = None, **limits: Any) -> Job:
        return self.manager.submit(kind, {"data": str(self.bars), **(spec or {})}, **limits).job

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.005)
        raise AssertionError("it did not come about in time")

    def ended(self, job: Job) -> Job:
        def look() -> Job | None:
            now = self.store.get(job.id)
            return now if now.finished_at is not None else None

        return self.until(look)  # type: ignore[no-any-return]

    def succeeded(self, job: Job) -> Job:
        done = self.ended(job)
        assert done.state == "succeeded", (done.state, done.reason, done.error)
        return done

    def events(self, job: Job, kind: str) -> list[JobEvent]:
        return [event for event in self.store.events(job.id) if event.kind == kind]

    def running(self, job: Job) -> Job:
        return self.until(lambda: (now := self.store.get(job.id)).identity and now)  # type: ignore[no-any-return]

    def kill_worker(self, job: Job) -> None:
        identity = self.running(job).identity
        assert identity is not None
        send_signal((identity.pid, identity.start_ticks), signal.SIGKILL)

    def lost(self, submit: Callable[[int], Job], when: Callable[[Job], Any]) -> Job:
        """Return a job that has ended after its worker was killed at a moment.

        On a busy machine the moment may be over before anybody looks; then another job is
        submitted, with the next number.
        """
        for number in range(5):
            job = submit(number)
            self.until(lambda job=job: when(job) or self.store.get(job.id).finished_at)  # type: ignore[misc]
            self.kill_worker(job)
            if (done := self.ended(job)).attempt == 2:
                return done
        raise AssertionError("the machine is too busy to kill a worker in time")

    def model_files(self, name: str) -> dict[str, bytes]:
        """Return what a version predicts with: everything but the facts about its making."""
        (version,) = self.application.registry.list_versions(name)
        files = [*(version.directory / "model").iterdir(), version.directory / "pipeline.json"]
        return {path.name: path.read_bytes() for path in files}
