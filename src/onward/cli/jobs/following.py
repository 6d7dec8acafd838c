"""Looking at a job again and again until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onward.errors import StorageError

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job, JobEvent

__all__ = ["QUIET_SECONDS", "Concern", "Sight", "follow"]

LOOK_SECONDS = 0.3
UNTAKEN_SECONDS = 5.0
"""After which somebody who waits is told that nobody takes the job."""
QUIET_SECONDS = 15.0
"""After which somebody who waits is told that the owner's heartbeat stands still."""
PAGE = 1000


@dataclass(frozen=True)
class Sight:
    """What one look at a job showed.

    Attributes
    ----------
    job
        As it stood; when it has ended, all of its events have been seen.
    events
        Those that are new.
    """

    job: Job
    events: tuple[JobEvent, ...]


class Concern:
    """Notices what somebody who waits for a job should know, and says each thing once.

    Time is monotonic, and the heartbeat is a number that must grow: clocks of other machines say
    nothing here.
    """

    def __init__(self) -> None:
        self._seen: tuple[str, int, int] | None = None
        self._since = 0.0
        self._said = False

    def about(self, job: Job, now: float) -> str | None:
        """Return a sentence when there is something new to be said."""
        seen = (job.state, job.attempt, job.beat)
        if seen != self._seen:
            self._seen, self._since, self._said = seen, now, False
        waited = now - self._since
        if self._said or job.finished_at is not None:
            return None
        if job.state == "queued" and waited >= UNTAKEN_SECONDS:
            self._said = True
            if job.request.run_after is not None:
                return f"It is not to start before {job.request.run_after:%Y-%m-%d %H:%M:%S} UTC."
            return (
                "Nobody has taken it yet: all workers are busy, none knows jobs of kind "
                f"{job.kind!r}, or there is none (onward worker)."
            )
        if job.state != "queued" and waited >= QUIET_SECONDS:
            self._said = True
            return (
                f"No heartbeat of its owner {job.owner} for {waited:.0f} s. If that is dead, another worker "
                "or server takes the job over; start one if there is none: onward worker"
            )
        return None


def follow(
    store: JobStore, job_id: str, *, after: int = 0, away: Callable[[StorageError], None] | None = None
) -> Iterator[Sight]:
    """Give what there is to see of a job, now and whenever it is looked at again, until it has ended.

    Parameters
    ----------
    store
        Where jobs are.
    job_id
        Whole id.
    after
        Number of the last event that is known already.
    away
        Told once of each time that the database does not answer; looking goes on. Without it the
        error is raised.

    Raises
    ------
    JobNotFoundError
        When there is no such job, or not any more.
    """
    silent = False
    while True:
        try:
            job = store.get(job_id)  # before the events: an ended job gets no more of them
            events = _new(store, job_id, after)
        except StorageError as error:
            if away is None:
                raise
            if not silent:
                away(error)
            silent = True
        else:
            silent = False
            after = events[-1].seq if events else after
            yield Sight(job, events)
            if job.finished_at is not None:
                return
        time.sleep(LOOK_SECONDS)


def _new(store: JobStore, job_id: str, after: int) -> tuple[JobEvent, ...]:
    found: list[JobEvent] = []
    while page := store.events(job_id, after=after, limit=PAGE):
        found += page
        after = page[-1].seq
        if len(page) < PAGE:
            break
    return tuple(found)
