"""Bundles in an object store: ``models/<name>/<first 16 digits of the digest>/<upload>/``.

Every upload has a prefix of its own that nobody else ever writes to. So nothing that is deleted can
be in the way of what is being published, two publishers of equal content do not meet, and the row
that names the upload decides which of them counts. The manifest is written last: an upload without
one was interrupted. Whatever no row names is an orphan and harms nobody until it is swept.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

from onward.errors import BundleError, RegistryError, StorageError
from onward.registry.bundle import MANIFEST_LIMIT, verify_bundle
from onward.registry.manifest import MANIFEST, BundleFile, Manifest, parse_manifest
from onward.storage import (
    LocalCopies,
    MissingObjectError,
    ObjectStore,
    OversizedObjectError,
    StoreAwayError,
)

__all__ = ["MODELS", "RemotePlacement"]

MODELS = "models"
UPLOADS_AT_ONCE = 4


class RemotePlacement:
    """Brings bundles into, and out of, a store that several hosts share.

    Parameters
    ----------
    store
        Where they lie.
    copies
        Where they are read from.
    uploads
        The same store, perhaps with more patience.
    prefix
        What the names of all objects, and the directory of the copies, begin with: one word.
    """

    def __init__(
        self,
        store: ObjectStore,
        copies: LocalCopies,
        *,
        uploads: ObjectStore | None = None,
        prefix: str = MODELS,
    ) -> None:
        self._store = store
        self._copies = copies
        self._uploads = store if uploads is None else uploads
        self._prefix = prefix

    @property
    def root(self) -> Path:
        """Directory of the copies; a bundle is there once `fetch` has been called."""
        return self._copies.directory / self._prefix

    @property
    def staging(self) -> Path:
        """Where imports are unpacked."""
        return self._copies.directory / ".staging"

    def put(self, staged: Path, name: str) -> tuple[Path, Manifest]:
        """Verify a staged bundle and upload it; the staged directory stays with its owner.

        Raises
        ------
        BundleError
            When the staged bundle is damaged.
        StorageError
            When the store refuses, or is out of reach for too long.
        """
        manifest = verify_bundle(staged)
        place = f"{name}/{manifest.digest[:16]}/{uuid.uuid4().hex[:12]}"
        with ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="upload") as pool:
            sent = [
                pool.submit(self._uploads.upload, staged / file.path, f"{self._prefix}/{place}/{file.path}")
                for file in manifest.files
            ]
            for one in sent:
                one.result()
        self._uploads.upload(staged / MANIFEST, f"{self._prefix}/{place}/{MANIFEST}")
        return self.root / place, manifest

    def holds(self, directory: Path) -> bool:
        """Say whether an upload is complete; a store that is away says nothing against it."""
        try:
            self._store.read(f"{self._name(directory)}/{MANIFEST}")
        except MissingObjectError:
            return False
        except StoreAwayError:
            return True  # it was uploaded a moment ago, and is not swept before a day is over
        return True

    def fetch(self, directory: Path, digest: str) -> Path:
        """Return the directory with the bundle, downloading it unless a sound copy is there.

        Raises
        ------
        BundleError
            When an object is missing, or not what was published.
        StorageError
            When the store refuses, or is out of reach for too long.
        """
        name = self._name(directory)
        return self._copies.get(name, partial(self._download, name), partial(_is_sound, digest))

    def discard(self, directory: Path) -> Callable[[], None]:
        """Forget the copy, and return what deletes the objects.

        No row names them any more, and none ever will: the upload belongs to one publishing.
        """
        name = self._name(directory)
        self._copies.drop(name)
        return partial(self._delete, name)

    def give_back(self, directory: Path, staged: Path) -> None:  # noqa: ARG002 - it never went away
        """Delete what was uploaded: the staged bundle is still where it was."""
        self.discard(directory)()

    def orphans(self, referenced: set[str], before: float) -> Iterator[Path]:
        """Yield uploads that no row names and nothing was added to since a moment (POSIX seconds).

        Parts of files whose upload was interrupted are removed on the way.
        """
        moment = datetime.fromtimestamp(before, UTC)
        self._store.sweep_uploads(f"{self._prefix}/", moment)
        found = self._store.list(f"{self._prefix}/")
        for place, objects in groupby(found, lambda info: _place(info.name, referenced)):
            if place is not None and all(info.modified <= moment for info in objects):
                yield self.root / place

    def _name(self, directory: Path) -> str:
        return f"{self._prefix}/{directory.relative_to(self.root).as_posix()}"

    def _delete(self, name: str) -> None:
        with suppress(StorageError):  # what is left is an orphan
            self._store.delete([info.name for info in self._store.list(f"{name}/")])

    def _download(self, name: str, draft: Path) -> None:
        draft.mkdir()
        try:
            self._store.download(f"{name}/{MANIFEST}", draft / MANIFEST, max_bytes=MANIFEST_LIMIT)
            manifest = parse_manifest((draft / MANIFEST).read_bytes())
            with ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="download") as pool:
                list(pool.map(partial(self._download_file, name, draft), manifest.files))
            verify_bundle(draft)
        except MissingObjectError as error:
            raise BundleError(
                "A part of the bundle is missing in the store",
                got=error.got,
                remedy="Restore the object from a backup or an export, or train the model again.",
            ) from error
        except (BundleError, OversizedObjectError) as error:
            raise BundleError(
                "The bundle in the store is damaged",
                got=str(error.got).replace(str(draft), name),
                allowed=error.allowed,
                remedy="Restore the object from a backup or an export, or train the model again.",
            ) from error

    def _download_file(self, name: str, draft: Path, file: BundleFile) -> None:
        target = draft / file.path  # the manifest's paths were checked when it was read
        target.parent.mkdir(parents=True, exist_ok=True)
        self._store.download(f"{name}/{file.path}", target, max_bytes=file.size)


def _is_sound(digest: str, directory: Path) -> bool:
    try:
        return verify_bundle(directory).digest == digest
    except RegistryError:
        return False


def _place(name: str, referenced: set[str]) -> str | None:
    """Return the upload that an object belongs to, unless a row names it."""
    parts = name.split("/")[1:]
    for depth in (2, 3):  # two parts: copied here from the models directory of a single host
        if "/".join(parts[:depth]) in referenced:
            return None
    return "/".join(parts[:3]) if len(parts) > 3 else None
