"""The newest events of one job, kept for everybody who follows it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from onward.jobs.states import TERMINAL
from onward.jobs.values import JobEvent

__all__ = ["Channel", "is_last"]

KEPT = 1000


class Channel:
    """Events of one job from some number on; used on one event loop.

    Parameters
    ----------
    newest
        Number after which the channel begins.
    """

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.followers = 0
        self.ended = False
        self.gone = False
        self._events: deque[JobEvent] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    def begin(self, after: int) -> None:
        """Reach back to a follower's number; the first one may have named a number yet to come."""
        if not self._events:
            self.newest = min(self.newest, after)

    def add(self, events: Sequence[JobEvent]) -> None:
        """Take in events that follow the newest one, and wake whoever waits."""
        fresh = [event for event in events if event.seq > self.newest]
        if fresh:
            self._events.extend(fresh)
            self.newest = fresh[-1].seq
            self._wake()

    def end(self, *, gone: bool = False) -> None:
        """Let every follower leave; ``gone``: because the job was deleted."""
        self.ended, self.gone = True, gone
        self._wake()

    def after(self, seq: int) -> Sequence[JobEvent] | None:
        """Return events after a number; None when the channel does not reach back that far."""
        oldest = self._events[0].seq if self._events else self.newest + 1
        if seq + 1 < oldest:
            return None
        return [event for event in self._events if event.seq > seq]

    @property
    def news(self) -> asyncio.Event:
        """Set when something comes; take it before looking, so that nothing is missed."""
        return self._news

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def is_last(event: JobEvent) -> bool:
    """Return whether nothing follows an event: the job has ended."""
    return event.kind == "state" and event.payload.get("state") in TERMINAL
