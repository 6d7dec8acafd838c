"""Causal feature matrices on disk, found again by what they were computed from."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import secrets
import tempfile
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError
from onward.features.cache_room import CacheStats, Removal, list_entries, make_room, mark_used, measure
from onward.features.cache_shared import SharedMatrices
from onward.storage.file_locks import held_alone, hold_for_reading

__all__ = ["DEFAULT_MAX_BYTES", "CacheStats", "FeatureCache", "Removal", "cache_key", "code_version"]

_log = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 10 * 10**9

_CHUNK = 1 << 22
_DIGEST = 24
_HEADER_BYTES = 256


class FeatureCache:
    """Matrices as ``.npy`` files in one directory, memory-mapped when read.

    An entry is one file, ``<key>.<digest of its bytes>.npy``, that appears by a single rename: a
    reader sees all of one or nothing. The digest is checked when an entry is opened; a damaged
    one is removed and computed anew.

    Two processes that need the same entry compute it once: the first holds a lock file of the
    key, the second waits and maps what the first wrote. A process that is killed lets go of its
    lock by dying.

    Above ``max_bytes`` the least recently used entries are removed, but never one that a living
    process maps: every reader holds a shared lock on the file for as long as the matrix, or any
    view of it, lives.

    A directory that cannot be read or written, something else where an entry should be, a full disk
    and a limit that is too small cost speed, never the result: the matrix stays in memory. That is
    logged as a warning the first time, and for debugging afterwards.

    Parameters
    ----------
    directory
        Where the files are; made when needed.
    max_bytes
        Size limit of the directory; None for no limit. 0 switches the cache off: everything is
        computed every time, and what is there already stays until it is cleared.
    lock_timeout
        Seconds to wait for another process that computes the same entry. After that it is
        computed here as well.
    shared
        Matrices of other hosts: asked when the directory has none, and given what is computed here.

    Raises
    ------
    ConfigError
        When the limit or the timeout is negative.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        max_bytes: int | None = DEFAULT_MAX_BYTES,
        lock_timeout: float = 1_800.0,
        shared: SharedMatrices | None = None,
    ) -> None:
        if max_bytes is not None and max_bytes < 0:
            raise ConfigError(
                "the size limit of the feature cache is negative",
                got=max_bytes,
                allowed="bytes, 0 or more, or None for no limit",
                remedy="Give a size in bytes.",
            )
        if not lock_timeout >= 0:
            raise ConfigError(
                "the time to wait for another process is negative",
                got=lock_timeout,
                allowed="seconds, 0 or more",
                remedy="Give a number of seconds.",
            )
        self.directory = Path(directory)
        self.max_bytes = max_bytes
        self.lock_timeout = lock_timeout
        self._shared = shared
        self._warned = False
        self._stuck: set[Path] = set()

    def get(self, key: str) -> npt.NDArray[Any] | None:
        """Return the read-only memory-mapped matrix of a key, or None when there is no sound one.

        The entry counts as in use until the matrix and every view of it are gone.
        """
        for path in self._places(key):
            descriptor = hold_for_reading(path)
            if descriptor is None:
                continue
            try:
                if _digest(path) == path.name.split(".")[1]:
                    matrix = np.load(path, mmap_mode="r", allow_pickle=False)
                    # Views keep the map alive, not the first array: the hold belongs to the map.
                    weakref.finalize(matrix._mmap, os.close, descriptor)
                    descriptor = None
                    mark_used(path)
                    return matrix  # type: ignore[no-any-return]
            except (OSError, ValueError, EOFError):
                _log.debug("cannot read %s", path, exc_info=True)
            finally:
                if descriptor is not None:
                    os.close(descriptor)
            self._discard(path)
        return None

    def holds(self, key: str) -> bool:
        """Return whether there seems to be an entry: a look at the names, not at the bytes."""
        if self.max_bytes == 0:
            return False
        try:
            return any(path.is_file() for path in self._places(key))
        except OSError:  # a directory that may be listed, not entered
            return False

    def build(
        self,
        key: str,
        shape: tuple[int, int],
        dtype: npt.DTypeLike,
        fill: Callable[[npt.NDArray[Any]], None],
    ) -> npt.NDArray[Any]:
        """Return the matrix of a key, computing and keeping it when it is not there.

        Parameters
        ----------
        key
            What `cache_key` returned.
        shape, dtype
            Rows by columns, and type, of the matrix.
        fill
            Writes the values into a column-major matrix; what it raises is passed on and leaves
            nothing behind.
        """
        if self.max_bytes == 0:
            return _filled(shape, dtype, fill)
        found = self._fitting(key, shape, dtype)
        if found is not None:
            return found
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return self._kept_in_memory(_filled(shape, dtype, fill), error)
        with held_alone(self.directory / f"{key}.lock", self.lock_timeout) as alone:
            if not alone:
                _log.warning("feature cache: no lock on %s, it may be computed twice", key)
            found = self._fitting(key, shape, dtype)  # somebody else may have finished meanwhile
            if found is None and self._fetch(key):
                found = self._fitting(key, shape, dtype)
            if found is not None:
                return found
            matrix = _filled(shape, dtype, fill)
            try:
                published = self._publish(key, matrix)
            except OSError as error:
                return self._kept_in_memory(matrix, error)
            if self._shared is not None:
                self._share(self._shared, published)
            found = self._fitting(key, shape, dtype)
        return matrix if found is None else found

    def stats(self) -> CacheStats:
        """Return how much the directory holds and how much of it is in use."""
        return measure(self.directory, self.max_bytes)

    def clear(self) -> Removal:
        """Remove every entry that no living process maps, and what killed writers left behind."""
        removal, _ = make_room(self.directory, -1)
        return removal

    def _places(self, key: str) -> list[Path]:
        return sorted(self.directory.glob(f"{key}.*.npy"))

    def _discard(self, path: Path) -> None:
        """Remove what is no sound entry; what cannot be removed stays and is passed over."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            _log.log(
                logging.DEBUG if path in self._stuck else logging.WARNING,
                "feature cache: %s is no sound entry and cannot be removed (%s); it is passed over, remove "
                "it by hand",
                path,
                error.strerror,
            )
            self._stuck.add(path)
        else:
            _log.warning("feature cache: %s is damaged, it is computed anew", path.name)

    def _fitting(self, key: str, shape: tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any] | None:
        found = self.get(key)
        if found is None or found.shape != shape or found.dtype != np.dtype(dtype):
            return None
        return found

    def _fetch(self, key: str) -> bool:
        """Bring the matrix that another host computed here, if there is a sound one; the key is locked."""
        entry = None if self._shared is None else self._shared.find(key)
        if entry is None or self._shared is None:
            return False
        part = self.directory / f"{key}.{secrets.token_hex(4)}.part"
        try:
            self._room_for(entry.size)
            if not self._shared.download(entry, part):
                return False
            name = f"{key}.{_digest(part)}.npy"
            if name != entry.name.rpartition("/")[2]:
                self._shared.discard(entry)
                return False
            part.replace(self.directory / name)
        except OSError as error:
            _log.debug("cannot keep %s: %s", entry.name, error)
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    @staticmethod
    def _share(shared: SharedMatrices, published: Path) -> None:
        try:
            shared.upload(published)
        except OSError as error:  # removed meanwhile to make room
            _log.debug("cannot share %s: %s", published.name, error)

    def _room_for(self, needed: int) -> None:
        if self.max_bytes is not None and not make_room(self.directory, self.max_bytes - needed)[1]:
            raise OSError(
                errno.EFBIG,
                f"{needed:,} bytes do not fit the limit of {self.max_bytes:,} beside those in use",
            )

    def _publish(self, key: str, matrix: npt.NDArray[Any]) -> Path:
        needed = matrix.nbytes + _HEADER_BYTES
        self._room_for(needed)
        try:
            return self._write(key, matrix)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            held = sum(entry.n_bytes for entry in list_entries(self.directory))
            if make_room(self.directory, held - needed)[0].n_entries == 0:
                raise
            return self._write(key, matrix)

    def _write(self, key: str, matrix: npt.NDArray[Any]) -> Path:
        handle, name = tempfile.mkstemp(prefix=f"{key}.", suffix=".part", dir=self.directory)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, matrix, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            return part.replace(self.directory / f"{key}.{_digest(part)}.npy")
        finally:
            part.unlink(missing_ok=True)

    def _kept_in_memory(self, matrix: npt.NDArray[Any], error: OSError) -> npt.NDArray[Any]:
        _log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "feature cache: %s cannot be written (%s); the matrix stays in memory and is computed "
            "again next time",
            self.directory,
            error,
        )
        self._warned = True
        return matrix


def cache_key(data_hash: str, spec: Mapping[str, Any], dtype: npt.DTypeLike) -> str:
    """Return the name of a matrix: a hash of the data, the stage, the type and the code.

    Parameters
    ----------
    data_hash
        ``market.content_hash``.
    spec
        What ``stage.spec()`` returned.
    dtype
        Type of the matrix.
    """
    text = json.dumps([data_hash, dict(spec), np.dtype(dtype).str, code_version()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@cache
def code_version() -> str:
    """Return a hash of the code that features are computed with: ours, and that of the libraries."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for part in ("types", "kernels", "data", "features"):
        for path in sorted((root / part).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    for library in ("numpy", "numba", "pandas", "ta-lib"):
        try:
            digest.update(f"{library}={version(library)}".encode())
        except PackageNotFoundError:
            digest.update(f"{library}=?".encode())
    return digest.hexdigest()


def _filled(
    shape: tuple[int, int], dtype: npt.DTypeLike, fill: Callable[[npt.NDArray[Any]], None]
) -> npt.NDArray[Any]:
    matrix = np.empty(shape, dtype=dtype, order="F")
    fill(matrix)
    return matrix


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:_DIGEST]
