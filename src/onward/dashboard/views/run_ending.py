"""Why a run came to nothing: what its job knows of it, else what its row kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onward.dashboard.views.job_outcome import PARTS, failure_of

if TYPE_CHECKING:
    from onward.jobs.values import Job
    from onward.registry import Run

__all__ = ["Ending", "ending_of"]


@dataclass(frozen=True)
class Ending:
    """How a run ended that left no report.

    Attributes
    ----------
    state
        ``running``, ``failed`` or ``cancelled``.
    reason
        Kind of failure, as its job knows it (``error``, ``oom`` ...); None when it had no job, or
        the job is not there any more.
    parts
        ``what``, ``got``, ``allowed`` and ``remedy``, of those that there are; nothing when nobody
        kept them.
    """

    state: str
    reason: str | None
    parts: Mapping[str, str]


def ending_of(run: Run, job: Job | None) -> Ending | None:
    """Return how a run ended; None when it ended well.

    Parameters
    ----------
    run
        From the table of runs.
    job
        The job that ran it; None when there was none, or it was pruned.
    """
    record = run.record
    if record.status == "succeeded":
        return None
    if record.status == "failed" and job is not None and job.state == "failed":
        failure = failure_of(job)
        return Ending("failed", failure.reason, failure.parts)
    kept = record.error or {}
    return Ending(record.status, None, {name: str(kept[name]) for name in PARTS if kept.get(name)})
