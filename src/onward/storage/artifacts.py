"""Everything about the artifact store of an installation, and how other processes are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from onward.storage.copies import LocalCopies
from onward.storage.options import StoreOptions
from onward.storage.s3 import S3Store
from onward.storage.shared_files import SharedFiles
from onward.storage.uploads import SharedUploads

__all__ = ["Artifacts"]

PUBLISHING_TIMES = 4
"""Whoever publishes the work of hours waits longer than who asks a question."""
HASTY_SECONDS = 5.0


@dataclass(frozen=True)
class Artifacts:
    """The store that several hosts share, and this host's copies.

    Attributes
    ----------
    options
        How the store is reached.
    directory
        Of the copies.
    max_bytes
        Room for them; None = no limit.
    """

    options: StoreOptions
    directory: Path
    max_bytes: int | None = None

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Artifacts:
        """Rebuild what `to_json` gave."""
        return cls(StoreOptions.from_json(told["options"]), Path(told["directory"]), told["max_bytes"])

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, credentials in clear; see `StoreOptions.to_json`."""
        return {
            "options": self.options.to_json(),
            "directory": str(self.directory),
            "max_bytes": self.max_bytes,
        }

    @cached_property
    def store(self) -> S3Store:
        """The store."""
        return S3Store(self.options)

    @cached_property
    def patient_store(self) -> S3Store:
        """The store for whoever publishes."""
        return S3Store(
            replace(self.options, patience_seconds=PUBLISHING_TIMES * self.options.patience_seconds)
        )

    @cached_property
    def hasty_store(self) -> S3Store:
        """The store for what could be had without it."""
        return S3Store(
            replace(self.options, patience_seconds=min(HASTY_SECONDS, self.options.patience_seconds))
        )

    @cached_property
    def copies(self) -> LocalCopies:
        """The copies of this host."""
        return LocalCopies(self.directory, max_bytes=self.max_bytes)

    @cached_property
    def files(self) -> SharedFiles:
        """Reports and outputs."""
        return SharedFiles(self.store, self.copies, uploads=self.patient_store)

    @cached_property
    def uploads(self) -> SharedUploads:
        """Files that clients sent, for the jobs of any host."""
        return SharedUploads(self.store)
