"""Files of one host's home that other hosts read: reports, trials, outputs of jobs.

``files/<path>/<SHA-256>`` holds the content, never changed; ``files/<path>/current`` says which content
counts. So a file is uploaded before anybody knows whether its job will succeed, and what makes it
visible is one small write. Contents that do not count any more, or never did, are swept.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from onward.errors import StorageError
from onward.storage.copies import LocalCopies
from onward.storage.objects import MissingObjectError, ObjectInfo, ObjectStore

__all__ = ["SharedFiles"]

FILES = "files"
CURRENT = "current"
DIGEST = re.compile(r"[0-9a-f]{64}")


class SharedFiles:
    """Files by their path below the home.

    Parameters
    ----------
    store
        Where they lie.
    copies
        Where they are read from.
    uploads
        The same store, perhaps with more patience.
    """

    def __init__(
        self, store: ObjectStore, copies: LocalCopies, *, uploads: ObjectStore | None = None
    ) -> None:
        self._store = store
        self._copies = copies
        self._uploads = store if uploads is None else uploads

    def upload(self, path: str, file: Path, digest: str) -> None:
        """Upload a content, every byte, without making it visible.

        Parameters
        ----------
        path
            Below the home, with forward slashes.
        file
            What to upload.
        digest
            Its SHA-256 in hexadecimal; whoever reads it checks that.
        """
        self._uploads.upload(file, f"{FILES}/{path}/{digest}")

    def publish(self, path: str, digest: str) -> None:
        """Let an uploaded content be what the path stands for."""
        self._store.write(f"{FILES}/{path}/{CURRENT}", digest.encode())

    def put(self, path: str, file: Path) -> None:
        """Upload a file and make it visible."""
        digest = _digest(file)
        self.upload(path, file, digest)
        self.publish(path, digest)

    def fetch(self, path: str) -> Path:
        """Return a checked copy of what a path stands for.

        Raises
        ------
        MissingObjectError
            When nothing was published there.
        StorageError
            When it is damaged, or the store refuses.
        """
        digest = self._current(path)
        name = f"{FILES}/{digest}/{path.rpartition('/')[2]}"
        return self._copies.get(name, partial(self._download, path, digest), partial(_is, digest))

    def sweep(self, *, older_than_hours: float = 24.0) -> int:
        """Remove contents that do not count and are older than that, and return how many."""
        before = datetime.now(UTC) - timedelta(hours=older_than_hours)
        self._store.sweep_uploads(f"{FILES}/", before)
        doomed: list[str] = []
        for path, objects in groupby(self._store.list(f"{FILES}/"), lambda i: i.name.rpartition("/")[0]):
            doomed += self._superseded(path.removeprefix(f"{FILES}/"), list(objects), before)
        self._store.delete(doomed)
        return len(doomed)

    def _superseded(self, path: str, objects: list[ObjectInfo], before: datetime) -> list[str]:
        old = [o for o in objects if not o.name.endswith(f"/{CURRENT}") and o.modified < before]
        published = len(old) < len(objects)
        if not old or (published and len(objects) == 2):  # one content, and it counts
            return []
        try:
            current = self._current(path)
        except MissingObjectError:
            current = ""
        return [info.name for info in old if not info.name.endswith(f"/{current}") or not current]

    def _current(self, path: str) -> str:
        name = f"{FILES}/{path}/{CURRENT}"
        digest = self._store.read(name)[0].decode(errors="replace")
        if not DIGEST.fullmatch(digest):
            raise StorageError(
                "An artifact is damaged",
                got=name,
                remedy="Restore the object from a backup, or run it again.",
            )
        return digest

    def _download(self, path: str, digest: str, draft: Path) -> None:
        self._store.download(f"{FILES}/{path}/{digest}", draft)
        if not _is(digest, draft):
            raise StorageError(
                "An artifact in the store is damaged",
                got=f"{FILES}/{path}: its SHA-256 differs",
                remedy="Restore the object from a backup, or run again what made it.",
            )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is(digest: str, file: Path) -> bool:
    return _digest(file) == digest
