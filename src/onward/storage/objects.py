"""The seam of artifact stores: few verbs, whole objects, one conditional write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from onward.errors import StorageError

__all__ = ["MissingObjectError", "ObjectInfo", "ObjectStore", "OversizedObjectError", "StoreAwayError"]


class MissingObjectError(StorageError):
    """There is no object of this name."""


class OversizedObjectError(StorageError):
    """An object is larger than whoever reads it takes."""


class StoreAwayError(StorageError):
    """The store could not be reached, or answered that it cannot answer now, for as long as was tried."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object as a listing shows it.

    Attributes
    ----------
    name
        Below the prefix of the store.
    size
        Bytes.
    modified
        When it was written, by the clock of the store, UTC.
    """

    name: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """Named objects of bytes, shared by several hosts.

    Promises: an object is visible whole or not at all; a write that returned is seen by every later
    read and listing; names cannot leave the prefix; no call waits for ever: what is out of reach is
    tried again for a limited time, then raises `StoreAwayError`. Refusals (credentials, bucket)
    raise `StorageError` at once. Safe to use from several threads.
    """

    @property
    def conditional(self) -> bool:
        """Whether `replace` is decided by the store itself; found out by trying, once."""

    def read(self, name: str) -> tuple[bytes, str]:
        """Return the content and its tag, which changes whenever the content does.

        Raises
        ------
        MissingObjectError
            When there is none.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write an object, whatever was there."""

    def replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Write an object if the one there still has this tag (None: if there is none).

        Returns
        -------
        str or None
            The new tag; None when somebody else was faster, nothing is written then. A write of
            which nobody knows whether it arrived counts as made when its content is what is there.
        """

    def upload(self, file: Path, name: str) -> None:
        """Write an object from a file."""

    def download(self, name: str, file: Path, *, max_bytes: int | None = None) -> None:
        """Write an object into a file.

        Raises
        ------
        MissingObjectError
            When there is none.
        OversizedObjectError
            When it is larger than ``max_bytes``.
        StorageError
            When the disk refuses.
        """

    def list(self, prefix: str) -> Sequence[ObjectInfo]:
        """Return the objects whose names begin with ``prefix``, by name."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; what is not there is no error."""

    def sweep_uploads(self, prefix: str, before: datetime) -> int:
        """Remove the parts of uploads that were begun before a moment and never finished."""
