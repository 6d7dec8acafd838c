"""How far stored series reach and where they have gaps, told without the libraries that read them.

Reading takes milliseconds a series, importing pandas the better part of a second and as much memory
as the server itself. So what was found out is kept in a file of the home, beside the files that it
was found in; only series whose files are others are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from onward.errors import NotEnoughDataError, StorageError
from onward.registry.files import atomic_file
from onward.registry.plain import plain
from onward.server.services import Provider

if TYPE_CHECKING:
    from onward.data.repositories import DataStore

__all__ = ["CoverageBook", "Gap", "Reach", "SeriesKey", "bar_length"]

SeriesKey: TypeAlias = tuple[str, str, str]
"""Kind, symbol (empty: every one) and timeframe (empty where there is none) of a stored series."""
Gap: TypeAlias = tuple[float, float]
"""Unix seconds of the last row before an interruption and of the first one after it."""

KEPT = Path("cache") / "series.json"
FORMAT = 2
MANIFEST = "manifest.json"
"""Names the files of a symbol, which never change; every write puts another one in its place."""
MOST_GAPS = 1000
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Reach:
    """How far a stored series reaches: `onward.data.repositories.Coverage` in values of Python alone.

    Attributes
    ----------
    kind, symbol, timeframe
        Which series; no symbol: for every one; no timeframe: not candles.
    first, last
        First and last timestamp, UTC; of candles the moments at which they open.
    rows
        Rows stored.
    gaps, missing
        Interruptions of the usual spacing, and the rows that fell into them.
    longest_gap
        Distance across the longest interruption; zero without one.
    """

    kind: str
    symbol: str
    timeframe: str
    first: datetime
    last: datetime
    rows: int
    gaps: int
    missing: int
    longest_gap: timedelta

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Reach:
        """Return what a document tells that ``Coverage.to_dict`` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is none.
        """
        told = {name: document[name] for name in ("kind", "symbol", "timeframe", "rows", "gaps", "missing")}
        return cls(
            **told,
            first=datetime.fromisoformat(document["first"]),
            last=datetime.fromisoformat(document["last"]),
            longest_gap=timedelta(seconds=document["longest_gap"]),
        )

    @property
    def key(self) -> SeriesKey:
        """By which the series is known."""
        return (self.kind, self.symbol, self.timeframe)

    @property
    def bar(self) -> timedelta:
        """Length of a bar; zero of what has none."""
        return bar_length(self.timeframe)

    @property
    def end(self) -> datetime:
        """When the newest bar closes, UTC; of what has no bars the last timestamp."""
        return self.last + self.bar


def bar_length(timeframe: str) -> timedelta:
    """Return the length of a bar of a timeframe as stores spell it (``1h``); zero for the empty text."""
    return timedelta(**{UNITS[timeframe[-1]]: int(timeframe[:-1])}) if timeframe else timedelta()


@dataclass(frozen=True, eq=False)
class _Known:
    """What was found out about a series, and the files it was found in."""

    files: tuple[str, ...]
    document: Mapping[str, Any]
    reach: Reach
    gaps: Sequence[Gap] | None

    @classmethod
    def of(cls, files: Sequence[str], document: Mapping[str, Any], gaps: Any = None) -> _Known:
        reach = Reach.of(document)
        found = None if gaps is None else tuple((float(begin), float(end)) for begin, end in gaps)
        return cls(tuple(files), document, reach, found if reach.gaps else ())


class CoverageBook:
    """The coverage of the stored market data. For threads; safe to use from several.

    Parameters
    ----------
    provider
        Gives the store, when it has to be read.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._looks: str | None = None
        self._known: dict[SeriesKey, _Known] = {}

    def coverage(self) -> Sequence[Reach]:
        """Return how far every series reaches: candles by timeframe, then the side series.

        Raises
        ------
        StorageError
            When what is stored cannot be read.
        """
        with self._lock:
            self._look()
            return tuple(known.reach for known in self._known.values())

    def documents(self) -> list[dict[str, Any]]:
        """Return the same as plain JSON values; durations in seconds.

        Raises
        ------
        StorageError
            When what is stored cannot be read.
        """
        with self._lock:
            self._look()
            return [dict(known.document) for known in self._known.values()]

    def gaps(self, wanted: Sequence[SeriesKey]) -> Mapping[SeriesKey, Sequence[Gap]]:
        """Return where series are interrupted, those that are stored; the longest gaps of each, in order.

        Parameters
        ----------
        wanted
            Which series: the rows of those that have gaps are read once, so no more than are shown.

        Raises
        ------
        StorageError
            When what is stored cannot be read.
        """
        with self._lock:
            self._look()
            stored = [key for key in wanted if key in self._known]
            unread = [key for key in stored if self._known[key].gaps is None]
            if unread:
                store = self._provider.build("repositories")
                for key in unread:
                    self._known[key] = replace(self._known[key], gaps=_gaps(store, key))
                self._keep()
            return {key: self._known[key].gaps or () for key in stored}

    def _look(self) -> None:
        """Find out about what was written since; without a directory to look at, look at every series."""
        root = self._root()
        looks = None if root is None else _looks(root)
        if looks is not None and looks == self._looks:
            return
        looked, known = _kept(self._file) if root is not None else (None, {})
        if looks is not None and looked == looks:  # by a server before, or another one
            self._looks, self._known = looks, known
            return
        store = self._provider.build("repositories")
        self._looks, self._known = None, _read(store, {**known, **self._known})
        # Of another place than the one that was looked at, or of a moment in between: not for long.
        if looks is not None and Path(store.root) == root and looks == _looks(root):
            self._looks = looks
            self._keep()

    def _keep(self) -> None:
        if self._looks is not None:
            _keep(self._file, self._looks, list(self._known.values()))

    @property
    def _file(self) -> Path:
        return self._provider.services.home.root / KEPT

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


