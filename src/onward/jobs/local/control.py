"""What Linux offers beyond Python: processes that adopt orphans, and that die with their parent."""

from __future__ import annotations

import ctypes
import signal
import sys

__all__ = ["adopt_orphans", "die_with_parent", "set_name"]

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """Let descendants whose parent has died become children of this process; False where unsupported."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> bool:
    """Have this process killed when the thread that forked it ends; False where unsupported."""
    return _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def set_name(name: str) -> None:
    """Give this process the name that process lists show (15 characters)."""
    if sys.platform == "linux":
        _prctl(PR_SET_NAME, ctypes.create_string_buffer(name.encode()[:15]))


def _prctl(option: int, argument: object) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) == 0)
