"""Ctrl-C stops within a second, also while native code is at work; SIGTERM and a lost terminal stop alike."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["EXIT_CODE", "stop_within", "unhurried"]

EXIT_CODE = 130
"""What shells expect of a program that Ctrl-C ended (128 + SIGINT)."""

ENDINGS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Told by whoever ends programs (systemd, ``timeout``, a lost terminal): they end as by Ctrl-C."""

UNHURRIED = 4
"""Times the seconds of Ctrl-C that they leave: systemd waits 90 s, containers 10."""

FAREWELL = b"\nStopped. Everything that was written is whole.\n"


@contextlib.contextmanager
def stop_within(seconds: float) -> Iterator[None]:
    """End this process that long after the first Ctrl-C, if it has not ended by itself.

    Python raises `KeyboardInterrupt` only between its own instructions, so a kernel or a booster
    that runs for a while would swallow the wait. The C-level signal handler writes to a socket
    that a thread waits on, and that thread ends the process when time is up. Leaving so abruptly
    is safe: files appear by renaming complete ones and databases by committing transactions.

    SIGTERM and SIGHUP, unless whoever started this process had them ignored (``nohup``), do the same
    with exit codes of their own: what runs is to be written down as stopped, whoever stopped it.
    """
    if threading.current_thread() is not threading.main_thread():  # pragma: no cover - embedded use
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader, seconds), name="ctrl-c", daemon=True).start()
    told: list[int] = []
    unraisable = sys.unraisablehook
    sys.unraisablehook = lambda lost: _not_lost(lost, told, unraisable)
    heard = [number for number in ENDINGS if signal.getsignal(number) == signal.SIG_DFL]
    for number in heard:
        signal.signal(number, lambda number, _: _interrupt(number, told))
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(_code(told)) from None
    except SystemExit as end:
        if told and end.code in (EXIT_CODE, 1):  # whoever caught the interrupt took it for Ctrl-C
            raise SystemExit(_code(told)) from None
        raise
    finally:
        sys.unraisablehook = unraisable
        for number in heard:
            signal.signal(number, signal.SIG_DFL)
        # The thread stays: what Python does at exit (joining threads) must not outlast it either.
        with contextlib.suppress(ValueError):
            signal.set_wakeup_fd(previous if previous >= 0 else writer.fileno())


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Take back, for a while, what `stop_within` set up: who is inside ends in its own time and way."""
    previous = signal.set_wakeup_fd(-1)
    own = {number: handler for number in ENDINGS if callable(handler := signal.getsignal(number))}
    for number in own:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous, warn_on_full_buffer=False)


def _not_lost(lost: Any, told: list[int], otherwise: Callable[[Any], object]) -> None:
    """Interrupt again where a callback from native code (numba's) swallowed it: nothing would be closed."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        number = told[0] if told else signal.SIGINT
        threading.Timer(0.02, _thread.interrupt_main, (number,)).start()  # here it would be lost again
    else:
        otherwise(lost)


def _interrupt(number: int, told: list[int]) -> None:
    told.append(number)
    if number != signal.SIGTERM:  # the terminal is gone: what is said on the way out must not fail there
        for descriptor in (1, 2):
            with contextlib.suppress(OSError):
                if os.isatty(descriptor):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    raise KeyboardInterrupt


def _code(told: list[int]) -> int:
    """Return what shells expect of a program that the first of these signals ended."""
    return 128 + told[0] if told else EXIT_CODE


def _watch(reader: socket.socket, seconds: float) -> None:
    while not (ends := [number for number in reader.recv(64) if number in (signal.SIGINT, *ENDINGS)]):
        pass
    # Nobody sits before a program that another ends: it gets longer to write down that it was stopped.
    threading.Event().wait(seconds if ends[0] == signal.SIGINT else UNHURRIED * seconds)
    with contextlib.suppress(OSError):  # a terminal that is gone
        os.write(2, FAREWELL)
    os._exit(128 + ends[0])
