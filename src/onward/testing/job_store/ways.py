"""Ways that the checks go again and again: a request, a claimed attempt, threads that start together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from onward.errors import OnwardError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, JobRequest, Lease, Outcome, WorkerIdentity

__all__ = [
    "IDENTITY",
    "SUCCESS",
    "attempt",
    "breaks",
    "current",
    "lease_of",
    "refused",
    "request",
    "running",
    "together",
]

T = TypeVar("T")

IDENTITY = WorkerIdentity("host-1", "boot-1", 4711, 123_456_789, 4711)
SUCCESS = Outcome("succeeded", result={"auc": 0.53})


def request(number: int = 0, **changes: Any) -> JobRequest:
    """Return a request; different numbers ask for different things."""
    return JobRequest("train", {"plan": {"seed": number}, "symbols": ["BTC/USD"]}, **changes)


def attempt(store: JobStore, owner: str = "owner-1", **changes: Any) -> Lease:
    """Submit a job and claim it; nothing else may be queued."""
    job = store.submit(request(**changes)).job
    (claimed,) = store.claim(owner, limit=1)
    assert claimed.id == job.id
    return lease_of(claimed)


def running(store: JobStore, owner: str = "owner-1", **changes: Any) -> Lease:
    """Submit a job, claim it, and write its process down."""
    lease = attempt(store, owner, **changes)
    assert store.started(lease, IDENTITY)
    return lease


def lease_of(job: Job) -> Lease:
    """Return the lease of a job that is held."""
    assert job.owner is not None
    return Lease(job.id, job.owner, job.attempt, job.beat)


def current(store: JobStore, job_id: str) -> Lease:
    """Return the lease of a job with the heartbeat that it has now."""
    (lease,) = [lease for lease in store.leases() if lease.job_id == job_id]
    return lease


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run calls in threads that start at the same moment, and return what they gave."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def breaks(connection: object) -> None:  # noqa: ARG001
    """Publish nothing, and fail at it."""
    raise ZeroDivisionError


def refused(call: Callable[[], object], kind: type[OnwardError]) -> OnwardError:
    """Return the error that a call must raise."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was promised")
