"""The registry in MLflow: versions, artifacts and aliases are the team's, the promises are Onward's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Engine

from onward.database.audit_log import AuditAction, record
from onward.database.moments import Clock, require_utc, utc_now
from onward.database.transactions import writing
from onward.errors import BundleError
from onward.naming.names import check_alias, check_name
from onward.naming.references import Reference, parse_reference
from onward.registry import aliases
from onward.registry.alias_changes import standing_at
from onward.registry.archive import export_bundle, unpacked_bundle
from onward.registry.bundle import read_manifest, verify_bundle
from onward.registry.files import storage_errors
from onward.registry.mlflow.aliasing import MlflowAlias
from onward.registry.mlflow.catalogue import MlflowCatalogue
from onward.registry.mlflow.connection import Connection
from onward.registry.mlflow.history import AliasHistory
from onward.registry.mlflow.outbox import Outbox
from onward.registry.mlflow.publishing import Publisher
from onward.registry.refusals import still_in_use
from onward.registry.retention import expired_versions
from onward.registry.values import AliasEvent, ModelSummary, PlacedBundle, Posting, Standing, Version
from onward.storage import LocalCopies
from onward.storage.file_locks import held_alone

__all__ = ["MlflowRegistry"]

Turns = Callable[[str], AbstractContextManager[None]]
TURN = "mlflow-registry"
TURN_SECONDS = 60.0


class MlflowRegistry:
    """A `PostingRegistry` on the MLflow that a team already has.

    Safe to use from several threads and processes. MLflow has no transactions for its clients: what
    is read and then changed is kept apart from what other servers of Onward do, not from what
    somebody does in MLflow itself (`docs/explanation/registry.md`).

    Parameters
    ----------
    connection
        To MLflow; nothing is imported or asked before it is needed.
    copies
        Where bundles are downloaded to.
    experiment
        MLflow's experiment that the runs behind the versions belong to.
    outbox
        Keeps what jobs publish until MLflow has it; without one only `publish` works.
    audit_log
        Database whose audit log is told of changes; None tells nobody.
    turns
        Lets one writer at a time into a block, of all servers; by default those on this host.
    clock
        Gives this moment, UTC.
    """

    def __init__(
        self,
        connection: Connection,
        copies: LocalCopies,
        *,
        experiment: str = "onward",
        outbox: Outbox | None = None,
        audit_log: Engine | None = None,
        turns: Turns | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._connection = connection
        self._copies = copies
        self._catalogue = MlflowCatalogue(connection, copies)
        self._publisher = Publisher(connection, experiment)
        self._outbox = outbox
        self._audit_log = audit_log
        self._turns = turns or self._turn_on_this_host
        self._clock = clock

    # -- publishing ---------------------------------------------------------------------------

    def publish(self, staged: Path, name: str | None = None) -> Version:
        """Take over a staged bundle as the next version of a model.

        Raises
        ------
        BundleError
            When the bundle is damaged; it stays where it is.
        RegistryError
            When the name is not allowed.
        StorageError
            When MLflow refuses or is away; nothing becomes visible.
        """
        name = read_manifest(staged).name if name is None else check_name(name)
        version = self._publish(Path(staged), name, job_id=None)
        shutil.rmtree(staged, ignore_errors=True)
        return version

    def place(self, staged: Path, name: str | None = None) -> PlacedBundle:
        """Verify a staged bundle and move it to where it waits for MLflow."""
        name = read_manifest(staged).name if name is None else check_name(name)
        return self._letters.place(Path(staged), name)

    def post(self, connection: Transaction, placed: PlacedBundle, posting: Posting) -> None:
        """Promise, inside the caller's transaction, that a placed bundle will be published."""
        self._letters.post(connection, placed, posting, self._clock())

    def deliver(self) -> tuple[Version, ...]:
        """Publish what was promised and is not in MLflow yet; each promise is kept exactly once.

        What MLflow refuses, or cannot take because it is away, stays for the next time; each reason
        is kept with its promise.
        """
        if self._outbox is None:
            return ()
        return self._outbox.deliver(self._take_over)

    def _take_over(self, placed: PlacedBundle, posting: Posting) -> Version:
        """Publish a posted bundle and give its alias; called again after a crash, go on where it was."""
        version = self._publish(placed.directory, placed.name, job_id=posting.job_id)
        if posting.alias is not None and version.manifest.certificate.status == "passed":
            given = self._alias(placed.name, posting.alias)
            given.set_once(version.number, posting.actor, f"job {posting.job_id}")
        return self._catalogue.version(Reference(version.name, version=version.number))

    def _publish(self, staged: Path, name: str, job_id: str | None) -> Version:
        manifest = verify_bundle(staged)
        self._catalogue.know(manifest)
        published = self._catalogue.by_digest(name, manifest.digest)
        if published is not None:
            return published
        run_id = self._publisher.upload(staged, name, manifest, job_id)
        try:
            with self._turns(TURN):
                published = self._catalogue.by_digest(name, manifest.digest)
                if published is None:
                    number = self._publisher.create(run_id, name, manifest, job_id)
        except BaseException:
            self._publisher.discard(run_id)
            raise
        if published is not None:  # somebody was faster with the same content
            self._publisher.discard(run_id)
            return published
        return self._catalogue.version(Reference(name, version=number))

    # -- reading ------------------------------------------------------------------------------

    def resolve(self, reference: str) -> Version:
        """Return the version that a reference means now.

        Raises
        ------
        RegistryError
            When there is none, it is not Onward's, or an alias was given past Onward to a version
            whose leak certificate did not pass.
        StorageError
            When MLflow is away.
        """
        return self._catalogue.version(parse_reference(reference))

    def open(self, reference: str) -> Path:
        """Return the bundle's directory, downloaded when needed, after checking every byte of it.

        Raises
        ------
        BundleError
            When what lies in MLflow is not what was published.
        """
        version = self.resolve(reference)
        try:
            return self._catalogue.open(version)
        except BundleError:
            self.resolve(version.ref)  # deleted while it was being read: that is no damage
            raise

    def list_models(self) -> tuple[ModelSummary, ...]:
        """Return the models with a version that Onward published, by name."""
        return self._catalogue.summaries()

    def in_use(self) -> tuple[Version, ...]:
        """Return every version of Onward's that an alias stands for: by model, newest first."""
        return self._catalogue.in_use()

    def list_versions(self, name: str) -> tuple[Version, ...]:
        """Return the versions of a model that Onward published, newest first."""
        return self._catalogue.versions(check_name(name))

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
            stand any more for what was ``seen``.
        """
        return self._alias(name, alias).set(version, actor, reason, seen)

    def delete_alias(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Take an alias away; its history stays."""
        return self._alias(name, alias).delete(actor, reason, seen)

    def rollback(
        self, name: str, alias: str, actor: str = "", reason: str = "", *, seen: Standing | None = None
    ) -> AliasEvent:
        """Let an alias stand for its previous target again; repeated, one step further back."""
        return self._alias(name, alias).roll_back(actor, reason, seen)

    def alias_history(self, name: str, alias: str | None = None) -> tuple[AliasEvent, ...]:
        """Return the changes of one alias, or of all of a model's, oldest first.

        Changes past Onward are told as of the moment at which they are noticed, without an actor.
        """
        if alias is not None:
            check_alias(alias)
        targets = self._catalogue.targets(check_name(name))
        return tuple(self._history(name).events(targets, self._clock(), alias))

    def alias_at(self, name: str, alias: str, moment: datetime) -> AliasEvent | None:
        """Return the event that made an alias what it was at a moment, as far as Onward was told."""
        moment = require_utc(moment)
        return standing_at(self.alias_history(name, check_alias(alias)), moment)

    # -- retention ----------------------------------------------------------------------------

    def delete(self, reference: str | Version) -> Version:
        """Delete a version that no alias stands for, and return what it was.

        MLflow keeps the artifacts of its run until ``mlflow gc``.
        """
        parsed = parse_reference(reference.ref if isinstance(reference, Version) else reference)
        with self._turns(TURN):
            version = self._catalogue.version(parsed)
            if version.aliases:
                raise still_in_use(version)
            self._remove(version)
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
        """
        with self._turns(TURN):
            targets, now = self._catalogue.targets(check_name(name)), self._clock()
            protected = set(targets.values())
            events = self._history(name).events(targets, now)
            for alias in targets:
                own = [event for event in events if event.alias == alias]
                protected.update(aliases.previous_targets(own)[:1])
            expired = expired_versions(
                self._catalogue.versions(name),
                protected=protected,
                now=now,
                max_versions=max_versions,
                max_age_days=max_age_days,
            )
            for version in () if dry_run else expired:
                self._remove(version)
        return expired

    def sweep_orphans(self, *, older_than_hours: float = 24.0) -> tuple[Path, ...]:
        """Remove what interrupted publishing left, here and in MLflow; return what lay here."""
        before = self._clock() - timedelta(hours=older_than_hours)
        self._publisher.interrupted(before)
        return () if self._outbox is None else self._outbox.sweep(before)

    # -- carrying versions elsewhere ----------------------------------------------------------

    def export_version(self, reference: str, path: Path, *, overwrite: bool = False) -> Path:
        """Write a version into one file; the same version always gives the same bytes."""
        return export_bundle(partial(self.open, reference), Path(path), overwrite=overwrite)

    def import_version(self, path: Path, name: str | None = None) -> Version:
        """Publish a version from a file that `export_version` wrote, of whichever registry."""
        if name is not None:
            check_name(name)
        with unpacked_bundle(Path(path), self._copies.directory / ".staging") as staged:
            return self.publish(staged, name)

    # -- inside -------------------------------------------------------------------------------

    @property
    def _letters(self) -> Outbox:
        assert self._outbox is not None, "a registry that jobs publish in needs an outbox"
        return self._outbox

    def _history(self, name: str) -> AliasHistory:
        return AliasHistory(self._connection, name)

    def _alias(self, name: str, alias: str) -> MlflowAlias:
        return MlflowAlias(
            self._connection,
            self._catalogue,
            check_name(name),
            check_alias(alias),
            partial(self._turns, TURN),
            self._clock,
            lambda action, subject, detail: self._log(aliases.LOGGED[action], subject, detail),
        )

    def _remove(self, version: Version) -> None:
        self._publisher.remove(version.name, version.number)
        self._catalogue.forget(version)
        self._log("model.delete", version.ref, {"digest": version.digest})

    def _log(self, action: AuditAction, subject: str, detail: dict[str, Any]) -> None:
        if self._audit_log is not None:
            with writing(self._audit_log) as connection:
                record(connection, action, subject, detail=detail, now=self._clock())

    @contextmanager
    def _turn_on_this_host(self, name: str) -> Iterator[None]:
        directory = self._copies.directory / ".locks"
        with storage_errors("make room for a lock", directory):
            directory.mkdir(parents=True, exist_ok=True)
        with held_alone(directory / name, TURN_SECONDS):
            yield
