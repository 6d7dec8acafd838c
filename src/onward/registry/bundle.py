"""Bundles: a model in its native format, with everything needed to use and to judge it.

A bundle is a directory (`docs/reference/bundle-format.md`)::

    manifest.json    facts, and the SHA-256 and size of every other file
    card.md          the same for a person
    pipeline.json    how features are made
    labels.json      what the classes mean
    model/           whatever the library's own ``save`` writes
    report.html      optional

Nothing in it is pickled, and nothing in it is run by reading it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onward.errors import BundleError, RegistryError
from onward.registry.card import render_card
from onward.registry.files import atomic_directory, hash_file, storage_errors
from onward.registry.manifest import MANIFEST, BundleFacts, BundleFile, Manifest, parse_manifest
from onward.registry.plain import canonical, plain

__all__ = ["CARD", "LABELS", "MODEL", "PIPELINE", "REPORT", "read_manifest", "verify_bundle", "write_bundle"]

MODEL = "model"
PIPELINE = "pipeline.json"
LABELS = "labels.json"
CARD = "card.md"
REPORT = "report.html"

REQUIRED = (CARD, LABELS, PIPELINE)
OPTIONAL = (REPORT,)

MANIFEST_LIMIT = 64 * 2**20
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle")


def write_bundle(
    directory: Path,
    *,
    facts: BundleFacts,
    save_model: Callable[[Path], None],
    pipeline: Mapping[str, Any],
    labels: Mapping[str, Any],
    report: str | None = None,
) -> Manifest:
    """Write a whole bundle, every byte on disk, or nothing.

    Parameters
    ----------
    directory
        Must not exist, or be empty.
    facts
        What manifest and card say.
    save_model
        Called with an empty directory; writes the model there in the library's native format
        (`Model.save`).
    pipeline, labels
        Fitted feature pipeline and labeler as plain values (NumPy numbers are taken too).
    report
        Self-contained HTML.

    Returns
    -------
    Manifest
        As written, digest included.

    Raises
    ------
    BundleError
        When the directory holds something, the model wrote nothing, a link or a pickle.
    StorageError
        When the disk is full or refuses. Nothing is left behind.
    """
    directory = Path(directory)
    with storage_errors("write the bundle", directory):
        if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
            raise BundleError(
                "The bundle's directory is not empty",
                got=str(directory),
                allowed="a directory that is empty or does not exist",
                remedy="A bundle is never changed: write a new one somewhere else.",
            )
        with atomic_directory(directory) as draft:
            (draft / MODEL).mkdir()
            save_model(draft / MODEL)
            (draft / PIPELINE).write_bytes(canonical(plain(pipeline)))
            (draft / LABELS).write_bytes(canonical(plain(labels)))
            (draft / CARD).write_text(render_card(facts), encoding="utf-8", newline="\n")
            if report is not None:
                (draft / REPORT).write_text(report, encoding="utf-8", newline="\n")
            manifest = Manifest.seal(facts, tuple(_describe(draft)))
            _check_layout(manifest)
            (draft / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read and check a bundle's manifest alone; the other files are not looked at.

    Raises
    ------
    BundleError
        When it is missing, damaged or of another format.
    """
    file = Path(directory) / MANIFEST
    with storage_errors("read the bundle", file):
        try:
            kind = file.lstat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BundleError(
                "There is no model bundle here",
                got=str(directory),
                allowed=f"a directory with {MANIFEST}",
                remedy="Check the path.",
            ) from error
        if not stat.S_ISREG(kind.st_mode) or kind.st_size > MANIFEST_LIMIT:
            raise BundleError(
                "The bundle is damaged",
                got=f"{MANIFEST} is a link, a directory or larger than {MANIFEST_LIMIT} bytes",
                remedy="Do not trust this bundle.",
            )
        return parse_manifest(file.read_bytes())


def verify_bundle(directory: Path) -> Manifest:
    """Check every byte of a bundle and return its manifest.

    Raises
    ------
    BundleError
        When a file is missing, unknown, a link, pickled, or differs by a single bit; the message
        names the file.
    StorageError
        When a file cannot be read.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    _check_layout(manifest)
    with storage_errors("read the bundle", directory):
        found = set(_paths(directory)) - {MANIFEST}
        expected = {file.path for file in manifest.files}
        if missing := sorted(expected - found):
            raise _damaged(directory, f"missing: {', '.join(missing[:5])}")
        if unknown := sorted(found - expected):
            raise _damaged(directory, f"not in the manifest: {', '.join(unknown[:5])}")
        for file in manifest.files:
            path = directory / file.path
            size = path.stat().st_size
            if size != file.size:
                raise _damaged(directory, f"{file.path} has {size} bytes instead of {file.size}")
            if hash_file(path) != file.sha256:
                raise _damaged(directory, f"{file.path} is not what was written (its SHA-256 differs)")
            _refuse_pickle(path, file.path)
    return manifest


def _check_layout(manifest: Manifest) -> None:
    paths = [file.path for file in manifest.files]
    missing = sorted(set(REQUIRED) - set(paths))
    if not any(path.startswith(f"{MODEL}/") for path in paths):
        missing.append(f"{MODEL}/")
    unknown = [p for p in paths if p not in REQUIRED + OPTIONAL and not p.startswith(f"{MODEL}/")]
    twice = len(paths) - len({path.casefold() for path in paths})
    if missing or unknown or twice:
        wrong = [f"without {p}" for p in missing] + [f"with {p}" for p in unknown]
        raise BundleError(
            "The bundle has another layout",
            got=", ".join(wrong) or "names that differ by case only, or appear twice",
            allowed=f"{', '.join(REQUIRED)}, {MODEL}/ and {', '.join(OPTIONAL)}",
            remedy="See docs/reference/bundle-format.md.",
        )


def _describe(directory: Path) -> Iterator[BundleFile]:
    for path in _paths(directory):
        file = directory / path
        _refuse_pickle(file, path)
        yield BundleFile(path=path, sha256=hash_file(file), size=file.stat().st_size)


def _paths(directory: Path) -> Iterator[str]:
    """Yield the relative paths of all files; links and special files are refused."""
    for folder, subfolders, names in os.walk(directory):
        for name in [*subfolders, *names]:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            relative = path.relative_to(directory).as_posix()
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise BundleError(
                    "A bundle holds plain files only",
                    got=f"{relative} is a link or a special file",
                    remedy="Copy the content in place of the link.",
                )
            if stat.S_ISREG(mode):
                yield relative


def _refuse_pickle(file: Path, shown: str) -> None:
    # Protocols 2 to 5 begin with this byte and their number; older ones can only be told by name.
    with file.open("rb") as handle:
        start = handle.read(2)
    pickled = len(start) == 2 and start[0] == 0x80 and start[1] in (2, 3, 4, 5)
    if pickled or shown.lower().endswith(PICKLE_SUFFIXES):
        raise BundleError(
            "A bundle holds no pickles: reading one can run anything",
            got=shown,
            allowed="the library's native format (LightGBM text, XGBoost UBJ, CatBoost cbm, skops)",
            remedy="Save the model in that format.",
        )


def _damaged(directory: Path, what: str) -> RegistryError:
    return BundleError(
        "The bundle is damaged",
        got=f"{directory}: {what}",
        remedy="Restore it from a backup or an export, or train it again.",
    )
