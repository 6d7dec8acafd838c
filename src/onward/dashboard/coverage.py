"""How far stored series reach, looked up again only when something was written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.data.repositories import Coverage, DataStore

__all__ = ["CoverageBook"]


class CoverageBook:
    """The coverage of a store. Safe to use from several threads.

    Reading it takes milliseconds a series, and pages ask for it on every view. Writers replace
    files, which changes the time stamp of the directory they lie in: while no directory changed,
    the answer before still holds.

    Parameters
    ----------
    store
        Gives the store; asked in threads.
    """

    def __init__(self, store: Callable[[], DataStore]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._signature: object = None
        self._known: Sequence[Coverage] = ()

    def coverage(self) -> Sequence[Coverage]:
        """Return the coverage of every series."""
        store = self._store()
        with self._lock:
            signature = _signature(store.root)
            if signature is None or signature != self._signature:
                self._known = tuple(store.coverage())
                self._signature = signature
            return self._known


def _signature(root: Path) -> object:
    """Return what changes with every write; None, which equals nothing, when it cannot be told."""
    try:
        return tuple((place, Path(place).stat().st_mtime_ns) for place, _, _ in os.walk(root))
    except OSError:
        return None
