"""Digests of events, kept between requests: a job of a night has told thirty thousand of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from onward.dashboard.views.job_events import Digest, digested

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore

__all__ = ["Digests"]

PAGE = 10_000


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
        while events := store.events(job_id, after=digest.seq, limit=PAGE):
            digest = digested(digest, events)
            if len(events) < PAGE:
                break
        with self._lock:
            kept = self._known.get(job_id)
            if kept is None or kept.seq < digest.seq:
                self._known[job_id] = digest
            self._known.move_to_end(job_id)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return digest
