"""Attempts on a real Ray cluster keep every promise of the contract, and end with whatever held them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onward.errors import JobError
from onward.jobs.conclusion import Observed, conclude
from onward.jobs.local.processes import find
from onward.jobs.protocol import Attempt, ForesightedBackend, JobBackend
from onward.jobs.ray import RayBackend
from onward.jobs.ray.backend import actor_name
from onward.jobs.ray.sweeping import TAG
from onward.testing.job_backends import CHECKS, ENTRIES, Check, begun, job_of, living, noted, until
from onward.testing.job_backends import it_runs_a_task_and_passes_on_what_it_says as it_runs
from onward.testing.job_backends import stopping_ends_native_code as stopping

pytest.importorskip("ray")
FENCE_SECONDS = 4.0


@contextmanager
def cluster(**options: object) -> Iterator[RayBackend]:
    backend = RayBackend(ENTRIES, **options)  # type: ignore[arg-type]
    try:
        backend.warm()
        yield backend
    finally:
        backend.close()


@pytest.fixture(scope="module")
def backend() -> Iterator[RayBackend]:
    with cluster() as started:
        yield started


def actor_pid(attempt: Attempt) -> int:
    """The actor is above the nursery, which is above the warden, which is above the worker."""
    pid = attempt.identity.pid
    for _ in range(3):
        process = find(pid)
        assert process is not None
        pid = process.parent
    return pid


def sudden_death_of_the_actor(backend: JobBackend, directory: Path) -> None:
    """SIGKILL takes the actor; everything below it goes at once, and the job is lost, not failed."""
    with begun(backend, "loky", {}, directory) as attempt:
        until(lambda: len(noted(directory)) == 2)
        pids = [attempt.identity.pid, *noted(directory)]
        os.kill(actor_pid(attempt), signal.SIGKILL)
        start = time.monotonic()
        until(lambda: not living(pids), 3.0)
        assert time.monotonic() - start < 1.0
        until(lambda: attempt.receive(0.05) or attempt.ending(), 5.0)
        ending = attempt.ending()
        assert ending is not None
        assert (ending.exit_code, ending.signal, ending.out_of_memory) == (None, signal.SIGKILL, False)
        until(attempt.gone, 10.0)
        assert conclude(Observed(ending=ending)).step == "release"


def a_name_is_taken_over(backend: JobBackend, directory: Path) -> None:
    """Whoever takes a job over ends the actor of the attempt before, by its name."""
    job = job_of("sleep", {})
    place = directory / f"{job.id}-1"
    (place / "work").mkdir(parents=True)
    attempt = backend.start(job, place)
    try:
        assert attempt.identity.external_ref == actor_name(job) == f"ml-{job.id}-1"
        attempt.begin()
        pids = until(lambda: noted(directory))
        with pytest.raises(JobError, match="there already"):
            backend.start(job, place)
        assert living(pids) == pids
        assert backend.end_orphan(replace(job, identity=attempt.identity), place)
        assert living([*pids, attempt.identity.pid]) == []
        until(lambda: attempt.receive(0.05) or attempt.ending(), 5.0)
        assert until(attempt.gone, 5.0)
    finally:
        attempt.close()
    assert backend.end_orphan(replace(job, identity=attempt.identity), place), (
        "nothing is left, and that is fine"
    )


def sweepers_are_there_before_they_are_needed(backend: JobBackend, directory: Path) -> None:
    """With one on the node no task has to be started; without it, or when it died, one is."""
    import ray

    assert isinstance(backend, RayBackend)
    assert isinstance(backend, ForesightedBackend)
    started = time.monotonic()
    backend.expect_orphans()
    assert time.monotonic() - started < 0.1
    (node,) = until(backend._sweepers.ready, 60.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onward.jobs.ray.sweepers.sweep_on", no_task)
        ended(backend, directory / "ready", seconds=2.0)
    sweeper = ray.get(backend._sweepers._kept[node].actor.awake.remote())
    assert TAG.encode() not in Path(f"/proc/{sweeper}/environ").read_bytes()
    os.kill(sweeper, signal.SIGKILL)
    ended(backend, directory / "dead", seconds=30.0)
    assert until(lambda: backend._sweepers.ready() == {node}, 60.0), "another takes its place"
    os.kill(sweeper := ray.get(backend._sweepers._kept[node].actor.awake.remote()), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend._sweepers, "_keep_seconds", 0.0)
        assert until(lambda: living([sweeper]) == [], 10.0), "nobody expects anything any more"


def ended(backend: RayBackend, directory: Path, *, seconds: float) -> None:
    """Take an attempt over whose worker has left everything it could leave."""
    job = job_of("loky", {})
    place = directory / f"{job.id}-1"
    (place / "work").mkdir(parents=True)
    attempt = backend.start(job, place)
    try:
        attempt.begin()
        pids = until(lambda: len(noted(directory)) == 2 and noted(directory), 30.0)
        start = time.monotonic()
        assert backend.end_orphan(replace(job, identity=attempt.identity), place)
        assert time.monotonic() - start < seconds
        assert living([*pids, attempt.identity.pid]) == []
    finally:
        attempt.close()


def no_task(*_: object) -> None:
    raise AssertionError("a process had to be started")


def test_attempts_on_a_real_cluster(tmp_path: Path) -> None:
    with cluster() as backend:
        assert isinstance(backend, JobBackend)
        checks = (
            *(it_runs, stopping, sudden_death_of_the_actor, a_name_is_taken_over),
            sweepers_are_there_before_they_are_needed,
        )
        for check in checks:
            (tmp_path / check.__name__).mkdir()
            check(backend, tmp_path / check.__name__)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_whole_contract(check: Check, backend: RayBackend, tmp_path: Path) -> None:
    check(backend, tmp_path)


@pytest.mark.slow
def test_a_suspended_actor_is_ended_all_the_same(backend: RayBackend, tmp_path: Path) -> None:
    with begun(backend, "lightgbm", {}, tmp_path) as attempt:
        pids = until(lambda: noted(tmp_path))
        os.kill(actor_pid(attempt), signal.SIGSTOP)
        deadline = time.monotonic() + 60.0
        while not attempt.gone():
            attempt.kill()
            time.sleep(0.05)
            assert time.monotonic() < deadline
        assert living(pids) == []


@pytest.mark.slow
def test_a_place_that_the_cluster_does_not_have(tmp_path: Path) -> None:
    with cluster(cpus=512.0, spawn_seconds=3.0) as backend:
        (tmp_path / "work").mkdir()
        with pytest.raises(JobError, match=r"no place for the job in time; got .* CPUs free"):
            backend.start(job_of("echo", {}), tmp_path)
        assert backend.end_orphan(job_of("echo", {}), tmp_path)


@pytest.mark.slow
def test_a_node_that_refuses_leaves_no_actor_behind(
    backend: RayBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    job = job_of("echo", {})
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("onward.jobs.ray.backend.__version__", "0.0.1")
    with pytest.raises(JobError, match=r"another version .*onward\[ray\]==0\.0\.1"):
        backend.start(job, tmp_path)
    assert list(tmp_path.glob(".seen-*")) == []

    def unknown() -> bool:
        try:
            ray.get_actor(actor_name(job), namespace="onward")
        except ValueError:
            return True
        return False

    assert until(unknown, 5.0)
