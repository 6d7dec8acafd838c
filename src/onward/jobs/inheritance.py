"""What a job that is tried again takes over from the one before."""

from __future__ import annotations

import contextlib
from pathlib import Path

from onward.jobs.values import Job

__all__ = ["inherit"]


def inherit(job: Job, directory: Path) -> None:
    """Take over what the job that is tried again had finished, where it lies on this machine.

    Parameters
    ----------
    job
        As claimed.
    directory
        Of the job, among those of all jobs of this home.
    """
    if job.retry_of is None or job.fresh:
        return
    ours = directory / "shared"
    if ours.exists():
        return
    with contextlib.suppress(OSError):  # nothing is there, or nothing can be had: begin anew
        ours.parent.mkdir(parents=True, exist_ok=True)
        (directory.parent / job.retry_of / "shared").rename(ours)
