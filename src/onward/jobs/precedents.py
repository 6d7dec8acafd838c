"""Which earlier job tells how long one will take, and the course that it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onward.jobs.course import Course, course_of
from onward.jobs.kinds import JobKind
from onward.jobs.logs import Logger
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, JobRequest

__all__ = ["alike", "most_alike", "precedent"]

LOOKS_BACK = 25
"""Jobs of the kind that succeeded last, among which one is looked for."""
MOST_EVENTS = 10_000
MARKS = ("state", "stage", "progress")


def precedent(store: JobStore, job: Job, kind: JobKind, log: Logger) -> Course:
    """Return the course of the newest job that is most like this one; empty without any.

    Asks the database twice at most, once a job (three times after one that told of very much).
    """
    try:
        other = most_alike(store, job, kind)
        return () if other is None else _course(store, other)
    except Exception as error:  # whatever it is: an estimate must not cost a job
        log.warning("no_precedent", error=str(error))
        return ()


def most_alike(store: JobStore, job: Job, kind: JobKind) -> Job | None:
    """Return the newest of the jobs that are most like one, by what its kind says of their requests."""
    return alike(store, job.request, kind.likeness)


def alike(
    store: JobStore, request: JobRequest, likeness: Callable[[Mapping[str, Any]], Sequence[str]]
) -> Job | None:
    """Return the newest of the jobs that are most like what is asked for.

    Only what succeeded in one go counts: an attempt that went on from what another one had finished
    did less. So does only what ran in the same backend, for the same tenant.
    """
    own = tuple(likeness(request.spec))
    if not own:
        return None
    page = store.find(states=("succeeded",), kinds=(request.kind,), tenant=request.tenant, limit=LOOKS_BACK)
    whole = [
        (other, tuple(likeness(other.request.spec)))
        for other in page.jobs
        if other.attempt == 1
        and (other.retry_of is None or other.fresh)
        and other.request.backend == request.backend
    ]
    for level, name in enumerate(own):
        for other, names in whole:
            if names[level : level + 1] == (name,):
                return other
    return None


def _course(store: JobStore, job: Job) -> Course:
    events = store.events(job.id, kinds=MARKS, limit=MOST_EVENTS)
    if len(events) == MOST_EVENTS:  # its stages alone then, and how far they were is taken to rise evenly
        events = store.events(job.id, kinds=MARKS[:2], limit=MOST_EVENTS)
    return course_of(events)
