"""Attempts on this machine when something goes wrong with them: killed, suspended, left alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onward.jobs.local import LocalBackend
from onward.jobs.local.attempt import LocalAttempt
from onward.jobs.local.processes import MARKER, Process, boot_id, find, host_name, members, send_signal, table
from onward.jobs.protocol import Attempt
from onward.jobs.values import WorkerIdentity
from onward.testing.job_backends import ENTRIES, begun, ended, job_of, living, noted, until


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES, fence_seconds=0.6, spawn_seconds=20.0)
    backend.warm()
    yield backend
    backend.close()


def pid_of(attempt: Attempt) -> int:
    return attempt.identity.pid


def warden_of(attempt: Attempt) -> int:
    assert isinstance(attempt, LocalAttempt)
    return attempt._warden_process[0]


def state_of(pid: int) -> str:
    process = find(pid)
    return "X" if process is None else process.state


def below(pid: int) -> list[Process]:
    """Return living processes that descend from one."""
    me = find(pid)
    assert me is not None
    return members(root=(me.pid, me.start), session=None, marker="nobody/0")


def keep_beating(backend: LocalBackend, job_id: str, seconds: float) -> None:
    until_when = time.monotonic() + seconds
    while time.monotonic() < until_when:
        backend.beat(time.monotonic(), {job_id: 1})
        time.sleep(0.05)


def job_id_of(attempt: Attempt) -> str:
    assert isinstance(attempt, LocalAttempt)
    return attempt._marker.partition("/")[0]


# -- killed ---------------------------------------------------------------------------------


def test_a_killed_worker_is_told_as_a_signal(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        os.kill(pid_of(attempt), signal.SIGKILL)
        _, ending = ended(attempt, 3.0)
        assert (ending.exit_code, ending.signal, ending.out_of_memory) == (None, 9, False)
        assert until(attempt.gone, 3.0)


def test_a_killed_warden_takes_everything_with_it(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "escape", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        os.kill(warden_of(attempt), signal.SIGKILL)
        _, ending = ended(attempt, 3.0)
        assert ending.signal == 9
        attempt.kill()
        assert until(attempt.gone, 3.0)
        assert living(pids) == []


def test_the_warm_process_is_replaced_when_it_is_killed(backend: LocalBackend, tmp_path: Path) -> None:
    assert backend._nursery is not None
    first = backend._nursery.pid
    with begun(backend, "sleep", {}, tmp_path / "a") as attempt:
        until(lambda: noted(tmp_path / "a"))
        os.kill(first, signal.SIGKILL)
        time.sleep(0.2)
        assert attempt.ending() is None, "what runs goes on"
        with begun(backend, "echo", {"x": 1}, tmp_path / "b") as other:
            assert ended(other)[0][-1]["manifest"] == {"x": 1}
    assert backend._nursery.pid != first


def test_a_suspended_warm_process_is_replaced(tmp_path: Path) -> None:
    backend = LocalBackend(ENTRIES, spawn_seconds=3.0)
    backend.warm()
    try:
        assert backend._nursery is not None
        os.kill(backend._nursery.pid, signal.SIGSTOP)
        with begun(backend, "echo", {"text": "x" * 1_000_000}, tmp_path) as attempt:
            assert ended(attempt)[1].exit_code == 0
    finally:
        backend.close()


# -- suspended ------------------------------------------------------------------------------


def test_a_suspended_warden_neither_blocks_beats_nor_the_end(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        pids = until(lambda: noted(tmp_path))
        os.kill(warden_of(attempt), signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(3_000):
            backend.beat(time.monotonic(), {job_id_of(attempt): 1})
        assert time.monotonic() - began < 2.0
        attempt.kill()
        assert until(attempt.gone, 3.0)
        assert living(pids) == []


def test_the_fence_suspends_and_a_renewed_lease_resumes(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        keep_beating(backend, job_id_of(attempt), 0.9)
        assert state_of(pid_of(attempt)) in "SR"
        last = time.monotonic()
        until(lambda: state_of(pid_of(attempt)) == "T", 3.0)
        assert 0.5 < time.monotonic() - last < 1.2
        time.sleep(0.2)
        backend.beat(time.monotonic(), {job_id_of(attempt): 1})
        until(lambda: state_of(pid_of(attempt)) in "SR", 1.0)


def test_a_lease_of_another_attempt_opens_no_fence(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        until(lambda: state_of(pid_of(attempt)) == "T", 3.0)
        for held in ({}, {"other": 1}, {job_id_of(attempt): 2}):
            backend.beat(time.monotonic(), held)
        backend.beat(time.monotonic() - 5.0, {job_id_of(attempt): 1})  # sent too long ago to prove a thing
        time.sleep(0.3)
        assert state_of(pid_of(attempt)) == "T"
        attempt.kill()
        assert until(attempt.gone, 3.0)


def test_the_fence_holds_whoever_left(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "escape", {}, tmp_path) as attempt:
        until(lambda: len(noted(tmp_path)) == 2)
        until(lambda: all(process.state == "T" for process in below(warden_of(attempt))), 3.0)
        assert len(below(warden_of(attempt))) == 3


# -- orphans --------------------------------------------------------------------------------


def test_an_orphan_is_ended_by_its_identity(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "deaf", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        job = job_of("deaf", {}, identity=attempt.identity)
        assert backend.end_orphan(job)
        assert living(pids) == []


def test_an_orphan_is_ended_by_its_marker(backend: LocalBackend, tmp_path: Path) -> None:
    assert os.environ.get(MARKER) is None
    with begun(backend, "deaf", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        job = replace(job_of("deaf", {}), id=job_id_of(attempt))
        assert backend.end_orphan(job)
        # Without an identity what was executed is found; the fork of the warm process is not.
        assert living(pids) == [pid_of(attempt)]


def test_a_recycled_number_is_no_orphan(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        pids = until(lambda: noted(tmp_path))
        real = attempt.identity
        for other in (
            WorkerIdentity(real.host, real.boot_id, real.pid, real.start_ticks - 1, real.session),
            WorkerIdentity(real.host, "another boot", real.pid, real.start_ticks, real.session),
            WorkerIdentity("elsewhere", real.boot_id, real.pid, real.start_ticks, real.session),
        ):
            assert backend.end_orphan(job_of("sleep", {}, identity=other))
        time.sleep(0.1)
        assert living(pids) == pids
        assert (real.host, real.boot_id) == (host_name(), boot_id())


# -- nothing stays --------------------------------------------------------------------------


def test_fifty_attempts_leave_nothing(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "echo", {}, tmp_path) as attempt:
        ended(attempt)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(50):
        with begun(backend, "echo" if number % 2 else "die", {"signal": 9}, tmp_path) as attempt:
            ended(attempt)
            assert until(attempt.gone, 3.0)
    backend.beat(time.monotonic(), {})
    assert backend._attempts == {}
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert backend._nursery is not None
    nursery = backend._nursery.pid
    until(lambda: not [p for p in table().values() if p.parent == nursery], 3.0)
    assert len(list(Path(f"/proc/{nursery}/fd").iterdir())) < 20


def test_closing_the_backend_ends_the_warm_process_and_all_attempts(tmp_path: Path) -> None:
    backend = LocalBackend(ENTRIES)
    (tmp_path / "x" / "work").mkdir(parents=True)
    attempt = backend.start(job_of("sleep", {}), tmp_path / "x")
    attempt.begin()
    pids = until(lambda: noted(tmp_path))
    assert backend._nursery is not None
    everybody = [*pids, warden_of(attempt), backend._nursery.pid]
    backend.close()
    assert until(lambda: not living(everybody), 3.0)
    backend.close()


def test_memory_counts_children(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "grow", {"megabytes": 160}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        keep_beating(backend, job_id_of(attempt), 0.5)
        assert 150_000_000 < attempt.memory_bytes() < 400_000_000


def test_a_worker_told_to_stop_is_gone_within_half_a_second(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        began = time.monotonic()
        attempt.stop()
        until(attempt.gone, 3.0)
        assert time.monotonic() - began < 0.5
        assert not send_signal((pid_of(attempt), attempt.identity.start_ticks), signal.SIGTERM)
