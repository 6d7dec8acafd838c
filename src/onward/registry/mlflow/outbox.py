"""The outbox: what the end of a job promised to publish, until MLflow has it.

MLflow cannot join the transaction that ends a job. So a row of that transaction promises the version,
and the bundle waits beside it. Whoever delivers can die anywhere: the row stays, the next round
delivers again, and content that is published already is the version that it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from onward.database.acting import Actor, acting
from onward.database.tables import registry_outbox
from onward.database.transactions import reading, writing
from onward.errors import OnwardError, RegistryError, StorageError
from onward.registry.bundle import read_manifest
from onward.registry.placement import BundlePlaces
from onward.registry.runs import RunStore
from onward.registry.values import PlacedBundle, Posting, Version

__all__ = ["Letter", "Outbox"]

_log = logging.getLogger(__name__)

Publish = Callable[[PlacedBundle, Posting], Version]


@dataclass(frozen=True)
class Letter:
    """A promise that is not kept yet.

    Attributes
    ----------
    name
        Model.
    posting
        Job, alias, actor.
    digest, directory
        Content, and its place relative to the waiting bundles.
    posted_at
        UTC.
    attempts, error
        Deliveries that failed, and why the last one did.
    """

    name: str
    posting: Posting
    digest: str
    directory: str
    posted_at: datetime
    attempts: int
    error: str | None


class Outbox:
    """Promises in the database of the jobs, bundles in a place of their own.

    Parameters
    ----------
    engine
        Database of the jobs.
    places
        Where bundles wait; nobody else's.
    """

    def __init__(self, engine: Engine, places: BundlePlaces) -> None:
        self._engine = engine
        self._places = places

    def place(self, staged: Path, name: str) -> PlacedBundle:
        """Verify a staged bundle and move it to where it waits; no row speaks of it yet."""
        directory, manifest = self._places.put(staged, name)
        return PlacedBundle(name, directory, manifest)

    def post(self, connection: Connection, placed: PlacedBundle, posting: Posting, now: datetime) -> None:
        """Write the promise down, inside the caller's transaction.

        Raises
        ------
        StorageError
            When the bundle was swept meanwhile.
        """
        if not self._places.holds(placed.directory):
            raise StorageError(
                "The placed bundle is gone", got=str(placed.directory), remedy="Publish the bundle again."
            )
        connection.execute(
            insert(registry_outbox).values(
                job_id=posting.job_id,
                model=placed.name,
                digest=placed.manifest.digest,
                directory=self._relative(placed.directory),
                alias=posting.alias,
                actor=posting.actor,
                posted_at=now,
                attempts=0,
            )
        )

    def waiting(self) -> tuple[Letter, ...]:
        """Return the promises that are not kept yet, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(registry_outbox).order_by(registry_outbox.c.posted_at, registry_outbox.c.job_id)
            ).all()
        return tuple(_letter(row) for row in rows)

    def deliver(self, publish: Publish) -> tuple[Version, ...]:
        """Keep the promises whose bundles this host can read, and return what was published."""
        done = []
        for letter in self.waiting():
            directory = self._places.root / letter.directory
            if not self._places.holds(directory):
                continue  # it waits on another host
            try:
                version = self._deliver(letter, directory, publish)
            except (OnwardError, OSError) as error:
                _log.warning("the model of job %s is not in MLflow yet: %s", letter.posting.job_id, error)
                self._failed(letter, error)
                if isinstance(error, StorageError):
                    break  # MLflow is away: the others would wait as long for nothing
            else:
                done.append(version)
        return tuple(done)

    def sweep(self, before: datetime) -> tuple[Path, ...]:
        """Remove waiting bundles that no row speaks of and nothing touched since a moment."""
        spoken_for = {letter.directory for letter in self.waiting()}
        gone = []
        for place in self._places.orphans(spoken_for, before.timestamp()):
            self._discard(place)
            gone.append(place)
        return tuple(gone)

    def _deliver(self, letter: Letter, directory: Path, publish: Publish) -> Version:
        fetched = self._places.fetch(directory, letter.digest)
        placed = PlacedBundle(letter.name, fetched, read_manifest(fetched))
        with acting(Actor(f"job:{letter.posting.job_id}", letter.posting.actor)):
            version = publish(placed, letter.posting)
        with writing(self._engine) as connection:
            connection.execute(
                delete(registry_outbox).where(registry_outbox.c.job_id == letter.posting.job_id)
            )
            if placed.manifest.run_id is not None:
                try:
                    with connection.begin_nested():
                        RunStore(self._engine).change(
                            connection, placed.manifest.run_id, {"model_ref": version.ref}
                        )
                except RegistryError:  # the run is not of this database
                    pass
        others = {other.directory for other in self.waiting()}
        if letter.directory not in others:
            self._discard(directory)
        return version

    def _failed(self, letter: Letter, error: BaseException) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(registry_outbox)
                .where(registry_outbox.c.job_id == letter.posting.job_id)
                .values(attempts=registry_outbox.c.attempts + 1, error=str(error)[:2000])
            )

    def _discard(self, directory: Path) -> None:
        try:
            self._places.discard(directory)()
        except OSError as error:  # the next sweep takes it
            _log.warning("a bundle that was delivered stays in %s: %s", directory, error)

    def _relative(self, directory: Path) -> str:
        return directory.relative_to(self._places.root).as_posix()


def _letter(row: Row[tuple[object, ...]]) -> Letter:
    known = row._mapping
    return Letter(
        name=known["model"],
        posting=Posting(known["job_id"], known["alias"], known["actor"]),
        digest=known["digest"],
        directory=known["directory"],
        posted_at=known["posted_at"],
        attempts=known["attempts"],
        error=known["error"],
    )
