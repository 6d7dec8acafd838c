"""The rows of models and versions: every query that the embedded registry asks about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from onward.database.audit_log import record
from onward.database.tables import model_aliases, model_versions, models
from onward.errors import RegistryError
from onward.naming.references import Reference
from onward.registry import aliases
from onward.registry.known_manifests import KnownManifests
from onward.registry.manifest import Manifest
from onward.registry.refusals import unknown_model, unknown_version
from onward.registry.values import ModelSummary, Version

__all__ = ["Catalogue"]

VERSIONS = (
    select(*(column for column in model_versions.c if column.name != "manifest"))
    .where(model_versions.c.model == bindparam("name"))
    .order_by(model_versions.c.version.desc())
)
BY_NUMBER = VERSIONS.where(model_versions.c.version == bindparam("number"))
BY_ALIAS = VERSIONS.where(
    model_versions.c.version.in_(
        select(model_aliases.c.version).where(
            model_aliases.c.model == bindparam("name"), model_aliases.c.alias == bindparam("alias")
        )
    )
)
NEWEST = VERSIONS.limit(1)
USED = model_versions.join(
    model_aliases,
    and_(
        model_aliases.c.model == model_versions.c.model, model_aliases.c.version == model_versions.c.version
    ),
)
IN_USE = (
    select(*(column for column in model_versions.c if column.name != "manifest"))
    .distinct()
    .select_from(USED)
    .order_by(model_versions.c.model, model_versions.c.version.desc())
)
MANIFESTS_IN_USE = select(model_versions.c.digest, model_versions.c.manifest).select_from(USED)
"""Written once: putting a query together takes longer than answering it."""


class Catalogue:
    """Reads and writes rows inside the transactions of its callers.

    A manifest is as long as its plan; each is read and checked once, since its digest names its
    content. Which versions there are, and what aliases stand for, is asked every time.

    Parameters
    ----------
    root
        Directory that the stored places are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = KnownManifests()

    def summaries(self, connection: Connection) -> tuple[ModelSummary, ...]:
        """Return the models that have a version, by name."""
        latest = func.max(model_versions.c.version)
        query = (
            select(models, func.count(model_versions.c.version).label("n"), latest.label("latest"))
            .join(model_versions, model_versions.c.model == models.c.name)
            .group_by(models.c.name)
            .order_by(models.c.name)
        )
        named = aliases.all_targets(connection)
        return tuple(
            ModelSummary(
                name=row.name,
                created_at=row.created_at,
                n_versions=row.n,
                latest=row.latest,
                aliases=tuple(named.get(row.name, {}).items()),
            )
            for row in connection.execute(query).all()
        )

    def in_use(self, connection: Connection) -> tuple[Version, ...]:
        """Return every version that an alias stands for, once each: by model, newest first."""
        rows = connection.execute(IN_USE).all()
        if not rows:
            return ()
        self._known.make_room(len(rows))
        manifests = self._manifests(connection, MANIFESTS_IN_USE, {row.digest for row in rows})
        named = aliases.all_targets(connection)
        return tuple(
            self._read(row, manifests[row.digest], named.get(row.model, {}))
            for row in rows
            if row.digest in manifests
        )

    def versions(self, connection: Connection, name: str) -> tuple[Version, ...]:
        """Return the versions of a model, newest first."""
        return self._select(connection, name)

    def by_digest(self, connection: Connection, name: str, digest: str) -> Version | None:
        """Return the version of a model that has this content, if any."""
        found = self._select(connection, name, model_versions.c.digest == digest)
        return found[0] if found else None

    def by_number(self, connection: Connection, name: str, number: int) -> Version | None:
        """Return a version by its number, if it exists."""
        found = self._select(connection, name, model_versions.c.version == number)
        return found[0] if found else None

    def version(self, connection: Connection, reference: Reference) -> Version:
        """Return the version that a reference means.

        Raises
        ------
        RegistryError
            When there is none; the message names what there is.
        """
        found = self._meant(connection, reference)
        if found is not None:
            return found
        # Nothing was found: look step by step, for words that say what there is instead.
        self.require_model(connection, reference.name)
        if reference.version is not None:
            number: int | None = reference.version
        elif reference.alias is not None:
            number = aliases.current_target(connection, reference.name, reference.alias)
            if number is None:
                raise aliases.unknown_alias(connection, reference.name, reference.alias)
        else:
            newest = func.max(model_versions.c.version)
            number = connection.scalar(select(newest).where(model_versions.c.model == reference.name))
        found = None if number is None else self.by_number(connection, reference.name, number)
        if found is None:
            raise self._unknown_version(connection, reference)
        return found

    def require_model(self, connection: Connection, name: str) -> None:
        """Refuse a model that has never had a version.

        Raises
        ------
        RegistryError
            With the nearest name of those that still have one.
        """
        if connection.scalar(select(models.c.name).where(models.c.name == name)) is None:
            left = select(model_versions.c.model).distinct().order_by(model_versions.c.model)
            raise unknown_model(name, connection.scalars(left).all())

    def append(
        self, connection: Connection, name: str, manifest: Manifest, directory: str, now: datetime
    ) -> Version:
        """Insert the next version of a model, and the model when it is the first."""
        connection.execute(_insert_model(connection, name, now))
        number = connection.execute(
            update(models)
            .where(models.c.name == name)
            .values(next_version=models.c.next_version + 1)
            .returning(models.c.next_version - 1)
        ).scalar_one()
        connection.execute(
            insert(model_versions).values(
                model=name,
                version=number,
                digest=manifest.digest,
                directory=directory,
                certificate=manifest.certificate.status,
                manifest=manifest.to_json(),
                published_at=now,
            )
        )
        return self.version(connection, Reference(name, version=number))

    def remove(self, connection: Connection, versions: Iterable[Version]) -> None:
        """Delete rows, each told to the audit log; an alias that stands for one makes the database refuse."""
        for version in versions:
            connection.execute(
                delete(model_versions).where(
                    model_versions.c.model == version.name, model_versions.c.version == version.number
                )
            )
            record(connection, "model.delete", version.ref, detail={"digest": version.digest})

    def directories(self, connection: Connection) -> set[str]:
        """Return the places that versions lie in."""
        return set(connection.scalars(select(model_versions.c.directory)))

    def _meant(self, connection: Connection, reference: Reference) -> Version | None:
        given: dict[str, Any] = {"name": reference.name}
        if reference.version is not None:
            query, given["number"] = BY_NUMBER, reference.version
        elif reference.alias is not None:
            query, given["alias"] = BY_ALIAS, reference.alias
        else:
            query = NEWEST
        found = self._versions(connection, reference.name, connection.execute(query, given).all())
        return found[0] if found else None

    def _select(self, connection: Connection, name: str, *where: Any) -> tuple[Version, ...]:
        rows = connection.execute(VERSIONS.where(*where), {"name": name}).all()
        return self._versions(connection, name, rows)

    def _versions(self, connection: Connection, name: str, rows: Sequence[Row[Any]]) -> tuple[Version, ...]:
        if not rows:
            return ()
        stored = select(model_versions.c.digest, model_versions.c.manifest).where(
            model_versions.c.model == name
        )
        manifests = self._manifests(connection, stored, {row.digest for row in rows})
        named = aliases.targets(connection, name)
        # A row without a manifest was deleted between the two questions.
        return tuple(self._read(row, manifests[row.digest], named) for row in rows if row.digest in manifests)

    def _manifests(
        self, connection: Connection, stored: Select[tuple[str, Any]], digests: set[str]
    ) -> dict[str, Manifest]:
        found = {digest: known for digest in digests if (known := self._known.get(digest)) is not None}
        unknown = digests - set(found)
        if not unknown:
            return found
        if len(unknown) == 1:  # else all: the list of a long history would be too long for a query
            stored = stored.where(model_versions.c.digest == next(iter(unknown)))
        for digest, content in connection.execute(stored):
            if digest in unknown and digest not in found:
                found[digest] = Manifest.from_json(content)
                self._known.keep(digest, found[digest])
        return found

    def _read(self, row: Row[Any], manifest: Manifest, named: dict[str, int]) -> Version:
        return Version(
            name=row.model,
            number=row.version,
            digest=row.digest,
            directory=self._root / row.directory,
            manifest=manifest,
            published_at=row.published_at,
            aliases=tuple(alias for alias, number in named.items() if number == row.version),
        )

    def _unknown_version(self, connection: Connection, reference: Reference) -> RegistryError:
        numbers = connection.scalars(
            select(model_versions.c.version)
            .where(model_versions.c.model == reference.name)
            .order_by(model_versions.c.version.desc())
        ).all()
        return unknown_version(reference.name, reference, numbers)


def _insert_model(connection: Connection, name: str, now: datetime) -> Any:
    values = {"name": name, "created_at": now, "next_version": 1}
    if connection.dialect.name == "postgresql":
        return postgresql.insert(models).values(values).on_conflict_do_nothing()
    return sqlite.insert(models).values(values).on_conflict_do_nothing()
