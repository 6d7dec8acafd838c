"""Jobs in the states that tests of the command line need."""

from __future__ import annotations

from onward.jobs.values import Job, JobRequest, Lease, Outcome, WorkerIdentity
from onward.wiring import Application

__all__ = ["SMALL", "SOMEBODY", "begun", "ended_in", "lease_of"]

SMALL = """
[features]
stages = ["manual"]
[features.manual]
families = ["returns"]
[labels]
horizon_bars = 6
window_bars = 48
[validation]
n_splits = 3
[selection]
n_shifts = 20
[model]
n_rounds = 5
[evaluation]
n_shifts = 100
[training]
n_threads = 1
"""
SOMEBODY = WorkerIdentity("elsewhere", "boot", 4711, 1, 4711)


def lease_of(job: Job) -> Lease:
    assert job.owner is not None
    return Lease(job.id, job.owner, job.attempt, job.beat)


def begun(application: Application, kind: str = "train") -> Job:
    """Return a job that somebody elsewhere is running."""
    store = application.job_store
    store.submit(JobRequest(kind, {}))
    (job,) = store.claim("elsewhere:1", limit=1)
    assert store.started(lease_of(job), SOMEBODY)
    return store.get(job.id)


def ended_in(application: Application, job: Job, outcome: Outcome) -> None:
    assert application.job_store.finish(lease_of(job), outcome)
