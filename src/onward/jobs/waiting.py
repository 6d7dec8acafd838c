"""How long an attempt waited for its worker to run."""

from __future__ import annotations

from datetime import datetime

from onward.errors import JobNotFoundError, StorageError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job

__all__ = ["waited_seconds"]

LOOKED_BACK = 8
"""Newest changes of state that are looked at: an attempt that runs has just made two of them."""


def waited_seconds(store: JobStore, job: Job, now: datetime) -> float | None:
    """Return the seconds from when the attempt was due; None when nobody can say.

    Parameters
    ----------
    store
        Asked for attempts after the first, which were due when the one before was given back or lost.
    job
        As claimed.
    now
        When its worker ran, UTC. Clocks of hosts may differ a little: this is a figure for people.
    """
    since = job.queued_at
    if job.attempt > 1:
        try:
            again = _queued_again(store, job)
        except (StorageError, JobNotFoundError):
            return None
        if again is None:
            return None
        since = again
    if job.request.run_after is not None:
        since = max(since, job.request.run_after)
    return max(0.0, (now - since).total_seconds())


def _queued_again(store: JobStore, job: Job) -> datetime | None:
    changes = store.events(job.id, kinds=("state",), newest=True, limit=LOOKED_BACK)
    return next((event.at for event in reversed(changes) if event.payload.get("state") == "queued"), None)
