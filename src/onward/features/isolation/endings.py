"""What became of a child process, in words: the errors that its calls end with."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from typing import Any

from onward.errors import OnwardError, StorageError
from onward.features.isolation.errors import (
    ChildCrashError,
    ChildKilledError,
    ChildMemoryError,
    ChildTimeoutError,
    IsolationError,
)

__all__ = ["ended", "refused_memory", "storage_refused", "timed_out", "too_large", "what_it_raised"]

FALLEN_OVER = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)


def timed_out(seconds: float, state: str, log: str) -> ChildTimeoutError:
    """Return the error of a child that was killed because its time was up."""
    return ChildTimeoutError(
        f"a child process timed out after {seconds:g} s and was killed",
        got=state,
        allowed=f"{seconds:g} s",
        remedy="Give it more time, or less to do.",
        log=log,
    )


def too_large(memory: int, limit: int, log: str) -> ChildMemoryError:
    """Return the error of a child that was killed because of its resident memory, in bytes."""
    return ChildMemoryError(
        "a child process used more memory than it was given and was killed",
        got=f"{memory / 1e9:.2f} GB",
        allowed=f"{limit / 1e9:.2f} GB",
        remedy="Give it more memory, or less to do.",
        log=log,
    )


def refused_memory(state: str, log: str) -> ChildMemoryError:
    """Return the error of a child whose allocation the system refused."""
    return ChildMemoryError(
        "a child process was refused memory",
        got=state,
        remedy="Give it more, or less to do.",
        log=log,
    )


def ended(code: int, state: str, log: str) -> IsolationError:
    """Return the error of a child that ended by itself or by somebody else.

    Parameters
    ----------
    code
        The guardian's exit code: below 0 the signal that ended the guardian; above 128 that and
        the signal which ended the worker.
    state
        Memory and call, for the message.
    log
        Last lines of the child.
    """
    number = -code if code < 0 else code - 128
    if number in FALLEN_OVER:
        return ChildCrashError(
            f"a child process crashed in native code ({signal.Signals(number).name})",
            got=_last_line(log) or state,
            remedy="Look at the log of this error; a library in the child is broken or was fed badly.",
            log=log,
        )
    if number in set(signal.Signals):
        return ChildKilledError(
            f"a child process was killed by the system or by somebody ({signal.Signals(number).name})",
            got=state,
            remedy="Most often memory ran out: close other programs, lower its memory limit so that"
            " it takes less, or give it less to do.",
            log=log,
        )
    return ChildCrashError(
        "a child process ended without an answer",
        got=_last_line(log) or f"exit code {code}",
        remedy="Look at the log of this error.",
        log=log,
    )


def what_it_raised(error: Mapping[str, Any]) -> OnwardError:
    """Return an exception of the child's function: Onward's own as it was, others as a crash."""
    ours = getattr(sys.modules[OnwardError.__module__], error["class"], None) if error["ours"] else None
    if ours is not None:
        told = error["ours"]
        same: OnwardError = ours(
            told["what"],
            got=told["got"],
            allowed=told["allowed"],
            remedy=told["remedy"],
            settings=() if told["setting"] is None else (told["setting"],),
        )
        return same
    return ChildCrashError(
        "a child process raised an exception",
        got=f"{error['class']}: {error['text']}",
        remedy="Look at the log of this error.",
        log=error["traceback"],
    )


def storage_refused(done: str, error: OSError) -> StorageError:
    """Return the error of arrays that cannot be "written for" or "read from" a child."""
    return StorageError(
        f"arrays cannot be {done} a child process",
        got=f"{type(error).__name__}: {error}",
        remedy="Free disk space where temporary files go (TMPDIR).",
    )


def _last_line(log: str) -> str:
    return log.rpartition("\n")[2][:300]
