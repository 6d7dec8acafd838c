"""One job with everything that is worth knowing about it, for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onward.cli.jobs.lines import (
    event_line,
    job_words,
    learns_from,
    ran,
    requeued,
    result_lines,
    silence,
    work_done,
)
from onward.cli.jobs.outcome import problem_of
from onward.cli.output import as_cell, print_note
from onward.cli.problems import print_problem
from onward.cli.texts import duration
from onward.jobs.remaining import silent_seconds, time_left, told_left

if TYPE_CHECKING:
    from onward.config.jobs import JobConfig
    from onward.jobs.values import Job, JobEvent

__all__ = ["print_job"]


def print_job(
    job: Job, events: Sequence[JobEvent], home: Path, times: JobConfig, *, each: bool = False
) -> None:
    """Write a job: conditions, times, owner, progress, result or error.

    Parameters
    ----------
    job, events
        The job with all its events.
    home
        Where its files are.
    times
        After which silence of its server that is worth a word, and what becomes of the job then.
    each
        Whether to write every event too.
    """
    print_note(f"{job.kind} {job.id}: {job_words(job)}")
    for name, value in _facts(job, events, home / "jobs" / job.id, times):
        if value is not None and value != "":
            print_note(f"  {name + ':':<14}{as_cell(value)}")
    for line in result_lines(job.result or {}, home):
        print_note(f"  {line}")
    if job.state == "failed":
        print_problem(problem_of(job), as_json=False)
        for part in ("traceback", "log"):
            text = (job.error or {}).get(part)
            if text:
                typer.echo(f"\n{part.capitalize()}:\n{str(text).rstrip()}", err=True)
    for event in events if each else ():
        line = (
            event_line(event) or f"{event.at:%H:%M:%S}  {work_done(event.payload, told_left(event.payload))}"
        )
        print_note(f"{event.seq:>6}  {line}")


def _facts(
    job: Job, events: Sequence[JobEvent], directory: Path, times: JobConfig
) -> list[tuple[str, object]]:
    request, identity, seconds = job.request, job.identity, ran(job)
    live = job.finished_at is None
    silent = silent_seconds(job, times.heartbeat_seconds)
    left = time_left(job) if silent is None else None
    owner = None if job.owner is None or not live else job.owner
    return [
        ("attempt", f"{job.attempt} of {request.max_attempts}" if job.attempt else None),
        ("learns from", learns_from(job)),
        ("key", request.idempotency_key),
        ("priority", request.priority or None),
        ("not before", request.run_after),
        ("retry of", job.retry_of),
        ("queued", job.queued_at),
        ("began", job.started_at),
        ("ended", job.finished_at),
        ("ran", None if seconds is None else duration(seconds)),
        ("stop asked", job.cancel_requested_at),
        ("waits", requeued(job, events)),
        ("progress", work_done(job.progress, left) if live else None),
        ("silent", None if silent is None else silence(silent, times.lease_seconds)),
        ("owner", owner),
        ("process", f"{identity.pid} on {identity.host}" if identity is not None and live else None),
        ("files", directory if directory.is_dir() else None),
    ]
