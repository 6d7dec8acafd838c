"""The embedded registry: versions and aliases in the database, bundles in a directory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

from onward.database.moments import Clock, require_utc, utc_now
from onward.database.transactions import exclusive, reading, writing
from onward.errors import BundleError, StorageError
from onward.naming.names import check_alias, check_name
from onward.naming.references import parse_reference
from onward.registry import aliases
from onward.registry.alias_changes import AliasChange, protected_numbers, standing_at
from onward.registry.archive import export_bundle, unpacked_bundle
from onward.registry.bundle import read_manifest
from onward.registry.catalogue import Catalogue
from onward.registry.custody import LOCK, Custody
from onward.registry.files import storage_errors
from onward.registry.placement import BundlePlaces, Placement
from onward.registry.refusals import still_in_use
from onward.registry.retention import expired_versions
from onward.registry.values import AliasEvent, ModelSummary, PlacedBundle, Standing, Version

__all__ = ["EmbeddedRegistry"]


class EmbeddedRegistry:
    """A `TransactionalRegistry` in the database of everything else.

    Safe to use from several threads and processes.

    Parameters
    ----------
    engine
        From `onward.database.open_database`, its tables up to date.
    models
        ``models/`` of the home directory, or another place where bundles lie.
    clock
        Gives this moment, UTC.
    """

    def __init__(self, engine: Engine, models: Path | BundlePlaces, *, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._placement: BundlePlaces = Placement(models) if isinstance(models, Path) else models
        self._catalogue = Catalogue(self._placement.root)
        self._clock = clock

    # -- publishing ---------------------------------------------------------------------------

    def publish(self, staged: Path, name: str | None = None) -> Version:
        """Take over a staged bundle as the next version of a model.

        Parameters
        ----------
        staged
            Directory that `write_bundle` wrote; it is moved away.
        name
            Model; default is the name in the manifest.

        Raises
        ------
        BundleError
            When the bundle is damaged; it stays where it is.
        RegistryError
            When the name is not allowed.
        StorageError
            When the disk or the database refuses; nothing becomes visible.
        """
        placed = self.place(staged, name)
        try:
            with writing(self._engine) as connection:
                version = self.insert(connection, placed)
        except StorageError:
            self._custody.give_back(placed, Path(staged))
            raise
        # Still there when equal content lay in the place already, or its files were copied.
        shutil.rmtree(staged, ignore_errors=True)
        if version.directory != placed.directory:
            self._custody.remove(placed.directory)
        return version

    def place(self, staged: Path, name: str | None = None) -> PlacedBundle:
        """Verify a staged bundle and move it to its place; no version speaks of it yet.

        The first half of publishing. Without the second half, `sweep_orphans` removes the
        directory after a day.
        """
        name = read_manifest(staged).name if name is None else check_name(name)
        directory, manifest = self._placement.put(Path(staged), name)
        return PlacedBundle(name, directory, manifest)

    def insert(self, connection: Connection, placed: PlacedBundle) -> Version:
        """Make a placed bundle the next version, inside the caller's transaction.

        The second half of publishing. The version is visible when, and only when, the
        transaction commits. Content that is published already gives the version that it is.

        Parameters
        ----------
        connection
            Inside `onward.database.writing`, for example that of ``JobStore.finish``.
        placed
            From `place`.

        Raises
        ------
        StorageError
            When the directory was swept meanwhile.
        """
        exclusive(connection, LOCK)
        if not self._placement.holds(placed.directory):
            raise StorageError(
                "The placed bundle is gone",
                got=str(placed.directory),
                remedy="Publish the bundle again.",
            )
        published = self._catalogue.by_digest(connection, placed.name, placed.manifest.digest)
        if published is not None:
            return published
        place = placed.directory.relative_to(self._placement.root).as_posix()
        return self._catalogue.append(connection, placed.name, placed.manifest, place, self._clock())

    # -- reading ------------------------------------------------------------------------------

    def resolve(self, reference: str) -> Version:
        """Return the version that a reference means now.

        Raises
        ------
        RegistryError
            When there is no such model, version or alias; the message names what there is.
        """
        parsed = parse_reference(reference)
        with reading(self._engine) as connection:
            return self._catalogue.version(connection, parsed)

    def open(self, reference: str) -> Path:
        """Return the bundle's directory after checking every byte of it.

        Raises
        ------
        BundleError
            When a file is missing, unknown or changed; the message names it.
        """
        version = self.resolve(reference)
        try:
            return self._custody.open(version)
        except BundleError:
            self.resolve(version.ref)  # deleted while it was being read: that is no damage
            raise

    def list_models(self) -> tuple[ModelSummary, ...]:
        """Return all models that have a version, by name."""
        with reading(self._engine) as connection:
            return self._catalogue.summaries(connection)

    def in_use(self) -> tuple[Version, ...]:
        """Return every version that an alias stands for, once each: by model, newest first."""
        with reading(self._engine) as connection:
            return self._catalogue.in_use(connection)

    def list_versions(self, name: str) -> tuple[Version, ...]:
        """Return the versions of a model, newest first.

        Raises
        ------
        RegistryError
            When there is no such model.
        """
        with reading(self._engine) as connection:
            self._catalogue.require_model(connection, check_name(name))
            return self._catalogue.versions(connection, name)

    # -- aliases ------------------------------------------------------------------------------

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
        """Let an alias stand for a version; None when it did already.

        Raises
        ------
        RegistryError
            When the version does not exist, its leak certificate did not pass, or the alias does not
            stand any more for what was ``seen`` when that was decided.
        """
        with self._changing_alias(name, alias, actor, reason, seen) as change:
            return change.set(version)

    def insert_alias(
        self, connection: Connection, version: Version, alias: str, actor: str = "", reason: str = ""
    ) -> AliasEvent | None:
        """Let an alias stand for a version, inside the transaction that inserted it (see `insert`)."""
        exclusive(connection, LOCK)
        name, alias = version.name, check_alias(alias)
        change = AliasChange(connection, self._catalogue, name, alias, actor, reason, self._clock())
        return change.set(version.number)

    def delete_alias(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Take an alias away; its history stays.

        Raises
        ------
        RegistryError
            When it is not set, or does not stand any more for what was ``seen``.
        """
        with self._changing_alias(name, alias, actor, reason, seen) as change:
            return change.delete()

    def rollback(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Let an alias stand for its previous target again; repeated, one step further back.

        Raises
        ------
        RegistryError
            When there is no previous target any more, or what was ``seen`` does not stand any more.
        """
        with self._changing_alias(name, alias, actor, reason, seen) as change:
            return change.roll_back()

    def alias_history(self, name: str, alias: str | None = None) -> tuple[AliasEvent, ...]:
        """Return the changes of one alias, or of all of a model's, oldest first."""
        if alias is not None:
            check_alias(alias)
        with reading(self._engine) as connection:
            self._catalogue.require_model(connection, check_name(name))
            return tuple(aliases.read_events(connection, name, alias))

    def alias_at(self, name: str, alias: str, moment: datetime) -> AliasEvent | None:
        """Return the event that made an alias what it was at a moment.

        Parameters
        ----------
        name, alias
            Which alias.
        moment
            With a time zone. An event counts from its own moment on.

        Returns
        -------
        AliasEvent or None
            Its ``version`` was live; None when the alias was not set then.
        """
        moment = require_utc(moment)
        return standing_at(self.alias_history(name, check_alias(alias)), moment)

    # -- retention ----------------------------------------------------------------------------

    def delete(self, reference: str | Version) -> Version:
        """Delete a version that no alias stands for, and return what it was.

        Raises
        ------
        RegistryError
            When an alias stands for it.
        """
        parsed = parse_reference(reference.ref if isinstance(reference, Version) else reference)
        with self._changing(parsed.name) as (connection, _):
            version = self._catalogue.version(connection, parsed)
            if version.aliases:
                raise still_in_use(version)
            self._catalogue.remove(connection, [version])
        self._custody.remove(version.directory)
        return version

    def cleanup(
        self,
        name: str,
        *,
        max_versions: int | None = None,
        max_age_days: float | None = None,
        dry_run: bool = False,
    ) -> tuple[Version, ...]:
        """Delete what retention no longer keeps, and return it, oldest first.

        Never what an alias stands for, nor what rolling it back would restore.

        Parameters
        ----------
        name
            Model.
        max_versions
            Versions to keep, the newest ones.
        max_age_days
            Days since publishing after which a version goes.
        dry_run
            Only say what would go.
        """
        with self._changing(name) as (connection, now):
            expired = expired_versions(
                self._catalogue.versions(connection, name),
                protected=protected_numbers(connection, name),
                now=now,
                max_versions=max_versions,
                max_age_days=max_age_days,
            )
            if not dry_run:
                self._catalogue.remove(connection, expired)
        if not dry_run:
            for version in expired:
                self._custody.remove(version.directory)
        return expired

    def sweep_orphans(self, *, older_than_hours: float = 24.0) -> tuple[Path, ...]:
        """Remove what interrupted publishing, imports and deletions left in the file system.

        Parameters
        ----------
        older_than_hours
            Younger directories may belong to a publisher at work and stay.

        Returns
        -------
        tuple of Path
            What was removed.
        """
        before = (self._clock() - timedelta(hours=older_than_hours)).timestamp()
        with reading(self._engine) as connection:
            referenced = self._catalogue.directories(connection)
        with storage_errors("sweep the models directory", self._placement.root):
            return tuple(p for p in self._placement.orphans(referenced, before) if self._custody.remove(p))

    # -- carrying versions elsewhere ----------------------------------------------------------

    def export_version(self, reference: str, path: Path, *, overwrite: bool = False) -> Path:
        """Write a version into one file; the same version always gives the same bytes.

        Raises
        ------
        RegistryError
            When the file exists and ``overwrite`` is false.
        """
        return export_bundle(partial(self.open, reference), Path(path), overwrite=overwrite)

    def import_version(self, path: Path, name: str | None = None) -> Version:
        """Publish a version from a file that `export_version` wrote.

        Numbers and aliases are not taken along: they belong to the registry that gave them.

        Raises
        ------
        BundleError
            When the file is no export, damaged, or tries a trick.
        """
        if name is not None:
            check_name(name)
        with unpacked_bundle(Path(path), self._placement.staging) as staged:
            return self.publish(staged, name)

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, name: str) -> Iterator[tuple[Connection, datetime]]:
        """Give a transaction in which nobody else changes the registry, and this moment."""
        check_name(name)
        with writing(self._engine) as connection:
            exclusive(connection, LOCK)
            self._catalogue.require_model(connection, name)
            yield connection, self._clock()

    @contextmanager
    def _changing_alias(
        self, name: str, alias: str, actor: str, reason: str, seen: Standing | None
    ) -> Iterator[AliasChange]:
        check_alias(alias)
        with self._changing(name) as (connection, now):
            change = AliasChange(connection, self._catalogue, name, alias, actor, reason, now)
            change.require(seen)
            yield change

    @property
    def _custody(self) -> Custody:
        return Custody(self._engine, self._placement, self._catalogue)
