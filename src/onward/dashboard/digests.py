"""Digests of events, kept between requests: a job of a night has told thirty thousand of them.

Nearly all of these say how far it had come at some moment. A page needs the newest of them, the
newest lines of the log, and the few that it shows each: states, stages, scores. So of a long history
only those are read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from onward.dashboard.views.job_events import KEPT_LINES, Digest, digested

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import JobEvent

__all__ = ["Digests"]

PAGE = 10_000
FEW = 500
"""Events that are read whole; when there are more, those that show nothing are left out."""
SHOWN_EACH = ("state", "stage", "score")
LINES = ("log", "alarm")


class Digests:
    """The digests of the jobs that were looked at last; from any thread.

    Events are never changed, so what is known of a job is only ever added to.

    Parameters
    ----------
    most
        Jobs that are remembered.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._known: OrderedDict[str, Digest] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, store: JobStore, job_id: str) -> Digest:
        """Return the digest of all events of a job that there are by now.

        Raises
        ------
        JobNotFoundError
            When there is no such job.
        """
        with self._lock:
            digest = self._known.get(job_id, Digest())
        events = store.events(job_id, after=digest.seq, limit=FEW)
        digest = digested(digest, events)
        if len(events) == FEW:
            digest = _condensed(store, job_id, digest)
        with self._lock:
            kept = self._known.get(job_id)
            if kept is None or kept.seq < digest.seq:
                self._known[job_id] = digest
            self._known.move_to_end(job_id)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return digest


def _condensed(store: JobStore, job_id: str, digest: Digest) -> Digest:
    """Return what the rest of the events adds, of which only those are read that show."""
    last = next(iter(store.events(job_id, after=digest.seq, limit=1, newest=True)), None)
    if last is None:
        return digest
    found = _all(store, job_id, SHOWN_EACH, digest.seq)
    found += store.events(job_id, after=digest.seq, limit=1, kinds=("progress",), newest=True)
    found += store.events(job_id, after=digest.seq, limit=KEPT_LINES, kinds=LINES, newest=True)
    # What came between these looks is for the next one, or for the stream: it begins behind `last`.
    events = sorted((event for event in found if event.seq <= last.seq), key=lambda event: event.seq)
    return replace(digested(digest, events), seq=last.seq)


def _all(store: JobStore, job_id: str, kinds: tuple[str, ...], after: int) -> list[JobEvent]:
    found: list[JobEvent] = []
    while page := store.events(job_id, after=after, limit=PAGE, kinds=kinds):
        found += page
        after = page[-1].seq
        if len(page) < PAGE:
            break
    return found
