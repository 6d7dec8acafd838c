"""Files that are whole or not there: atomic writes, a lock against other writers, a manifest.

The rows of a symbol lie in one immutable file a year. A manifest names the current files; a write
puts new files beside the old ones and then replaces the manifest in one rename. So a reader, a
killed writer and a full disk all leave the last complete state in place.

A writer who makes rows visible before somebody else has decided that they are to stay (the end of a
job) first sets the manifest aside. When he dies in between, the next writer goes back to it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from onward.errors import StorageError

__all__ = [
    "decide",
    "draft_manifest",
    "go_back",
    "locked",
    "new_name",
    "read_manifest",
    "set_aside",
    "storage_errors",
    "sweep",
    "sync",
    "write_atomically",
    "write_manifest",
]

MANIFEST = "manifest.json"
BEFORE = "manifest.before"
DRAFT = "manifest.next.tmp"
LOCK = "write.lock"
FORMAT = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_POLL_SECONDS = 0.02


@contextlib.contextmanager
def storage_errors(action: str, path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into a `StorageError` that says what is still safe."""
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        raise StorageError(
            f"{'The disk is full' if full else 'The disk refused'} while {action}",
            got=f"{path}: {error.strerror or error}",
            remedy="Free some space and repeat; what was stored before is untouched."
            if full
            else "Check that the directory exists, belongs to you and is writable.",
        ) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that its name stands for the old or the new content, never for a part."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(directory: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Keep other writers out of a directory; the system frees the lock of a killed process."""
    with storage_errors("opening the store", directory):
        directory.mkdir(parents=True, exist_ok=True)
        stream = (directory / LOCK).open("ab")
    with stream:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise StorageError(
                        "Another process is writing to this store",
                        got=f"{directory}, still locked after {timeout_seconds:g} s",
                        remedy="Wait until the other import has ended, then repeat.",
                    ) from error
            time.sleep(_POLL_SECONDS)
        yield


def new_name(year: int) -> str:
    """Return an unused file name for the rows of a year."""
    return f"{year}-{secrets.token_hex(6)}.parquet"


def read_manifest(directory: Path) -> dict[int, str]:
    """Return the current file of each year; empty when nothing is stored."""
    return _read(directory / MANIFEST)


def _read(path: Path) -> dict[int, str]:
    try:
        content = json.loads(path.read_text("utf-8"))
        return {int(year): str(name) for year, name in content["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, AttributeError) as error:
        raise StorageError(
            "The manifest of the store is damaged",
            got=f"{path}: {error}",
            remedy="Remove the directory and import its files again.",
        ) from error


def write_manifest(directory: Path, files: Mapping[int, str]) -> None:
    """Make these files the current ones, in one rename."""
    write_atomically(directory / MANIFEST, _content(files))


def draft_manifest(directory: Path, files: Mapping[int, str]) -> Path:
    """Write the manifest that would make these files the current ones; renaming it does."""
    write_atomically(directory / DRAFT, _content(files))
    return directory / DRAFT


def set_aside(directory: Path) -> None:
    """Keep the current manifest for `go_back`, until `decide`; the caller holds the lock."""
    write_atomically(directory / BEFORE, _content(read_manifest(directory)))


def decide(directory: Path) -> None:
    """Let the current manifest stay; the caller holds the lock."""
    sync(directory)
    if (directory / BEFORE).exists():
        (directory / BEFORE).unlink()
        sync(directory)  # when power fails, what was decided must not be asked again


def go_back(directory: Path) -> None:
    """Return to the manifest that was set aside, if one was; the caller holds the lock."""
    before = directory / BEFORE
    if not before.exists():
        return
    files = _read(before)
    if files:
        write_manifest(directory, files)
    else:
        (directory / MANIFEST).unlink(missing_ok=True)
        sync(directory)
    before.unlink()


def _content(files: Mapping[int, str]) -> bytes:
    content = {"format": FORMAT, "files": {str(year): files[year] for year in sorted(files)}}
    return json.dumps(content, indent=1).encode()


def sweep(directory: Path) -> None:
    """Remove files that no manifest names any more; the caller holds the lock."""
    current = set(read_manifest(directory).values())
    for path in directory.iterdir():
        if (path.suffix == ".parquet" and path.name not in current) or path.suffix == ".tmp":
            with contextlib.suppress(OSError):
                path.unlink()
