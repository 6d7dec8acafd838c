"""How far stored series reach, told without reading them again and without the libraries that read them.

Reading them takes milliseconds a series, importing pandas a second and as much memory as the server
itself. So what was told is kept in a file of the home, beside what the store looked like then.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

from onward.errors import StorageError
from onward.registry.files import atomic_file
from onward.registry.plain import plain
from onward.server.services import Provider

__all__ = ["StoredSeries"]

KEPT = Path("cache") / "series.json"
MANIFEST = "manifest.json"
"""Names the files of a symbol, which never change; every write puts another one in its place."""
FORMAT = 1


class StoredSeries:
    """The coverage of the stored market data. For threads; safe to use from several.

    Parameters
    ----------
    provider
        Gives the store, when it has to be read.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()

    def coverage(self) -> list[dict[str, Any]]:
        """Return kind, symbol, timeframe, first and last moment, rows and gaps of every series.

        Raises
        ------
        StorageError
            When what is stored cannot be read.
        """
        root, file = self._root(), self._provider.services.home.root / KEPT
        with self._lock:
            if root is None:
                return self._read()[1]
            looks = _looks(root)
            told = None if looks is None else _kept(file, looks)
            if told is None:
                place, told = self._read()
                # Of another place than the one that was looked at, or of a moment in between: not kept.
                if looks is not None and place == str(root) and looks == _looks(root):
                    _keep(file, looks, told)
            return told

    def _read(self) -> tuple[str, list[dict[str, Any]]]:
        """Return where the store is, and what it says."""
        store = self._provider.build("repositories")
        return str(getattr(store, "root", "")), plain([one.to_dict() for one in store.coverage()])

    def _root(self) -> Path | None:
        """Return the directory of this host that holds the series; None when a shared store does."""
        services = self._provider.services
        storage = services.settings.storage
        if storage.artifacts is not None and storage.data_directory is None:
            return None
        return storage.data_directory or services.home.data


def _looks(root: Path) -> str | None:
    """Return a text that changes with every write; None when the directory cannot be read."""
    digest = hashlib.sha256()
    if not root.exists():
        return digest.hexdigest()
    try:
        for place, directories, files in os.walk(root, onerror=_refuse):
            directories[:] = sorted(name for name in directories if not name.startswith("."))
            if MANIFEST in files:
                content = (Path(place) / MANIFEST).read_bytes()
                digest.update(f"{os.path.relpath(place, root)}\0{len(content)}\0".encode() + content)
    except OSError:
        return None
    return digest.hexdigest()


def _refuse(error: OSError) -> None:
    raise error


def _kept(file: Path, looks: str) -> list[dict[str, Any]] | None:
    try:
        kept = json.loads(file.read_bytes())
        if (kept["format"], kept["looks"]) == (FORMAT, looks):
            return list(kept["series"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none, or one of another version
    return None


def _keep(file: Path, looks: str, series: list[dict[str, Any]]) -> None:
    with contextlib.suppress(OSError, StorageError):  # the answer counts more
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(file) as draft:
            draft.write_text(json.dumps({"format": FORMAT, "looks": looks, "series": series}))
