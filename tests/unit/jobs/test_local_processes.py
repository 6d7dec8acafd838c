"""Who belongs to an attempt, and that nobody else is ever signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.jobs.local.processes import (
    MARKER,
    Process,
    boot_id,
    children,
    find,
    find_name,
    members,
    memory_bytes,
    send_signal,
    table,
)

NOWHERE = 4_000_000  # above every pid of the machine: no environment is read for these


def process(number: int, parent: int = 1, session: int = 0, state: str = "S", start: int = 5) -> Process:
    return Process(NOWHERE + number, NOWHERE + parent, NOWHERE + session, start, state)


def found(*processes: Process, root: tuple[int, int] | None = None, session: tuple[int, int] | None = None):
    shift = [None if pair is None else (NOWHERE + pair[0], pair[1]) for pair in (root, session)]
    of = {process.pid: process for process in processes}
    return {p.pid - NOWHERE for p in members(root=shift[0], session=shift[1], marker="x/1", processes=of)}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


EXHAUSTED = """
import errno, os, resource, signal, sys
from pathlib import Path
from onward.jobs.local import birthplace
from onward.jobs.local.processes import children, find, find_name, send_signal
from onward.jobs.ray import sweeping

directory = Path(sys.argv[1])
me = find(os.getpid())
birthplace.note_warden(directory)
looks = {
    "find": lambda: find(me.pid),
    "find_name": lambda: find_name(me.pid),
    "children": lambda: children(me.pid),
    "send_signal": lambda: send_signal(me, signal.SIGCONT),
    "noted_warden": lambda: birthplace.noted_warden(directory),
    "signed_warden": lambda: birthplace._open_files(me.pid),
    "sweep": lambda: sweeping._tagged(me.pid, "job/1"),
}
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
for name, look in looks.items():
    try:
        print(name, "said", look())
    except OSError as error:
        print(name, errno.errorcode[error.errno])
for descriptor in held:
    os.close(descriptor)
print(birthplace.noted_warden(directory) == (me.pid, me.start), send_signal(me, signal.SIGCONT))
"""


def test_a_process_that_cannot_look_takes_nobody_for_dead(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", EXHAUSTED, tmp_path], capture_output=True, text=True, timeout=120, check=True
    )
    *refused, after = said.stdout.splitlines()
    looks = ["find", "find_name", "children", "send_signal", "noted_warden", "signed_warden", "sweep"]
    assert refused == [f"{look} EMFILE" for look in looks]
    assert after == "True True"


def test_descendants_of_the_root_but_not_the_root() -> None:
    tree = [process(10), process(11, 10), process(12, 11), process(13, 12), process(20), process(21, 20)]
    assert found(*tree, root=(10, 5)) == {11, 12, 13}


def test_a_root_of_another_start_is_somebody_else() -> None:
    assert found(process(10), process(11, 10), root=(10, 4)) == set()


def test_the_session_and_what_descends_from_it() -> None:
    tree = [process(10, session=10), process(11, session=10), process(12, 11, 12), process(13, session=99)]
    assert found(*tree, session=(10, 5)) == {10, 11, 12}


def test_a_session_lives_on_without_its_leader() -> None:
    assert found(process(11, session=10), session=(10, 5)) == {11}


def test_a_session_whose_number_was_given_anew_is_not_touched() -> None:
    again = [process(10, session=10, start=9), process(11, 10, 10)]
    assert found(*again, session=(10, 5)) == set()


def test_the_dead_do_not_count() -> None:
    assert found(process(10, session=10, state="Z"), session=(10, 5)) == set()


def test_bearers_of_the_marker() -> None:
    code = "import time; print(1, flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, MARKER: "job/1"},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert [p.pid for p in members(root=None, session=None, marker="job/1")] == [child.pid]
        for other in ("job/2", "job/11", "job"):
            assert members(root=None, session=None, marker=other) == []
    finally:
        child.kill()
        child.communicate()


def test_a_recycled_number_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    now = find(sleeper.pid)
    assert now is not None
    assert not send_signal((sleeper.pid, now.start - 1), signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(0.2)
    assert send_signal(now, signal.SIGKILL)
    assert sleeper.wait(5) == -signal.SIGKILL


def test_a_process_that_is_no_more_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    now = find(sleeper.pid)
    assert now is not None
    sleeper.kill()
    sleeper.wait()
    assert not send_signal(now, signal.SIGTERM)
    assert find(sleeper.pid) is None
    assert find_name(sleeper.pid) is None


def test_ourselves() -> None:
    me = find(os.getpid())
    assert me is not None
    assert (me.parent, me.session, me.dead) == (os.getppid(), os.getsid(0), False)
    assert table()[me.pid].start == me.start
    assert memory_bytes([me]) > 1_000_000
    assert boot_id() == boot_id() != ""


def test_children_are_listed(sleeper: subprocess.Popen[bytes]) -> None:
    # Of this very thread: the system keeps children by the thread that forked them.
    assert sleeper.pid in children(os.getpid())
    assert children(NOWHERE) == set()


def test_a_name_with_parentheses_and_blanks() -> None:
    code = (
        "import time; from onward.jobs.local.control import set_name;"
        " set_name('a) S (b'); print(1, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        now = find(child.pid)
        assert now is not None
        assert (now.parent, find_name(child.pid)) == (os.getpid(), "a) S (b")
    finally:
        child.kill()
        child.communicate()
