"""Sent files that jobs read: how a request names those in the shared store, and how long they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from onward.errors import JobError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job
from onward.storage.uploads import DIGEST
from onward.tasks.services import WorkerServices

__all__ = ["checked_names", "checked_uploads", "fetched", "may_read", "needed_uploads"]

RETRY_HOURS = 24
"""A failed import may be tried again for so long; the same request then needs the file."""
LONGEST_NAME = 200
PAGE = 200


def checked_uploads(told: Sequence[Any]) -> list[dict[str, str]]:
    """Return how a request names sent files, ``{"name": ..., "sha256": ...}``, after looking at it.

    Raises
    ------
    JobError
        For anything else: a name becomes a file in the worker's directory.
    """
    for one in told:
        fits = (
            isinstance(one, Mapping)
            and set(one) == {"name", "sha256"}
            and all(isinstance(value, str) for value in one.values())
            and DIGEST.fullmatch(one["sha256"])
            and 1 <= len(one["name"]) <= LONGEST_NAME
            and one["name"].isprintable()
            and not set(one["name"]) & set("/\\")
            and not one["name"].startswith(".")
        )
        if not fits:
            raise JobError(
                "this names no file that was sent",
                got=ascii(one)[:200],
                allowed='{"name": "BTC_USDT-1h.csv", "sha256": "..."}',
                remedy="Send the file with POST /api/v1/data/import, which writes this itself.",
            )
    return [dict(one) for one in told]


def checked_names(told: Sequence[Any], count: int) -> list[str]:
    """Return how files are called by whoever sent them: none, or a printable name for each.

    Raises
    ------
    JobError
        For anything else. They are said of the files, and never where these lie.
    """
    fits = all(isinstance(one, str) and 1 <= len(one) <= LONGEST_NAME and one.isprintable() for one in told)
    if told and not (fits and len(told) == count):
        raise JobError(
            "this does not name the files",
            got=ascii(told)[:200],
            allowed=f"{count} name{'' if count == 1 else 's'} of at most {LONGEST_NAME} characters, or none",
        )
    return [str(one) for one in told]


@contextmanager
def fetched(
    uploads: Sequence[Mapping[str, str]], services: WorkerServices, scratch: Path
) -> Iterator[list[Path]]:
    """Give checked copies of sent files below the attempt's directory; they go with the block.

    Raises
    ------
    JobError
        When this host knows no shared store.
    StorageError
        When a file is not kept any more or damaged, or the store is away.
    """
    if not uploads:
        yield []
        return
    if services.artifacts is None:
        raise JobError(
            "the file lies in a store that this host does not know",
            got=", ".join(one["name"] for one in uploads),
            remedy="Give every host the same storage.artifacts.",
        )
    with TemporaryDirectory(prefix="sent-", dir=scratch) as directory:
        copies = []
        for number, one in enumerate(uploads):
            copy = Path(directory) / str(number) / one["name"]
            copy.parent.mkdir()
            services.artifacts.uploads.fetch(one["sha256"], copy)
            copies.append(copy)
        yield copies


def may_read(job: Job, now: datetime) -> bool:
    """Return whether a job may still read what was sent for it."""
    if job.finished_at is None:
        return True
    return job.state != "succeeded" and now - job.finished_at < timedelta(hours=RETRY_HOURS)


def needed_uploads(store: JobStore, now: datetime | None = None) -> set[str]:
    """Return the SHA-256 of everything in the shared store that jobs may still read.

    Raises
    ------
    StorageError
        When the database does not answer.
    """
    now = datetime.now(UTC) if now is None else now
    needed: set[str] = set()
    cursor = None
    while True:
        page = store.find(kinds=["import"], limit=PAGE, cursor=cursor)
        for job in page.jobs:
            if may_read(job, now):
                needed.update(one["sha256"] for one in job.request.spec.get("uploads", ()))
        cursor = page.cursor
        if cursor is None:
            return needed
