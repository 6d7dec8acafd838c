"""A job in one line, as lists of jobs and the overview show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from onward.jobs.remaining import TimeLeft, done_share, time_left
from onward.jobs.results import audit_failed

if TYPE_CHECKING:
    from onward.jobs.values import Job

__all__ = ["JobLine", "job_line", "subject_of"]

MOST_NAMED = 3
"""Symbols of a job that are named; of more it is said how many."""


@dataclass(frozen=True)
class JobLine:
    """A job in one line.

    Attributes
    ----------
    left
        How long it goes on, of the whole job where that can be told; None when nobody knows.
    asked
        When it was asked for, by which lists of jobs are sorted.
    moment
        When it ended, else when it began, else when it was asked for.
    seconds
        How long its last attempt took; None while it goes on, or when it never began.
    audit_failed
        Whether it succeeded and yet nothing it came to may be trusted: a look into the future was found.
    fraction, share
        How far its stage is, and the whole job; None when nobody knows.
    """

    id: str
    kind: str
    state: str
    reason: str | None
    subject: str
    stage: str
    fraction: float | None
    left: TimeLeft | None
    asked: datetime
    moment: datetime
    live: bool
    seconds: float | None = None
    audit_failed: bool = False
    share: float | None = None

    @property
    def bar(self) -> float | None:
        """How full a bar is: with the share of the whole job, else with that of its stage."""
        return self.fraction if self.share is None else self.share


def job_line(job: Job) -> JobLine:
    """Return a job in one line."""
    progress = job.progress
    return JobLine(
        id=job.id,
        kind=job.kind,
        state=job.state,
        reason=job.reason,
        subject=subject_of(job.request.spec),
        stage=str(progress.get("stage") or ""),
        fraction=progress.get("fraction"),
        share=done_share(progress),
        left=time_left(job),
        asked=job.queued_at,
        moment=job.finished_at or job.started_at or job.queued_at,
        live=job.finished_at is None,
        seconds=_seconds(job),
        audit_failed=audit_failed(job),
    )


def subject_of(spec: Mapping[str, Any]) -> str:
    """Return what a job is about: the model it makes or uses, else its file or market."""
    for name in ("save", "model", "reference"):
        if isinstance(spec.get(name), str):
            return str(spec[name])
    files = [*spec.get("files", ()), *(one["name"] for one in spec.get("uploads", ()))]
    if files and not spec.get("symbol"):
        return PurePath(str(files[0])).name
    plan = spec.get("plan")
    data = plan.get("data") if isinstance(plan, Mapping) else None
    symbols = data.get("symbols") if isinstance(data, Mapping) else None
    if not symbols:
        return str(spec.get("symbol") or "")
    more = f" +{len(symbols) - MOST_NAMED}" if len(symbols) > MOST_NAMED else ""
    return ", ".join(map(str, symbols[:MOST_NAMED])) + more


def _seconds(job: Job) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return max(0.0, (job.finished_at - job.started_at).total_seconds())