def _read(store: DataStore, known: Mapping[SeriesKey, _Known]) -> dict[SeriesKey, _Known]:
    """Return what is stored; what is known of the same files is not read again."""
    found = {}
    for key, repository in _series(store):
        files, before = repository.state(key[1]), known.get(key)
        if before is not None and before.files == files:
            found[key] = before
            continue
        with contextlib.suppress(NotEnoughDataError):  # removed in between
            found[key] = _Known.of(files, plain(repository.coverage(key[1]).to_dict()))
    return found


def _series(store: DataStore) -> Iterator[tuple[SeriesKey, Any]]:
    for timeframe in store.timeframes():
        candles = store.candles(timeframe)
        yield from ((("candles", symbol, timeframe), candles) for symbol in candles.symbols())
    for kind in ("funding", "open_interest", "fear_greed"):
        side = store.side(kind)
        yield from (((kind, symbol, ""), side) for symbol in side.symbols())


def _gaps(store: DataStore, key: SeriesKey) -> Sequence[Gap]:
    import numpy as np
    import pandas as pd

    from onward.data.timeframe import infer_timeframe
    from onward.types import to_ns

    kind, symbol, timeframe = key
    repository = store.candles(timeframe) if kind == "candles" else store.side(kind)
    rows = repository.read(symbol)["timestamp"]
    if len(rows) < 2:  # removed in between
        return ()
    usual = pd.Timedelta(bar_length(timeframe)) if timeframe else infer_timeframe(pd.DatetimeIndex(rows))
    seconds = to_ns(rows) / 1e9
    steps = np.diff(seconds)
    found = np.flatnonzero(steps > usual.total_seconds())
    if len(found) > MOST_GAPS:
        found = np.sort(found[np.argsort(-steps[found], kind="stable")[:MOST_GAPS]])
    return tuple(zip(seconds[found].tolist(), seconds[found + 1].tolist(), strict=True))


def _kept(file: Path) -> tuple[str | None, dict[SeriesKey, _Known]]:
    """Return what the store looked like to whoever kept something, and what that was."""
    try:
        kept = json.loads(file.read_bytes())
        if kept["format"] == FORMAT:
            parts = zip(kept["files"], kept["series"], kept["gaps"], strict=True)
            known = [_Known.of(*part) for part in parts]
            return str(kept["looks"]), {one.reach.key: one for one in known}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none, or one of another version
    return None, {}


def _keep(file: Path, looks: str, known: Sequence[_Known]) -> None:
    content = {
        "format": FORMAT,
        "looks": looks,
        "series": [one.document for one in known],
        "files": [one.files for one in known],
        "gaps": [one.gaps for one in known],
    }
    with contextlib.suppress(OSError, StorageError):  # the answer counts more
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(file) as draft:
            draft.write_text(json.dumps(content))
