"""Wakes listeners of the same process, where no database does it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

__all__ = ["NEWS", "QUEUED", "STOP", "Bell"]

QUEUED = "queued"
"""There may be something to claim: a new job, one that was queued again, or a free place."""
STOP = "stop"
"""A stop was asked for."""
NEWS = frozenset({QUEUED, STOP})


class Bell:
    """Counts news; listeners compare what they have heard with what there is."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = dict.fromkeys(NEWS, 0)

    def ring(self, news: Iterable[str]) -> None:
        """Tell of news."""
        with self._changed:
            for name in news:
                self._rung[name] += 1
            self._changed.notify_all()

    def heard(self) -> dict[str, int]:
        """Return how often there was news of each sort."""
        with self._changed:
            return dict(self._rung)

    def wait(self, heard: Mapping[str, int], timeout: float) -> frozenset[str]:
        """Return which news came since, after waiting at most ``timeout`` seconds for some."""
        with self._changed:
            self._changed.wait_for(lambda: self._since(heard), timeout)
            return self._since(heard)

    def _since(self, heard: Mapping[str, int]) -> frozenset[str]:
        return frozenset(name for name, count in self._rung.items() if count > heard[name])
