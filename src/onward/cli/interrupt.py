"""Ctrl-C stops within a second, also while native code is at work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

__all__ = ["EXIT_CODE", "stop_within", "unhurried"]

EXIT_CODE = 130
"""What shells expect of a program that Ctrl-C ended (128 + SIGINT)."""

FAREWELL = b"\nStopped. Everything that was written is whole.\n"


@contextlib.contextmanager
def stop_within(seconds: float) -> Iterator[None]:
    """End this process that long after the first Ctrl-C, if it has not ended by itself.

    Python raises `KeyboardInterrupt` only between its own instructions, so a kernel or a booster
    that runs for a while would swallow the wait. The C-level signal handler writes to a socket
    that a thread waits on, and that thread ends the process when time is up. Leaving so abruptly
    is safe: files appear by renaming complete ones and databases by committing transactions.
    """
    if threading.current_thread() is not threading.main_thread():  # pragma: no cover - embedded use
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader, seconds), name="ctrl-c", daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(EXIT_CODE) from None
    finally:
        # The thread stays: what Python does at exit (joining threads) must not outlast it either.
        with contextlib.suppress(ValueError):
            signal.set_wakeup_fd(previous if previous >= 0 else writer.fileno())


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Take back, for a while, that Ctrl-C ends this process soon: who is inside ends in its own time."""
    previous = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous, warn_on_full_buffer=False)


def _watch(reader: socket.socket, seconds: float) -> None:
    while signal.SIGINT not in reader.recv(64):
        pass
    threading.Event().wait(seconds)
    os.write(2, FAREWELL)
    os._exit(EXIT_CODE)
