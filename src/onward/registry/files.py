"""Files that are either whole and on disk, or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onward.errors import StorageError

__all__ = [
    "atomic_directory",
    "atomic_file",
    "fsync_directory",
    "fsync_tree",
    "hash_file",
    "storage_errors",
]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def storage_errors(doing: str, path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into `StorageError`.

    Parameters
    ----------
    doing
        What was being done, such as ``write the bundle``.
    path
        Where; the path in the operating system's own message wins.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in FULL:
            remedy = "Free some space (or raise the quota) and try again; nothing was left half-written."
        elif error.errno in DENIED:
            remedy = "Make the directory writable, or name another home with --home or ONWARD_HOME."
        else:
            remedy = "Check the disk and the path."
        reason = error.strerror or type(error).__name__
        raise StorageError(f"Could not {doing}", got=f"{where} ({reason})", remedy=remedy) from error


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_directory(path: Path) -> None:
    """Make the entries of a directory survive a power failure."""
    if os.name == "nt":  # pragma: no cover - directories cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(path: Path) -> None:
    """Make every file and directory below a directory, and itself, survive a power failure."""
    for directory, _, files in os.walk(path, topdown=False):
        for name in files:
            file = Path(directory, name)
            if not file.is_symlink():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        fsync_directory(Path(directory))


@contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Give an empty directory beside ``target`` that becomes it, on disk, when all went well.

    ``target`` may be an empty directory. After an error nothing is left behind; a process that
    is killed leaves a directory whose name begins with a dot.
    """
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        yield draft
        fsync_tree(draft)
        # Replacing an empty directory is atomic; one with content makes the call fail.
        draft.rename(target)
        fsync_directory(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` that becomes it, on disk, when all went well.

    Raises
    ------
    StorageError
        When the target is a device or a pipe: a rename would replace it for the whole machine.
    """
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise StorageError(
            "This is no ordinary file and is left alone",
            got=str(target),
            allowed="a path of a file, or one where nothing is",
            remedy="Name a file.",
        )
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        yield draft
        with draft.open("rb") as handle:
            os.fsync(handle.fileno())
        draft.replace(target)
        fsync_directory(target.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
