"""The seam of model registries.

Every implementation faces `onward.testing.registry.check_registry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from onward.registry.values import AliasEvent, ModelSummary, PlacedBundle, Posting, Standing, Version

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["ModelRegistry", "PostingRegistry", "TransactionalRegistry"]


@runtime_checkable
class ModelRegistry(Protocol):
    """Published model versions and the aliases that say which of them is in use.

    Promises: publishing is atomic, a version is visible whole or not at all; versions are
    immutable and their numbers are never given twice, whoever publishes at the same moment;
    publishing the same content again gives the version that it already is; every byte is checked
    before a bundle is handed out; an alias is given to versions with a passed leak certificate
    only, and every change of it is remembered; a change with ``seen`` happens only while the alias
    still stands for what was seen; a version that an alias stands for is never deleted.

    References are ``models:/NAME@ALIAS``, ``models:/NAME/NUMBER`` or ``models:/NAME/latest``;
    ``models:/`` may be left out. Unknown or refused things raise `RegistryError`.
    """

    def publish(self, staged: Path, name: str | None = None) -> Version:
        """Take over a staged bundle as the next version of a model (default: the manifest's name)."""

    def resolve(self, reference: str) -> Version:
        """Return the version that a reference means now."""

    def open(self, reference: str) -> Path:
        """Return the bundle's directory after checking every byte of it."""

    def list_models(self) -> Sequence[ModelSummary]:
        """Return all models, by name."""

    def in_use(self) -> Sequence[Version]:
        """Return every version that an alias stands for, once each: by model, newest first."""

    def list_versions(self, name: str) -> Sequence[Version]:
        """Return the versions of a model, newest first."""

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        actor: str = "",
        reason: str = "",
        *,
        seen: Standing | None = None,
    ) -> AliasEvent | None:
        """Let an alias stand for a version; None when it did already."""

    def delete_alias(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Take an alias away."""

    def rollback(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Let an alias stand for its previous target again; repeated, one step further back."""

    def alias_history(self, name: str, alias: str | None = None) -> Sequence[AliasEvent]:
        """Return the changes of one alias, or of all of a model's, oldest first."""

    def alias_at(self, name: str, alias: str, moment: datetime) -> AliasEvent | None:
        """Return the event that made an alias what it was at a moment; None when it was not set."""

    def delete(self, reference: str | Version) -> Version:
        """Delete a version that no alias stands for, and return what it was."""

    def cleanup(
        self,
        name: str,
        *,
        max_versions: int | None = None,
        max_age_days: float | None = None,
        dry_run: bool = False,
    ) -> Sequence[Version]:
        """Delete what retention no longer keeps (never an aliased version), and return it."""

    def export_version(self, reference: str, path: Path, *, overwrite: bool = False) -> Path:
        """Write a version into one file."""

    def import_version(self, path: Path, name: str | None = None) -> Version:
        """Publish a version from a file that `export_version` wrote."""


@runtime_checkable
class TransactionalRegistry(ModelRegistry, Protocol):
    """A registry in the database of the jobs: publishing can join the job's terminal transaction.

    ``JobStore.finish(job, owner, attempt, on_commit=lambda c: registry.insert(c, placed))`` makes
    the version and the job's end visible in the same instant, or neither.
    """

    def place(self, staged: Path, name: str | None = None) -> PlacedBundle:
        """Verify a staged bundle and move it to its final place; no version speaks of it yet."""

    def insert(self, connection: Connection, placed: PlacedBundle) -> Version:
        """Make a placed bundle the next version, inside the caller's transaction."""

    def insert_alias(
        self, connection: Connection, version: Version, alias: str, actor: str = "", reason: str = ""
    ) -> AliasEvent | None:
        """Let an alias stand for a version, inside the caller's transaction."""

    def sweep_orphans(self, *, older_than_hours: float = 24.0) -> Sequence[Path]:
        """Remove what interrupted publishing left in the file system."""


@runtime_checkable
class PostingRegistry(ModelRegistry, Protocol):
    """A registry elsewhere, which cannot join the job's terminal transaction.

    ``JobStore.finish(job, owner, attempt, on_commit=lambda c: registry.post(c, placed, posting))``
    makes a promise of the job's end; `deliver` keeps it, soon after and however often it takes.
    """

    def place(self, staged: Path, name: str | None = None) -> PlacedBundle:
        """Verify a staged bundle and move it to where it waits; nothing promises it yet."""

    def post(self, connection: Connection, placed: PlacedBundle, posting: Posting) -> None:
        """Promise, inside the caller's transaction, that a placed bundle will be published."""

    def deliver(self) -> Sequence[Version]:
        """Publish what was promised, each exactly once; what cannot be published now stays promised."""

    def sweep_orphans(self, *, older_than_hours: float = 24.0) -> Sequence[Path]:
        """Remove what interrupted publishing left behind."""
