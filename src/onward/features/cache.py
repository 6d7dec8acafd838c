"""Causal feature matrices on disk, found again by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FeatureCache", "cache_key", "code_version"]

_log = logging.getLogger(__name__)

_CHUNK = 1 << 22
_DIGEST = 24


class FeatureCache:
    """Matrices as ``.npy`` files in one directory, memory-mapped when read.

    An entry is one file, ``<key>.<digest of its bytes>.npy``, that appears by a single rename:
    two processes that compute the same key each publish a whole file, and a reader sees all of
    one or nothing. The digest is checked when an entry is opened; a damaged one is removed and
    computed anew. A directory that cannot be written costs speed, never the result.

    Parameters
    ----------
    directory
        Where the files are; made when needed.
    """

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)

    def get(self, key: str) -> npt.NDArray[Any] | None:
        """Return the read-only memory-mapped matrix of a key, or None when there is no sound one."""
        for path in sorted(self.directory.glob(f"{key}.*.npy")):
            try:
                if _digest(path) == path.name.split(".")[1]:
                    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
            except (OSError, ValueError):
                _log.debug("cannot read %s", path, exc_info=True)
            _log.warning("feature cache: %s is damaged, it is computed anew", path.name)
            path.unlink(missing_ok=True)
        return None

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
        found = self.get(key)
        if found is not None and found.shape == shape and found.dtype == np.dtype(dtype):
            return found
        matrix = np.empty(shape, dtype=dtype, order="F")
        fill(matrix)
        try:
            self._publish(key, matrix)
        except OSError as error:
            _log.warning("feature cache: %s cannot be written (%s)", self.directory, error)
            return matrix
        found = self.get(key)
        return matrix if found is None or found.shape != shape else found

    def _publish(self, key: str, matrix: npt.NDArray[Any]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{key}.", suffix=".part", dir=self.directory)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, matrix, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.directory / f"{key}.{_digest(part)}.npy")
        finally:
            part.unlink(missing_ok=True)


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
    for part in ("types.py", "kernels", "data", "features"):
        place = root / part
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    for library in ("numpy", "numba", "pandas", "ta-lib"):
        try:
            digest.update(f"{library}={version(library)}".encode())
        except PackageNotFoundError:
            digest.update(f"{library}=?".encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:_DIGEST]
