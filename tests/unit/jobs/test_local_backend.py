"""Attempts on this machine when something goes wrong with them: killed, suspended, left alone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ctypes import CDLL
from dataclasses import replace
from pathlib import Path

import pytest

from onward.jobs.local import LocalBackend
from onward.jobs.local.attempt import LocalAttempt
from onward.jobs.local.processes import MARKER, Process, boot_id, find, host_name, members, send_signal, table
from onward.jobs.protocol import Attempt, TooLateError, WakeableAttempt
from onward.jobs.values import WorkerIdentity
from onward.testing.job_backends import ENTRIES, begun, ended, job_of, living, noted, until

PTRACE_SEIZE, WALL = 0x4206, 0x40000000
SOON = 20.0
"""Seconds in which what takes a moment must have happened, also on a machine at a load of forty."""


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES, fence_seconds=600.0)
    backend.warm()
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def fenced() -> Iterator[LocalBackend]:
    """A backend whose workers are suspended soon; they must be beaten for until they are at work."""
    backend = LocalBackend(ENTRIES, fence_seconds=1.5)
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


def beaten_to_work(backend: LocalBackend, attempt: Attempt, directory: Path, processes: int = 1) -> None:
    def at_work() -> bool:
        backend.beat(time.monotonic(), {job_id_of(attempt): 1})
        return len(noted(directory)) == processes

    until(at_work)


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
        _, ending = ended(attempt, SOON)
        assert (ending.exit_code, ending.signal, ending.out_of_memory) == (None, 9, False)
        assert until(attempt.gone, SOON)


def test_a_killed_warden_takes_everything_with_it(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "escape", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        os.kill(warden_of(attempt), signal.SIGKILL)
        _, ending = ended(attempt, SOON)
        assert ending.signal == 9
        attempt.kill()
        assert until(attempt.gone, SOON)
        assert living(pids) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs ptrace and /proc")
@pytest.mark.parametrize("killed", [True, False])
def test_a_worker_whose_end_cannot_be_read_costs_no_processor(
    backend: LocalBackend, tmp_path: Path, killed: bool
) -> None:
    """A debugger keeps a dead worker from its warden, which goes on waiting, and goes when it can."""
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        worker, warden = pid_of(attempt), warden_of(attempt)
        if CDLL(None).ptrace(PTRACE_SEIZE, worker, None, None) != 0:
            pytest.skip("may not trace")
        if killed:
            attempt.kill()
        else:
            os.kill(worker, signal.SIGKILL)
        until(lambda: state_of(worker) == "Z", SOON)
        begin, before = time.monotonic(), processor_seconds(warden)
        time.sleep(3.0)
        used, span = processor_seconds(warden) - before, time.monotonic() - begin
        assert used < 0.05 * span + 0.1, "scans of all processes, one after the other"
        assert not attempt.gone()
        os.waitpid(worker, WALL)
        assert until(attempt.gone, SOON)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


@pytest.mark.slow
def test_a_suspended_warm_process_is_replaced(tmp_path: Path) -> None:
    backend = LocalBackend(ENTRIES, spawn_seconds=10.0)
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
        assert time.monotonic() - began < SOON
        attempt.kill()
        assert until(attempt.gone, SOON)
        assert living(pids) == []


def test_the_fence_suspends_and_a_renewed_lease_resumes(fenced: LocalBackend, tmp_path: Path) -> None:
    with begun(fenced, "sleep", {}, tmp_path) as attempt:
        beaten_to_work(fenced, attempt, tmp_path)
        keep_beating(fenced, job_id_of(attempt), 2.2)
        assert state_of(pid_of(attempt)) in "SR"
        last = time.monotonic()
        until(lambda: state_of(pid_of(attempt)) == "T", SOON)
        assert time.monotonic() - last > 1.3
        time.sleep(0.2)
        fenced.beat(time.monotonic(), {job_id_of(attempt): 1})
        until(lambda: state_of(pid_of(attempt)) in "SR", SOON)


def test_a_lease_of_another_attempt_opens_no_fence(fenced: LocalBackend, tmp_path: Path) -> None:
    with begun(fenced, "sleep", {}, tmp_path) as attempt:
        beaten_to_work(fenced, attempt, tmp_path)
        until(lambda: state_of(pid_of(attempt)) == "T", SOON)
        for held in ({}, {"other": 1}, {job_id_of(attempt): 2}):
            fenced.beat(time.monotonic(), held)
        fenced.beat(time.monotonic() - 5.0, {job_id_of(attempt): 1})  # sent too long ago to prove a thing
        time.sleep(0.3)
        assert state_of(pid_of(attempt)) == "T"
        attempt.kill()
        assert until(attempt.gone, SOON)


def test_the_fence_holds_whoever_left(fenced: LocalBackend, tmp_path: Path) -> None:
    with begun(fenced, "escape", {}, tmp_path) as attempt:
        beaten_to_work(fenced, attempt, tmp_path, 2)
        until(lambda: all(process.state == "T" for process in below(warden_of(attempt))), SOON)
        assert len(below(warden_of(attempt))) == 3


# -- orphans --------------------------------------------------------------------------------


def test_an_orphan_is_ended_by_its_identity(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "deaf", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        job = job_of("deaf", {}, identity=attempt.identity)
        assert backend.end_orphan(job, tmp_path / "no note of its warden")
        assert living(pids) == []


def test_the_marker_alone_tells_of_what_was_executed(backend: LocalBackend, tmp_path: Path) -> None:
    assert os.environ.get(MARKER) is None
    with begun(backend, "deaf", {}, tmp_path) as attempt:
        pids = until(lambda: len(noted(tmp_path)) == 2 and noted(tmp_path))
        found = members(root=None, session=None, marker=f"{job_id_of(attempt)}/1")
        # With neither identity nor warden the fork of the warm process is not among them.
        assert {process.pid for process in found} == {*pids} - {pid_of(attempt)}


def place_of(attempt: Attempt, directory: Path) -> Path:
    return directory / f"{job_id_of(attempt)}-1"


Place = Callable[[Attempt, Path], Path]
anywhere = pytest.mark.parametrize(
    "place", [place_of, lambda _, directory: directory / "of another home"], ids=["same home", "other home"]
)
"""Where whoever takes over believes the files to be: servers of one database may have several homes."""


@anywhere
def test_an_orphan_that_was_never_released_is_ended(
    backend: LocalBackend, tmp_path: Path, place: Place
) -> None:
    """Its owner was suspended before it wrote down who it is, and it has executed nothing."""
    with begun(backend, "sleep", {}, tmp_path, begin=False) as attempt:
        pid = pid_of(attempt)
        job = replace(job_of("sleep", {}), id=job_id_of(attempt))
        assert backend.end_orphan(job, place(attempt, tmp_path))
        assert living([pid, warden_of(attempt)]) == []


@anywhere
def test_an_orphan_is_over_when_whoever_left_its_session_is(
    backend: LocalBackend, tmp_path: Path, place: Place
) -> None:
    with begun(backend, "escape", {}, tmp_path) as attempt:
        until(lambda: len(noted(tmp_path)) == 2)
        everything = [process.pid for process in below(warden_of(attempt))]
        assert len(everything) == 3
        job = replace(job_of("escape", {}, identity=attempt.identity), id=job_id_of(attempt))
        assert backend.end_orphan(job, place(attempt, tmp_path))
        assert living([*everything, warden_of(attempt)]) == []


@anywhere
def test_an_orphan_whose_warden_is_suspended_is_ended(
    backend: LocalBackend, tmp_path: Path, place: Place
) -> None:
    with begun(backend, "escape", {}, tmp_path) as attempt:
        until(lambda: len(noted(tmp_path)) == 2)
        everything = [process.pid for process in below(warden_of(attempt))]
        os.kill(warden_of(attempt), signal.SIGSTOP)
        job = replace(job_of("escape", {}, identity=attempt.identity), id=job_id_of(attempt))
        assert until(lambda: backend.end_orphan(job, place(attempt, tmp_path)), SOON)
        assert living([*everything, warden_of(attempt)]) == []


@pytest.mark.parametrize("note", ["", "[]", '{"host": "elsewhere", "boot": "b", "pid": 1, "start": 0}', None])
def test_a_note_that_tells_of_nobody_here_ends_nobody(
    backend: LocalBackend, tmp_path: Path, note: str | None
) -> None:
    if note is not None:
        (tmp_path / "warden.json").write_text(note)
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        pids = until(lambda: noted(tmp_path))
        assert backend.end_orphan(job_of("sleep", {}), tmp_path)
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
            assert backend.end_orphan(job_of("sleep", {}, identity=other), tmp_path)
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
            assert until(attempt.gone, SOON)
    backend.beat(time.monotonic(), {})
    assert backend._attempts == {}
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert backend._nursery is not None
    nursery = backend._nursery.pid
    until(lambda: not [p for p in table().values() if p.parent == nursery], SOON)
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
    assert until(lambda: not living(everybody), SOON)
    backend.close()


def test_memory_counts_children(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "grow", {"megabytes": 160}, tmp_path) as attempt:
        until(lambda: attempt.memory_bytes() > 150_000_000)
        time.sleep(0.2)
        assert 150_000_000 < attempt.memory_bytes() < 400_000_000


def test_a_worker_told_to_stop_is_gone_within_half_a_second(backend: LocalBackend, tmp_path: Path) -> None:
    took = []
    while not took or (took[-1] >= 0.5 and len(took) < 5):  # a busy machine may take longer once
        directory = tmp_path / str(len(took))
        with begun(backend, "sleep", {}, directory) as attempt:
            until(lambda directory=directory: noted(directory))  # type: ignore[misc]
            began = time.monotonic()
            attempt.stop()
            until(attempt.gone, SOON)
            took.append(time.monotonic() - began)
            assert not send_signal((pid_of(attempt), attempt.identity.start_ticks), signal.SIGTERM)
    assert min(took) < 0.5


def test_a_call_ends_a_wait_for_messages(backend: LocalBackend, tmp_path: Path) -> None:
    with begun(backend, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        while attempt.receive(0.1):
            pass
        assert isinstance(attempt, WakeableAttempt)
        timer = threading.Timer(0.2, attempt.wake)
        timer.start()
        began = time.monotonic()
        assert list(attempt.receive(600.0)) == []
        assert 0.15 < time.monotonic() - began < SOON
        timer.join()
    attempt.wake()  # late, and to nobody


def test_a_claim_behind_the_fence_starts_no_worker(backend: LocalBackend, tmp_path: Path) -> None:
    job = job_of("sleep", {})
    with pytest.raises(TooLateError, match="the claim is too old"):
        backend.start(job, tmp_path, claimed=time.monotonic() - 601.0)
    assert members(root=None, session=None, marker=f"{job.id}/{job.attempt}") == []


def test_an_order_that_is_read_behind_the_fence_starts_no_worker(tmp_path: Path) -> None:
    backend = LocalBackend(ENTRIES, fence_seconds=1.5)
    backend.warm()
    assert backend._nursery is not None
    nursery = backend._nursery.pid
    try:
        os.kill(nursery, signal.SIGSTOP)  # as if the order had been sent, and then nothing happened
        wake = threading.Timer(2.5, os.kill, (nursery, signal.SIGCONT))
        wake.start()
        job = job_of("sleep", {})
        with pytest.raises(TooLateError):
            backend.start(job, tmp_path)
        wake.join()
        assert members(root=None, session=None, marker=f"{job.id}/{job.attempt}") == []
    finally:
        backend.close()
