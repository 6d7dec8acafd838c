"""A descriptor that wakes whoever polls when a child has ended."""

from __future__ import annotations

import contextlib
import os
import signal

__all__ = ["deaths", "forget_deaths", "quieten"]


def deaths() -> int:
    """Return a descriptor that can be read once a child has ended, or one that was adopted; see `quieten`.

    For the main thread of a process. What it forks would write to the same pipe: see `forget_deaths`.
    """
    end, writing = os.pipe()
    for descriptor in (end, writing):
        os.set_blocking(descriptor, False)
    signal.signal(signal.SIGCHLD, _heard)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return end


def quieten(end: int) -> None:
    """Take out what was heard, before looking who has ended."""
    with contextlib.suppress(BlockingIOError):
        os.read(end, 4096)


def forget_deaths() -> None:
    """Hear of children no more, as a process does that was just forked."""
    writing = signal.set_wakeup_fd(-1)
    if writing != -1:
        os.close(writing)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _heard(number: int, frame: object) -> None:
    """Let the signal interrupt the wait; the descriptor tells of it."""
