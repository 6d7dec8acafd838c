"""Processes of this machine: who they are, which belong together, and signals that hit nobody else.

Linux answers from ``/proc`` and signals through pidfds, which cannot hit a recycled number. Where
these are missing (macOS), psutil answers, and identity is checked right before ``kill``: a window
of microseconds remains in which a number could be recycled.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "MARKER",
    "Process",
    "boot_id",
    "children",
    "find",
    "find_name",
    "host_name",
    "members",
    "memory_bytes",
    "send_signal",
    "table",
]

MARKER = "ONWARD_JOB_ATTEMPT"
"""Environment variable ``<job>/<attempt>``, visible in whatever an attempt executes."""
PROC = Path("/proc")
LINUX = sys.platform == "linux"
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes
    ----------
    start
        When it began: clock ticks since boot (elsewhere milliseconds since 1970). Number and
        start together name one process for ever.
    """

    pid: int
    parent: int
    session: int
    start: int
    state: str

    @property
    def dead(self) -> bool:
        """Whether only its entry is left, waiting for its parent to read it."""
        return self.state in "ZX"


@cache
def host_name() -> str:
    """Return the name of this machine."""
    return socket.gethostname()[:200]


@cache
def boot_id() -> str:
    """Return what names this boot of the machine."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


def find(pid: int) -> Process | None:
    """Return the process with a number; None when there is none."""
    if LINUX:
        return _parse(pid)
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            state = "Z" if process.status() == psutil.STATUS_ZOMBIE else "S"
            return Process(pid, process.ppid(), os.getsid(pid), int(process.create_time() * 1000), state)
    except (psutil.Error, OSError):
        return None


def find_name(pid: int) -> str | None:
    """Return the name that a process shows; None when there is none, or it has ended."""
    process = find(pid)
    if process is None or process.dead:
        return None
    name = _read(PROC / str(pid) / "comm")
    return None if name is None else name.decode(errors="replace").rstrip("\n")


def raise_if_exhausted(error: OSError) -> None:
    """Raise an error that tells of this process or its machine, not of what was to be looked at."""
    if error.errno in EXHAUSTED:
        raise error


def children(pid: int) -> set[int]:
    """Return the children that the main thread of a process has; empty where the system does not say."""
    return {int(text) for text in (_read(PROC / f"{pid}/task/{pid}/children") or b"").split()}


def table() -> dict[int, Process]:
    """Return every process by its number."""
    if LINUX:
        pids: Iterable[int] = (int(name) for name in os.listdir(PROC) if name.isdigit())  # noqa: PTH208
    else:
        import psutil

        pids = psutil.pids()
    found = (find(pid) for pid in pids)
    return {process.pid: process for process in found if process is not None}


def members(
    *,
    root: tuple[int, int] | None,
    session: tuple[int, int] | None,
    marker: str,
    processes: Mapping[int, Process] | None = None,
) -> list[Process]:
    """Return the living processes that belong to an attempt.

    Parameters
    ----------
    root
        Number and start of the process under which everything of the attempt lives, which is
        not counted itself.
    session
        Number and start of the worker, which leads a session of that number.
    marker
        Value of `MARKER` in the environment of what the attempt executes.
    processes
        From `table`; default is a look now.

    Descendants of the root, members of the session, bearers of the marker, and the descendants of
    all of these.
    """
    processes = table() if processes is None else processes
    if session is not None and (leader := processes.get(session[0])) and leader.start != session[1]:
        session = None  # the number was given anew, which happens only once nobody is left in there
    found: set[int] = set()
    if root is not None and root[0] in processes and processes[root[0]].start == root[1]:
        found.add(root[0])
    for process in processes.values():
        of_session = session is not None and process.session == session[0]
        if of_session or process.pid in found or _marked(process.pid, marker):
            found.add(process.pid)
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    if root is not None:
        found.discard(root[0])
    found.discard(os.getpid())
    return [processes[pid] for pid in found if not processes[pid].dead]


def send_signal(process: Process | tuple[int, int], number: signal.Signals) -> bool:
    """Send a signal to exactly this process; False when it is no more, or is not ours.

    Raises
    ------
    OSError
        When this process cannot look whom it would meet; then nothing was sent.
    """
    pid, start = (process.pid, process.start) if isinstance(process, Process) else process
    if not LINUX or not hasattr(os, "pidfd_open"):
        now = find(pid)
        if now is None or now.start != start:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        raise_if_exhausted(error)
        return False
    try:
        # The descriptor holds on to one process; if that is the one meant, it stays so.
        now = find(pid)
        if now is None or now.start != start:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError as error:
        raise_if_exhausted(error)
        return False
    finally:
        os.close(descriptor)
    return True


def memory_bytes(processes: Iterable[Process]) -> int:
    """Return what processes hold in memory, pages that several of them share divided among them."""
    return sum(_memory(process.pid) for process in processes)


def _memory(pid: int) -> int:
    if not LINUX:
        import psutil

        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, IndexError):
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _read(path: Path) -> bytes | None:
    """Return what a file of a process says; None when the process is no more, or is not ours to look at.

    Raises
    ------
    OSError
        When this process cannot look at anything now: that says nothing about who lives.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise_if_exhausted(error)
        return None


def _parse(pid: int) -> Process | None:
    data = _read(PROC / str(pid) / "stat")
    if data is None:
        return None
    text = data.decode(errors="replace")
    # The name stands in parentheses and may itself contain parentheses and blanks.
    fields = text[text.rindex(")") + 2 :].split()
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0])


def _marked(pid: int, marker: str) -> bool:
    if not LINUX:
        import psutil

        try:
            return bool(psutil.Process(pid).environ().get(MARKER) == marker)
        except (psutil.Error, OSError):
            return False
    environment = _read(PROC / str(pid) / "environ") or b""
    return f"{MARKER}={marker}".encode() in environment.split(b"\0")
