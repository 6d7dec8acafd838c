"""How long work has taken and how long it will take, from what is done so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.types import ProgressEvent

__all__ = ["Pace"]


class Pace:
    """The pace of one stage of work.

    The time left is the work left at the average pace since the first event. Events count work
    (estimated seconds, folds, trials), so the average over the whole stage says more than the
    last few events; between events the time left counts down.

    Moments are seconds of any clock that does not run backwards.
    """

    def __init__(self, event: ProgressEvent, now: float) -> None:
        self.started = now
        self._first = event.done
        self._last = event
        self._noted = now

    def note(self, event: ProgressEvent, now: float) -> None:
        """Take note of an event."""
        self._last = event
        self._noted = now

    def elapsed(self, now: float) -> float:
        """Return the seconds since the first event."""
        return now - self.started

    def left(self, now: float) -> float | None:
        """Return the seconds that are left; None when that cannot be told yet."""
        event = self._last
        if event.total and event.done >= event.total:
            return 0.0
        done, seconds = event.done - self._first, self._noted - self.started
        if not event.total or done <= 0 or seconds <= 0:
            return None
        return max((event.total - event.done) * seconds / done - (now - self._noted), 0.0)
