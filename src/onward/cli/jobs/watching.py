"""Watching a job to its end, and reading its log while it grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onward.cli.jobs.display import Display, write_json_line
from onward.cli.jobs.following import Concern, Sight, follow
from onward.cli.jobs.lines import standing
from onward.cli.jobs.logfiles import Log
from onward.errors import StorageError
from onward.jobs.documents import event_document

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job, JobEvent

__all__ = ["logged", "watched"]


def watched(store: JobStore, job_id: str, display: Display, *, tail: int | None = None) -> Job:
    """Show a job until it has ended, and return it.

    Parameters
    ----------
    store, job_id
        Which job.
    display
        Shows it.
    tail
        Log lines of the past to begin with; None = all of them.
    """
    concern, first = Concern(), True

    def away(error: StorageError) -> None:
        display.note(f"The database does not answer ({error.what}); the job goes on. Trying again ...")

    for sight in follow(store, job_id, away=away):
        if first:
            display.note(standing(sight.job))
        display.take(sight.job, _with_tail(sight.events, tail) if first else sight.events)
        first = False
        remark = concern.about(sight.job, time.monotonic())
        if remark is not None:
            display.note(remark)
    return sight.job


def logged(
    store: JobStore,
    job_id: str,
    log: Log,
    *,
    attempt: int | None = None,
    on_and_on: bool = False,
    as_json: bool = False,
) -> int:
    """Write the log of a job to standard output, until it has ended when asked to go on.

    Parameters
    ----------
    store, job_id
        Which job.
    log
        Where its lines come from.
    attempt
        Only this one.
    on_and_on
        Whether to wait for more.
    as_json
        Write events of the database as JSON, one a line.

    Returns
    -------
    int
        How many lines there were.
    """
    written = 0
    for sight in follow(store, job_id):
        if as_json:
            written += _write_events(sight, attempt)
        else:
            for line in log.read(sight.events, whole=sight.job.finished_at is not None):
                sys.stdout.write(line + "\n")
                written += 1
        sys.stdout.flush()
        if not on_and_on:
            break
    return written


def _write_events(sight: Sight, attempt: int | None) -> int:
    events = [event for event in sight.events if event.kind == "log" and attempt in (None, event.attempt)]
    for event in events:
        write_json_line(event_document(event))
    return len(events)


def _with_tail(events: Sequence[JobEvent], tail: int | None) -> list[JobEvent]:
    """Return events with only the last log lines among them."""
    lines = [event.seq for event in events if event.kind == "log"]
    since = 0 if tail is None or len(lines) <= tail else (lines[-tail] if tail else lines[-1] + 1)
    return [event for event in events if event.kind != "log" or event.seq >= since]
