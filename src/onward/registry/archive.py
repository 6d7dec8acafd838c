"""One file per model version, to carry it elsewhere: a zip that is read with suspicion."""

from __future__ import annotations

import shutil
import stat
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from onward.errors import BundleError, RegistryError
from onward.registry.bundle import MANIFEST_LIMIT, verify_bundle
from onward.registry.files import atomic_directory, atomic_file, storage_errors
from onward.registry.manifest import MANIFEST, Manifest, parse_manifest

__all__ = ["MAX_BYTES", "MAX_FILES", "export_bundle", "pack_bundle", "unpack_bundle", "unpacked_bundle"]

MAX_BYTES = 4 * 2**30
"""Unpacked size that is still believed."""
MAX_FILES = 10_000

CHUNK = 2**20
# A constant date: the same version always becomes the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def export_bundle(opened: Callable[[], Path], path: Path, *, overwrite: bool) -> Path:
    """Write a verified bundle into one file for a user, and return where it lies.

    Parameters
    ----------
    opened
        Gives the directory of the bundle, which may have to be fetched from afar: it is called once
        nothing speaks against writing the file.
    path
        Of the file.
    overwrite
        Whether it may replace another.

    Raises
    ------
    RegistryError
        When the file exists and ``overwrite`` is false, or the path is a directory.
    BundleError, StorageError
        As `pack_bundle`.
    """
    _refuse_replacing(path, overwrite=overwrite)
    directory = opened()
    with storage_errors("write the export", path):
        path.parent.mkdir(parents=True, exist_ok=True)
    pack_bundle(directory, path)
    return path


@contextmanager
def unpacked_bundle(source: Path, staging: Path) -> Iterator[Path]:
    """Give an export as a verified directory of its own below ``staging``, gone when the block ends.

    Raises
    ------
    BundleError, StorageError
        As `unpack_bundle`.
    """
    staged = staging / uuid.uuid4().hex
    try:
        unpack_bundle(source, staged)
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def pack_bundle(directory: Path, target: Path) -> Manifest:
    """Write a verified bundle into one file, whole or not at all.

    Raises
    ------
    BundleError
        When the bundle is damaged.
    StorageError
        When the disk is full or refuses.
    """
    manifest = verify_bundle(directory)
    with (
        storage_errors("write the export", target),
        atomic_file(target) as draft,
        zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in (MANIFEST, *(file.path for file in manifest.files)):
            entry = zipfile.ZipInfo(path, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            with (directory / path).open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
    return manifest


def unpack_bundle(source: Path, directory: Path, *, max_bytes: int = MAX_BYTES) -> Manifest:
    """Unpack an export into a directory that does not exist yet, and verify it.

    Only the files of the manifest are written, under the manifest's own checked paths, and never
    more bytes than the manifest states; entries that are links, duplicates, encrypted or unknown
    are refused before anything is written.

    Raises
    ------
    BundleError
        When the file is no export, damaged, or tries a trick.
    StorageError
        When the disk is full or refuses. Nothing is left behind.
    """
    with storage_errors("unpack the export", source):
        try:
            with zipfile.ZipFile(source) as archive:
                entries = _entries(archive, source)
                manifest = _manifest(archive, entries, source, max_bytes)
                with atomic_directory(directory) as draft:
                    (draft / MANIFEST).write_bytes(manifest.to_bytes())
                    for file in manifest.files:
                        target = draft / file.path
                        target.parent.mkdir(parents=True, exist_ok=True)
                        with archive.open(entries[file.path]) as content:
                            _copy(content, target, file.size)
                    verify_bundle(draft)
        except UNREADABLE as error:
            raise _refused(source, f"it cannot be unpacked: {error}") from error
        except FileNotFoundError as error:
            raise BundleError(
                "There is no file to import", got=str(source), remedy="Check the path."
            ) from error
    return manifest


def _refuse_replacing(path: Path, *, overwrite: bool) -> None:
    if path.is_dir() or (path.exists() and not overwrite):
        raise RegistryError(
            "The export would replace something",
            got=str(path),
            allowed="a path where nothing is",
            remedy="Choose another name, or add --force (overwrite=True in Python).",
        )


def _entries(archive: zipfile.ZipFile, source: Path) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise _refused(source, f"{len(infos)} files", f"at most {MAX_FILES}")
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise _refused(source, f"{info.filename!r} is a link, a directory or a special file")
        if info.flag_bits & 0x1:
            raise _refused(source, f"{info.filename!r} is encrypted")
        if info.filename in entries:
            raise _refused(source, f"{info.filename!r} appears twice")
        entries[info.filename] = info
    return entries


def _manifest(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], source: Path, max_bytes: int
) -> Manifest:
    if MANIFEST not in entries:
        raise _refused(source, f"without {MANIFEST}")
    with archive.open(entries[MANIFEST]) as file:
        content = file.read(MANIFEST_LIMIT + 1)
    if len(content) > MANIFEST_LIMIT:
        raise _refused(source, f"{MANIFEST} is too large", f"{MANIFEST_LIMIT} bytes")
    manifest = parse_manifest(content)
    expected = {MANIFEST, *(file.path for file in manifest.files)}
    if wrong := sorted(expected ^ set(entries)):
        raise _refused(source, f"missing or not in the manifest: {', '.join(map(repr, wrong[:5]))}")
    total = sum(file.size for file in manifest.files)
    if total > max_bytes:
        raise _refused(source, f"{total} bytes unpacked", f"at most {max_bytes}")
    return manifest


def _copy(content: IO[bytes], target: Path, size: int) -> None:
    """Write at most the stated bytes: what a header promises is not what a bomb holds."""
    left = size
    with target.open("xb") as sink:
        while left > 0 and (chunk := content.read(min(CHUNK, left))):
            sink.write(chunk)
            left -= len(chunk)
        if left or content.read(1):
            raise BundleError(
                "The export is damaged",
                got=f"{target.name} is not of its stated size",
                allowed=f"{size} bytes",
                remedy="Export the version again.",
            )


def _refused(source: Path, what: str, allowed: str | None = None) -> BundleError:
    return BundleError(
        "This is not an export of a model version that can be trusted",
        got=f"{source}: {what}",
        allowed=allowed or "the unchanged file that `onward models export` wrote",
        remedy="Export the version again.",
    )
