"""What is said about a stop, and waiting until it has come about."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from onward.cli.jobs.following import Concern, follow
from onward.cli.jobs.lines import state_words
from onward.cli.texts import duration

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job, StopReply

__all__ = ["told", "waited"]


def told(reply: StopReply) -> str:
    """Return what the store's answer to a stop means."""
    job = reply.job
    name = f"{job.kind} {job.id}"
    if reply.accepted and job.state == "cancelled":
        return f"{name}: cancelled; it had not begun."
    if reply.accepted:
        return f"{name}: stopping, on {_where(job)}."
    if job.finished_at is None:
        return f"{name}: stopping already; a stop was asked for before."
    ended = f"{state_words(job.state, job.reason, 1)} at {job.finished_at:%Y-%m-%d %H:%M:%S} UTC"
    was = "was " if job.state == "cancelled" else ""
    return f"{name}: nothing to stop, it {was}{ended}."


def waited(store: JobStore, job: Job) -> tuple[Job, str]:
    """Return a job once it has ended, and a sentence that says how."""
    began, concern = time.monotonic(), Concern()
    for sight in follow(store, job.id):
        job = sight.job
        remark = concern.about(job, time.monotonic())
        if remark is not None:
            sys.stderr.write(remark + "\n")
    time_taken = duration(time.monotonic() - began)
    if job.state == "cancelled":
        proof = "no process of it is left" + ("" if job.identity is None else f" on {_where(job)}")
        return job, f"{job.kind} {job.id}: cancelled after {time_taken}; {proof}."
    words = state_words(job.state, job.reason, 1)
    return job, f"{job.kind} {job.id}: {words}; it ended before the stop reached it."


def _where(job: Job) -> str:
    if job.identity is None:
        return "the worker that starts it"
    return f"{job.identity.host} (process {job.identity.pid})"
