"""Whether traffic may come."""

from __future__ import annotations

import threading

__all__ = ["Readiness"]


class Readiness:
    """What must still be done before the server is ready, and whether it is ending.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._lock = threading.Lock()

    def awaits(self, name: str, words: str) -> None:
        """Note something that must be done first, or how it fares."""
        with self._lock:
            self._waiting[name] = words

    def done(self, name: str) -> None:
        """Note that something is done."""
        with self._lock:
            self._waiting.pop(name, None)

    def waiting(self) -> dict[str, str]:
        """Return what is still to be done; empty when the server is ready."""
        with self._lock:
            return dict(self._waiting)
