"""Signals that tell a worker to end, heard in an order that leaves jobs time."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from onward.cli.interrupt import EXIT_CODE, unhurried

__all__ = ["Ending", "told_to_end"]

AT_ONCE = 3
"""Signals after which the process ends without another word; wardens end what it ran."""


class Ending:
    """How often the worker was told to end.

    A signal handler runs between any two instructions of the main thread, also while that holds a
    lock: it only counts, and whoever waits looks.
    """

    def __init__(self) -> None:
        self.times = 0

    @property
    def asked(self) -> bool:
        """Whether it was told at all."""
        return self.times > 0


@contextlib.contextmanager
def told_to_end() -> Iterator[Ending]:
    """Count SIGTERM, SIGINT and the loss of the terminal instead of ending by them."""
    ending = Ending()
    at_terminal = sys.stderr.isatty()

    def count(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        ending.times += 1
        if ending.times >= AT_ONCE:
            os._exit(EXIT_CODE)

    def hang_up(number: int, frame: FrameType | None) -> None:
        if at_terminal:  # writing to a terminal that is gone would end whoever logs
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        count(number, frame)

    handlers = {signal.SIGTERM: count, signal.SIGINT: count, signal.SIGHUP: hang_up}
    with unhurried():
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield ending
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
