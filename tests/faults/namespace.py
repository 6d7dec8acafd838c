"""Process numbers of one's own: a Linux pid namespace, in which numbers can be used again at will."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["in_a_namespace", "no_namespace", "use_again"]

NEW_PIDS, NEW_MOUNTS = 0x20000000, 0x00020000
RECURSIVE_PRIVATE = 0x4000 | 0x40000
LAST_NUMBER = Path("/proc/sys/kernel/ns_last_pid")
TRIES = 500


def no_namespace() -> str | None:
    """Return why there can be no namespace here; None when there can."""
    if sys.platform != "linux" or not LAST_NUMBER.exists():
        return "the system cannot choose process numbers (Linux with CONFIG_CHECKPOINT_RESTORE can)"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _unshare()
            code = 0
        finally:
            os._exit(code)
    return None if os.waitpid(pid, 0)[1] == 0 else "a pid namespace needs CAP_SYS_ADMIN"


def in_a_namespace(work: Callable[[], None]) -> None:
    """Do it in a namespace; returns when it is done and nothing of it is left."""
    _unshare()
    first = os.fork()
    if first == 0:
        try:
            _be_first(work)
        finally:
            os._exit(0)  # which ends everything in the namespace
    os.waitpid(first, 0)


def _be_first(work: Callable[[], None]) -> None:
    """Be number 1: inherit whoever loses its parent, and read its end."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mount(b"none", b"/", None, RECURSIVE_PRIVATE, None)
    if library.mount(b"proc", b"/proc", b"proc", 0, None) != 0:
        raise OSError(ctypes.get_errno(), "/proc cannot be mounted")
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    while os.wait()[0] != child:
        pass


def _unshare() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(NEW_PIDS | NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "no namespace for us")


def use_again(pid: int, start: Callable[[], int], end: Callable[[], None]) -> None:
    """Have ``start`` begin a process that gets a number; ``end`` ends one that got another."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            LAST_NUMBER.write_text(str(pid - 1))
        if start() == pid:
            return
        end()
        time.sleep(0.01)
    raise AssertionError(f"nobody got the number {pid}")
