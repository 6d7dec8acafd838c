"""Who may touch a bundle's directory: nobody while a version speaks of it, or is about to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from onward.database.transactions import exclusive, writing
from onward.errors import BundleError, StorageError
from onward.registry.bundle import verify_bundle
from onward.registry.catalogue import Catalogue
from onward.registry.placement import BundlePlaces
from onward.registry.values import PlacedBundle, Version

__all__ = ["LOCK", "Custody"]

LOCK = "onward-registry"
"""Lock of the database under which versions appear and their directories go."""


@dataclass(frozen=True, eq=False)
class Custody:
    """Takes directories away when no version speaks of them.

    Attributes
    ----------
    engine
        Database of the registry.
    placement
        Where bundles lie.
    catalogue
        Versions of the models.
    """

    engine: Engine
    placement: BundlePlaces
    catalogue: Catalogue

    def open(self, version: Version) -> Path:
        """Return the directory of a version after checking every byte of it.

        Raises
        ------
        BundleError
            When a file is missing, unknown or changed, or the bundle is another one.
        """
        directory = self.placement.fetch(version.directory, version.digest)
        manifest = verify_bundle(directory)
        if manifest.digest != version.digest:
            raise BundleError(
                "The bundle is not the one that was published",
                got=f"{directory}: digest {manifest.digest[:16]}",
                allowed=f"digest {version.digest[:16]}",
                remedy="Restore it from a backup or an export, or train it again.",
            )
        return directory

    def remove(self, directory: Path) -> bool:
        """Remove a directory unless a version speaks of it; what cannot be removed is swept later."""
        try:
            with self._unpublished(directory) as free:
                clear_away = self.placement.discard(directory) if free else None
        except OSError:
            return False
        if clear_away is not None:
            clear_away()
        return clear_away is not None

    def give_back(self, placed: PlacedBundle, staged: Path) -> None:
        """Undo the placing after a refused insertion, so that the caller still has the bundle."""
        try:
            with self._unpublished(placed.directory) as free:
                if free:
                    self.placement.give_back(placed.directory, staged)
        except (OSError, StorageError):
            return  # the database is out of reach: the bundle stays in its place until it is swept

    @contextmanager
    def _unpublished(self, directory: Path) -> Iterator[bool]:
        """Say whether no version speaks of a directory, and keep it so for the block.

        Under the same lock as publishing: a bundle that is being published again stays.
        """
        relative = directory.relative_to(self.placement.root).as_posix()
        with writing(self.engine, durable=False) as connection:
            exclusive(connection, LOCK)
            yield relative not in self.catalogue.directories(connection)
