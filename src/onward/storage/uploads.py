"""Files that clients sent to one host, for the jobs of any: each upload its own object below its content.

``uploads/<SHA-256>/<upload>`` holds the content. A job names the SHA-256 alone, so the same request is
the same whichever host took it in; every upload has an object of its own, so removing an old one cannot
meet somebody who sends the same bytes again.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Container
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onward.errors import StorageError
from onward.storage.objects import MissingObjectError, ObjectStore

__all__ = ["SharedUploads"]

UPLOADS = "uploads"
DIGEST = re.compile(r"[0-9a-f]{64}")
UNCLAIMED_HOURS = 1.0
"""After which an upload that no job names belongs to a server that died before it made one."""


class SharedUploads:
    """Files that wait for their jobs.

    Parameters
    ----------
    store
        Where they lie.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, file: Path) -> str:
        """Upload a file, and return its SHA-256 in hexadecimal, by which any host finds it."""
        digest = _digest(file)
        self._store.upload(file, f"{UPLOADS}/{digest}/{uuid.uuid4().hex}")
        return digest

    def fetch(self, digest: str, file: Path) -> None:
        """Write an uploaded content into a file, checked.

        Raises
        ------
        MissingObjectError
            When it is not kept any more, or never was.
        StorageError
            When what lies there is damaged, or the store or the disk refuses.
        """
        damaged = False
        kept = self._store.list(f"{UPLOADS}/{digest}/") if DIGEST.fullmatch(digest) else ()
        for info in kept:
            try:
                self._store.download(info.name, file, max_bytes=info.size)
            except MissingObjectError:  # swept meanwhile; another one may be there
                continue
            if _digest(file) == digest:
                return
            file.unlink()
            damaged = True
        if damaged:
            raise StorageError(
                "A file that was sent is damaged in the store",
                got=f"{UPLOADS}/{digest}: its SHA-256 differs",
                remedy="Send it again.",
            )
        raise MissingObjectError(
            "A file that was sent is not kept any more", got=f"{UPLOADS}/{digest}", remedy="Send it again."
        )

    def sweep(
        self, needed: Callable[[], Container[str]], *, older_than_hours: float = UNCLAIMED_HOURS
    ) -> int:
        """Remove uploads that no job will read, and return how many.

        Parameters
        ----------
        needed
            Gives the contents that jobs may still read; asked after the listing, so that whoever
            submits a job meanwhile is heard.
        older_than_hours
            Younger ones stay: their job may be about to be submitted.
        """
        before = datetime.now(UTC) - timedelta(hours=older_than_hours)
        self._store.sweep_uploads(f"{UPLOADS}/", before)
        old = [info.name for info in self._store.list(f"{UPLOADS}/") if info.modified < before]
        if not old:
            return 0
        wanted = needed()
        doomed = [name for name in old if name.split("/")[1] not in wanted]
        self._store.delete(doomed)
        return len(doomed)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
