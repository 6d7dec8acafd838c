"""Workers step back behind the server that they belong to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.jobs.local import LocalBackend, niceness
from onward.jobs.local.processes import find
from onward.testing.job_backends import ENTRIES, begun, noted, until


@pytest.fixture(scope="module")
def courteous() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES, niceness=7)
    yield backend
    backend.close()


def priority(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def session_priority(pid: int) -> int:
    """Return the niceness of the group that a process's session is."""
    return int(Path(f"/proc/{pid}/autogroup").read_text().rpartition(" ")[2])


def test_a_worker_and_what_it_starts_step_back(courteous: LocalBackend, tmp_path: Path) -> None:
    with begun(courteous, "loky", {}, tmp_path) as attempt:
        pids = until(lambda: noted(tmp_path))
        expected = min(priority(os.getpid()) + 7, 19)
        assert {priority(pid) for pid in {attempt.identity.pid, *pids}} == {expected}
        warden = find(attempt.identity.pid).parent  # type: ignore[union-attr]
        assert priority(warden) == priority(os.getpid()), "who watches must be quick"


@pytest.mark.skipif(not niceness.AUTOGROUP.exists(), reason="this system has no autogroups")
def test_the_session_of_a_worker_steps_back(courteous: LocalBackend, tmp_path: Path) -> None:
    with begun(courteous, "sleep", {}, tmp_path) as attempt:
        until(lambda: noted(tmp_path))
        pid = attempt.identity.pid
        assert until(lambda: session_priority(pid) == 7, 15.0)
        warden = find(pid).parent  # type: ignore[union-attr]
        assert session_priority(warden) == 0


def test_nothing_is_changed_unless_wanted(tmp_path: Path) -> None:
    backend = LocalBackend(ENTRIES)
    try:
        with begun(backend, "sleep", {}, tmp_path) as attempt:
            until(lambda: noted(tmp_path))
            assert priority(attempt.identity.pid) == priority(os.getpid())
    finally:
        backend.close()


def test_too_many_changes_at_once_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux refuses others than root a second change within a tenth of a second."""
    written: list[str] = []

    class Refusing(type(Path())):  # type: ignore[misc]
        def exists(self) -> bool:
            return True

        def write_text(self, text: str) -> int:
            written.append(text)
            if len(written) < 3:
                raise BlockingIOError
            return len(text)

    monkeypatch.setattr(niceness, "AUTOGROUP", Refusing("/proc/self/autogroup"))
    monkeypatch.setattr(niceness, "PAUSE", 0.001)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    niceness.step_back(10)
    assert until(lambda: len(written) == 3, 5.0)
    assert written == ["10", "10", "10"]


def test_a_system_without_autogroups_goes_by_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lowered: list[int] = []
    monkeypatch.setattr(niceness, "AUTOGROUP", tmp_path / "absent")
    monkeypatch.setattr(os, "nice", lowered.append)
    niceness.step_back(10)
    assert lowered == [10]
    assert not (tmp_path / "absent").exists()


def test_a_proc_that_cannot_be_written_changes_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(niceness, "AUTOGROUP", tmp_path)  # a directory: writing raises
    monkeypatch.setattr(os, "nice", lambda _: 0)
    niceness.step_back(10)
