"""What the end of a job means to whoever waited for it: a message and an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onward import errors
from onward.cli.jobs.lines import job_words, ran, result_lines
from onward.cli.output import print_note
from onward.cli.problems import print_problem
from onward.cli.texts import duration

if TYPE_CHECKING:
    from onward.jobs.values import Job

__all__ = ["STOPPED", "exit_code", "print_outcome", "problem_of"]

STOPPED = 3
"""Exit code for a job that was stopped: neither done nor failed."""


def exit_code(job: Job) -> int:
    """Return the code with which the same work would have ended in the foreground; 3 when stopped."""
    if job.state == "cancelled":
        return STOPPED
    if job.state == "failed":
        return problem_of(job).exit_code
    found = job.result or {}
    return 1 if found.get("passed") is False else 0  # an audit that found a leak


def problem_of(job: Job) -> errors.OnwardError:
    """Return the error of a failed job, as it would have been raised."""
    told = job.error or {}
    named = getattr(errors, str(told.get("error")), None)
    known = isinstance(named, type) and issubclass(named, errors.OnwardError)
    remedy = told.get("remedy") or f"See its log: onward jobs logs {job.id}"
    # A worker that was lost or ran out of memory is nothing that the user did wrong.
    kind = named if known and job.reason == "error" and named is not errors.JobError else errors.OnwardError
    assert kind is not None
    problem: errors.OnwardError = kind(
        str(told.get("what") or WHY.get(job.reason or "", "The job failed")),
        got=told.get("got"),
        allowed=told.get("allowed"),
        remedy=" ".join(filter(None, (remedy, _again(job)))),
    )
    return problem


def _again(job: Job) -> str | None:
    """Return how to try a job again with more of what it ran out of."""
    option = {"oom": "--memory MB", "timeout": "--timeout SECONDS"}.get(job.reason or "")
    return option and f"Try it again: onward jobs retry {job.id} {option}"


WHY = {
    "worker_lost": "The worker of the job, or its host, was lost, and no attempt is left",
    "spawn_failed": "The worker of the job could not be started",
}


def print_outcome(job: Job, home: Path) -> None:
    """Write how a job ended: what it came to on standard output, what went wrong on standard error."""
    seconds = ran(job)
    time = "" if seconds is None else f" after {duration(seconds)}"
    print_note(f"{job.kind} {job.id}: {job_words(job)}{time}.")
    if job.state == "failed":
        print_problem(problem_of(job), as_json=False)
    for line in result_lines(job.result or {}, home):
        print_note(f"  {line}")
