"""Progress on standard error: bars with the time left in a terminal, lines elsewhere; scores as they come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from onward.cli.pace import Pace
from onward.cli.texts import duration, scored

if TYPE_CHECKING:
    from onward.protocols import Progress
    from onward.types import ProgressEvent

__all__ = ["LineProgress", "shown_progress"]

LINE_SECONDS = 10.0
"""How often long work without a terminal says how far it has come."""


@contextmanager
def shown_progress(*, plain: bool) -> Iterator[Progress]:
    """Give a `Progress` that draws bars, or writes lines when plain or not in a terminal."""
    if plain or not sys.stderr.isatty():
        lines = LineProgress()
        yield lines
        lines.close()
        return
    from rich.console import Console

    from onward.cli.bars import BarProgress, bars_on

    with bars_on(Console(stderr=True)) as bars:
        yield BarProgress(bars)


class LineProgress:
    """Write one line when a stage ends, with its duration, and one now and then while it is long.

    Scores (of a fold, or a trial) are lines of their own, as they come.

    Parameters
    ----------
    every
        Seconds between two lines of a stage that goes on.
    """

    def __init__(self, every: float = LINE_SECONDS) -> None:
        self._every = every
        self._last: ProgressEvent | None = None
        self._pace: Pace | None = None
        self._written = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of an event."""
        now = time.monotonic()
        if self._last is None or self._pace is None or self._last.stage != event.stage:
            self.close()
            self._pace, self._written = Pace(event, now), now
        self._last = event
        self._pace.note(event, now)
        if line := scored(event):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        if event.total and event.done >= event.total:
            self.close()
        elif now - self._written >= self._every:
            self._written = now
            self._write(event, f"{_amount(event)}, {self._times(self._pace, now)}")

    def close(self) -> None:
        """Write the last line of the stage at work, if any."""
        if self._last is None or self._pace is None:
            return
        event, self._last = self._last, None
        self._write(event, f"{_amount(event)} in {self._pace.elapsed(time.monotonic()):.1f} s")

    @staticmethod
    def _times(pace: Pace, now: float) -> str:
        so_far, left = f"{duration(pace.elapsed(now))} so far", pace.left(now)
        return so_far if left is None else f"{so_far}, about {duration(left)} left"

    @staticmethod
    def _write(event: ProgressEvent, text: str) -> None:
        sys.stderr.write(f"{event.stage}: {text}" + (f" ({event.message})" if event.message else "") + "\n")
        sys.stderr.flush()


def _amount(event: ProgressEvent) -> str:
    """Return how much is done: whole units are counted, shares of work are given in percent."""
    if not event.total:
        return f"{event.done:g}"
    if float(event.total).is_integer() and float(event.done).is_integer():
        return f"{event.done:g}/{event.total:g}"
    return f"{event.done / event.total:.0%}"
