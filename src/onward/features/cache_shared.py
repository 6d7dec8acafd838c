"""Feature matrices that several hosts share: looked up after the local directory, filled beside it.

A matrix of the store is the same file as in the directory, name and all, so its name says what its
bytes must be. Whatever is wrong with the store costs speed, never the result: it is passed over for
a minute, with one warning.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from onward.errors import StorageError
from onward.storage import MissingObjectError, ObjectInfo, ObjectStore

__all__ = ["FEATURES", "SharedMatrices"]

_log = logging.getLogger(__name__)

FEATURES = "features"
PASSED_OVER_SECONDS = 60.0


class SharedMatrices:
    """The matrices of a store.

    Parameters
    ----------
    store
        Best one with little patience: computing a matrix takes seconds.
    max_bytes
        Room for all matrices of the store; the oldest go first. None = no limit.
    """

    def __init__(self, store: ObjectStore, *, max_bytes: int | None = None) -> None:
        self._store = store
        self.max_bytes = max_bytes
        self._passed_over_until = float("-inf")
        self._warned = False

    def find(self, key: str) -> ObjectInfo | None:
        """Return the entry of a key, if the store has one and can be asked."""
        if not self._reachable:
            return None
        try:
            found = [info for info in self._store.list(f"{FEATURES}/{key}.") if _is_entry(info.name, key)]
        except StorageError as error:
            self._pass_over(error)
            return None
        return max(found, key=lambda info: (info.modified, info.name), default=None)

    def download(self, entry: ObjectInfo, file: Path) -> bool:
        """Write an entry into a file; False when that is not possible. Nobody has checked its bytes."""
        try:
            self._store.download(entry.name, file, max_bytes=entry.size)
        except MissingObjectError:  # removed to make room
            return False
        except StorageError as error:
            self._pass_over(error)
            return False
        return True

    def upload(self, file: Path) -> None:
        """Offer a finished entry to the other hosts, unless it is larger than all the room."""
        size = file.stat().st_size
        if not self._reachable or (self.max_bytes is not None and size > self.max_bytes):
            return
        try:
            self._make_room(size)
            self._store.upload(file, f"{FEATURES}/{file.name}")
        except StorageError as error:
            self._pass_over(error)

    def discard(self, entry: ObjectInfo) -> None:
        """Remove an entry that is not what its name says."""
        _log.warning("feature cache: %s of the store is damaged, it is computed anew", entry.name)
        try:
            self._store.delete([entry.name])
        except StorageError as error:
            self._pass_over(error)

    @property
    def _reachable(self) -> bool:
        return time.monotonic() >= self._passed_over_until

    def _make_room(self, needed: int) -> None:
        if self.max_bytes is None:
            return
        held = sorted(self._store.list(f"{FEATURES}/"), key=lambda info: info.modified)
        left = sum(info.size for info in held) + needed
        doomed = []
        for info in held:
            if left <= self.max_bytes:
                break
            doomed.append(info.name)
            left -= info.size
        if doomed:
            self._store.delete(doomed)

    def _pass_over(self, error: StorageError) -> None:
        self._passed_over_until = time.monotonic() + PASSED_OVER_SECONDS
        _log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "feature cache: the store of the other hosts is passed over (%s)",
            error,
        )
        self._warned = True


def _is_entry(name: str, key: str) -> bool:
    parts = name.removeprefix(f"{FEATURES}/").split(".")
    return len(parts) == 3 and parts[0] == key and parts[1].isalnum() and parts[2] == "npy"
