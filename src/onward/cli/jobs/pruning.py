"""Deleting jobs that ended long ago, and their directories."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from onward.errors import JobNotFoundError

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job

__all__ = ["expired", "pruned"]

PAGE = 500


def expired(store: JobStore, before: datetime) -> Iterator[Job]:
    """Give the jobs that ended before a moment."""
    cursor = None
    while True:
        page = store.find(states=["succeeded", "failed", "cancelled"], limit=PAGE, cursor=cursor)
        for job in page.jobs:
            if job.finished_at is not None and job.finished_at < before:
                yield job
        cursor = page.cursor
        if cursor is None:
            return


def pruned(store: JobStore, directory: Path, before: datetime) -> list[str]:
    """Delete what `expired` gives, rows first, and return the ids.

    A directory goes only when its row is proven gone: it may be that of a job that somebody
    else's database knows.
    """
    ids = [job.id for job in expired(store, before)]
    while store.prune(before=before):
        pass
    gone = [job_id for job_id in ids if _is_gone(store, job_id)]
    for job_id in gone:
        shutil.rmtree(directory / job_id, ignore_errors=True)
    return gone


def _is_gone(store: JobStore, job_id: str) -> bool:
    try:
        store.get(job_id)
    except JobNotFoundError:
        return True
    return False
