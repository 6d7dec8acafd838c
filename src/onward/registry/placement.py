"""Where bundles lie: ``models/<name>/<first 16 digits of the digest>/``.

The place follows from the content, so that a bundle can be moved there before anybody knows its
version number; the number is given in the database, in the same transaction that makes the
version visible. A directory that no row names is an orphan and harms nobody until it is swept.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from onward.errors import BundleError, StorageError
from onward.naming.names import NAME
from onward.registry.bundle import verify_bundle
from onward.registry.files import atomic_directory, fsync_directory, fsync_tree, storage_errors
from onward.registry.manifest import MANIFEST, Manifest

__all__ = ["BundlePlaces", "Placement"]

PLACE = re.compile(r"[0-9a-f]{16}")
ATTEMPTS = 5


class BundlePlaces(Protocol):
    """Where bundles lie: in a directory of this host, or in a store that several hosts share.

    A place is a path below ``root``; rows keep it relative to that. Once a bundle is in its place it
    never changes there.
    """

    @property
    def root(self) -> Path:
        """Directory that bundles are read from, once `fetch` has been called."""

    @property
    def staging(self) -> Path:
        """Where imports are unpacked."""

    def put(self, staged: Path, name: str) -> tuple[Path, Manifest]:
        """Verify a staged bundle and bring it to its place, every byte, before this returns."""

    def holds(self, directory: Path) -> bool:
        """Say whether a bundle is in its place, as far as its manifest tells."""

    def fetch(self, directory: Path, digest: str) -> Path:
        """Return the directory with the bundle of a place; whoever called checks its bytes."""

    def discard(self, directory: Path) -> Callable[[], object]:
        """Take a bundle out of its place, and return what clears the rest away afterwards."""

    def give_back(self, directory: Path, staged: Path) -> None:
        """Undo `put`, so that the caller has the bundle."""

    def orphans(self, referenced: set[str], before: float) -> Iterator[Path]:
        """Yield places that no row names and nothing touched since a moment (POSIX seconds)."""


class Placement:
    """Moves bundles into, and out of, the directory of models.

    Parameters
    ----------
    root
        ``models/`` of the home directory; created when needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @property
    def staging(self) -> Path:
        """Where imports are unpacked: on the same file system, so that moving is one rename."""
        return self.root / ".staging"

    @property
    def trash(self) -> Path:
        """Where directories go before they are deleted, so that no half of one is ever visible."""
        return self.root / ".trash"

    def relative(self, name: str, digest: str) -> str:
        """Return the place of a bundle, relative to the root, with forward slashes."""
        return f"{name}/{digest[:16]}"

    def put(self, staged: Path, name: str) -> tuple[Path, Manifest]:
        """Verify a staged bundle and move it to its place.

        When equal content lies there already, the staged directory is left where it is: it
        belongs to the caller.

        Raises
        ------
        BundleError
            When the staged bundle is damaged.
        StorageError
            When the disk is full or refuses.
        """
        manifest = verify_bundle(staged)
        target = self.root / self.relative(name, manifest.digest)
        with storage_errors("publish the bundle", target):
            fsync_tree(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(ATTEMPTS):
                if self._taken(target, manifest):
                    os.utime(target)
                    break
                if _move(staged, target, manifest):
                    break
            else:
                raise StorageError(
                    "The bundle's place keeps changing",
                    got=str(target),
                    remedy="Check that nothing else writes into the models directory.",
                )
            fsync_directory(target.parent)
            fsync_directory(self.root)
        return target, manifest

    def holds(self, directory: Path) -> bool:
        """Say whether a bundle is in its place."""
        return (directory / MANIFEST).is_file()

    def fetch(self, directory: Path, digest: str) -> Path:  # noqa: ARG002
        """Return the place itself: it is on this host."""
        return directory

    def discard(self, directory: Path) -> Callable[[], None]:
        """Move a directory out of sight in one step, and return what deletes it.

        Raises
        ------
        FileNotFoundError
            When it is gone already.
        """
        self.trash.mkdir(parents=True, exist_ok=True)
        doomed = directory.rename(self.trash / uuid.uuid4().hex)
        return partial(shutil.rmtree, doomed, ignore_errors=True)

    def give_back(self, directory: Path, staged: Path) -> None:
        """Move a bundle back to where it came from, unless something lies there again."""
        if not staged.exists():
            directory.rename(staged)

    def orphans(self, referenced: set[str], before: float) -> Iterator[Path]:
        """Yield directories that no row names and nothing touched since a moment (POSIX seconds)."""
        for model in _folders(self.root):
            if NAME.fullmatch(model.name):
                for place in _folders(model):
                    known = PLACE.fullmatch(place.name)
                    draft = place.name.startswith(".")
                    if (draft or known) and f"{model.name}/{place.name}" not in referenced:
                        yield from _older(place, before)
        for leftovers in (self.staging, self.trash):
            for folder in _folders(leftovers):
                yield from _older(folder, before)

    def _taken(self, target: Path, manifest: Manifest) -> bool:
        """Say whether equal content lies at the place; a damaged directory is moved away."""
        if not target.exists():
            return False
        with suppress(BundleError):
            if verify_bundle(target).digest == manifest.digest:
                return True
        with suppress(FileNotFoundError):
            self.discard(target)()
        return False


def _move(staged: Path, target: Path, manifest: Manifest) -> bool:
    """Move a directory in one step; False when something stands there by now."""
    os.utime(staged)  # the sweeper judges by age: the bundle is as young as its publishing
    try:
        staged.rename(target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return _copy(staged, target, manifest)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _copy(staged: Path, target: Path, manifest: Manifest) -> bool:
    """Move across file systems: a full copy beside the target, then one rename."""
    try:
        with atomic_directory(target) as draft:
            for path in (MANIFEST, *(file.path for file in manifest.files)):
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(staged / path, draft / path)
            verify_bundle(draft)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    shutil.rmtree(staged, ignore_errors=True)
    return True


def _folders(directory: Path) -> list[Path]:
    try:
        return sorted(entry for entry in directory.iterdir() if entry.is_dir() and not entry.is_symlink())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _older(folder: Path, before: float) -> Iterator[Path]:
    try:
        if folder.stat().st_mtime <= before:
            yield folder
    except FileNotFoundError:
        return
