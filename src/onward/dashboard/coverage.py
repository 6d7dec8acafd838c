"""How far stored series reach and where they have gaps, looked up again only when something was written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.data.repositories import Coverage, DataStore

__all__ = ["CoverageBook", "Gap", "SeriesKey"]

SeriesKey = tuple[str, str, str]
"""Kind, symbol (empty: every one) and timeframe (empty where there is none) of a stored series."""
Gap = tuple[float, float]
"""Unix seconds of the last row before an interruption and of the first one after it."""
MOST_GAPS = 1000


@dataclass(frozen=True, eq=False)
class _Known:
    files: tuple[str, ...]
    coverage: Coverage
    gaps: Sequence[Gap] | None = None


class CoverageBook:
    """The coverage of a store. Safe to use from several threads.

    Reading it takes milliseconds a series, and pages ask for it on every view. Writers replace
    files, which changes the time stamp of the directory they lie in: while no directory changed,
    the answer before still holds. After a change the series whose files are the same are not read
    again.

    Parameters
    ----------
    store
        Gives the store; asked in threads.
    """

    def __init__(self, store: Callable[[], DataStore]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._signature: object = None
        self._known: dict[SeriesKey, _Known] = {}

    def coverage(self) -> Sequence[Coverage]:
        """Return the coverage of every series: candles by timeframe, then the side series."""
        with self._lock:
            self._look()
            return tuple(known.coverage for known in self._known.values())

    def gaps(self, wanted: Sequence[SeriesKey]) -> Mapping[SeriesKey, Sequence[Gap]]:
        """Return where series are interrupted, those that are stored; the longest gaps of each, in order.

        Parameters
        ----------
        wanted
            Which series: their rows are read, so no more of them than are shown.
        """
        with self._lock:
            store = self._look()
            for key in wanted:
                known = self._known.get(key)
                if known is not None and known.gaps is None:
                    found = _gaps(store, known.coverage) if known.coverage.gaps else ()
                    self._known[key] = _Known(known.files, known.coverage, found)
            return {key: self._known[key].gaps or () for key in wanted if key in self._known}

    def _look(self) -> DataStore:
        store = self._store()
        signature = _signature(store.root)
        if signature is None or signature != self._signature:
            fresh = {}
            for key, repository in _series(store):
                files, known = repository.state(key[1]), self._known.get(key)
                if known is None or known.files != files:
                    known = _Known(files, repository.coverage(key[1]))
                fresh[key] = known
            self._known, self._signature = fresh, signature
        return store


def _series(store: DataStore) -> Iterator[tuple[SeriesKey, Any]]:
    for timeframe in store.timeframes():
        candles = store.candles(timeframe)
        yield from ((("candles", symbol, timeframe), candles) for symbol in candles.symbols())
    for kind in ("funding", "open_interest", "fear_greed"):
        side = store.side(kind)
        yield from (((kind, symbol, ""), side) for symbol in side.symbols())


def _gaps(store: DataStore, coverage: Coverage) -> Sequence[Gap]:
    import numpy as np
    import pandas as pd

    from onward.data.timeframe import infer_timeframe
    from onward.types import to_ns

    if coverage.kind == "candles":
        candles = store.candles(coverage.timeframe)
        rows, usual = candles.read(coverage.symbol)["timestamp"], candles.timeframe
    else:
        rows = store.side(coverage.kind).read(coverage.symbol)["timestamp"]
        usual = infer_timeframe(pd.DatetimeIndex(rows))
    seconds = to_ns(rows) / 1e9
    steps = np.diff(seconds)
    found = np.flatnonzero(steps > usual.total_seconds())
    if len(found) > MOST_GAPS:
        found = np.sort(found[np.argsort(-steps[found], kind="stable")[:MOST_GAPS]])
    return tuple(zip(seconds[found].tolist(), seconds[found + 1].tolist(), strict=True))


def _signature(root: Path) -> object:
    """Return what changes with every write; None, which equals nothing, when it cannot be told."""
    try:
        return tuple((place, Path(place).stat().st_mtime_ns) for place, _, _ in os.walk(root))
    except OSError:
        return None
