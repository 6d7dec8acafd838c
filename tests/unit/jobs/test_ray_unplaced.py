"""A job without a place waits: queued again, no attempt spent, and its events say why."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from onward.config.jobs import JobConfig
from onward.database import open_database
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.protocol import PatientBackend, Unplaced
from onward.jobs.store import SqlJobStore
from onward.testing.job_backends import ENTRIES, until


class Crowded(LocalBackend):
    """Has no place for the first attempts, or looks for one until nobody wants it."""

    def __init__(self, refusals: list[Unplaced], *, patient: bool = False) -> None:
        super().__init__(ENTRIES)
        self.refusals, self.patient = refusals, patient

    def start_unless(self, job: Any, directory: Path, unwanted: Callable[[], bool]) -> Any:
        while self.patient and not unwanted():
            time.sleep(0.01)
        if self.patient:
            return None
        return self.refusals.pop(0) if self.refusals else self.start(job, directory)


@contextmanager
def served(backend: LocalBackend, template: Path, place: Path) -> Iterator[BackgroundTaskManager]:
    shutil.copy(template, place / "onward.db")
    engine = open_database(f"sqlite:///{place}/onward.db")
    kinds = [JobKind(name, entry, "for tests") for name, entry in ENTRIES.items()]
    store = SqlJobStore(engine)
    config = JobConfig(poll_seconds=0.02, shutdown_seconds=0.1)
    with closing(BackgroundTaskManager(store, [backend], kinds, config, place / "jobs").start()) as manager:
        yield manager
    engine.dispose()


def test_a_full_cluster_costs_no_attempt(sqlite_template: Path, tmp_path: Path) -> None:
    backend = Crowded([Unplaced("no place within 1 s; 0 of 2 CPUs free")] * 3)
    assert isinstance(backend, PatientBackend)
    with served(backend, sqlite_template, tmp_path) as manager:
        job_id = manager.submit("echo", {"x": 1}, max_attempts=1).job.id
        until(lambda: manager.store.get(job_id).finished_at)
        job = manager.store.get(job_id)
        assert (job.state, job.attempt, job.request.max_attempts) == ("succeeded", 4, 4)
        told = [event.payload["text"] for event in manager.store.events(job_id) if event.kind == "log"]
        assert told[:3] == ["no place within 1 s; 0 of 2 CPUs free. The job is queued again."] * 3


def test_a_worker_that_got_lost_on_its_way_is_an_attempt(sqlite_template: Path, tmp_path: Path) -> None:
    backend = Crowded([Unplaced("the actor died", spent=True)])
    with served(backend, sqlite_template, tmp_path) as manager:
        job_id = manager.submit("echo", {}, max_attempts=1).job.id
        until(lambda: manager.store.get(job_id).finished_at)
        job = manager.store.get(job_id)
        assert (job.state, job.reason) == ("failed", "worker_lost")


def test_a_stop_ends_the_search_for_a_place(sqlite_template: Path, tmp_path: Path) -> None:
    with served(Crowded([], patient=True), sqlite_template, tmp_path) as manager:
        job_id = manager.submit("echo", {}).job.id
        until(lambda: manager.store.get(job_id).state == "starting")
        asked = time.monotonic()
        assert manager.request_stop(job_id).accepted
        until(lambda: manager.store.get(job_id).finished_at)
        assert manager.store.get(job_id).state == "cancelled"
        assert time.monotonic() - asked < 2.0


def test_a_shutdown_gives_back_what_still_looks_for_a_place(sqlite_template: Path, tmp_path: Path) -> None:
    with served(Crowded([], patient=True), sqlite_template, tmp_path) as manager:
        job_id = manager.submit("echo", {}).job.id
        until(lambda: manager.store.get(job_id).state == "starting")
        store = manager.store
        manager.close(finish_within=0.0)
        job = store.get(job_id)
        assert (job.state, job.attempt, job.request.max_attempts) == ("queued", 1, 3)
