"""Telling one backend of renewals, in a thread of its own: whoever hangs there delays nobody else."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from onward.jobs.logs import Logger
from onward.jobs.protocol import JobBackend

__all__ = ["Relay"]

CLOSING_SECONDS = 1.0
"""Beyond that a thread that hangs in its backend is left behind: it holds nothing of ours."""


class Relay:
    """Passes the latest renewal on to a backend.

    A backend may wait for a network. Renewals that come meanwhile supersede one another: the newest
    proves whatever the others did.

    Parameters
    ----------
    backend
        Who is told.
    log
        Told of a backend that raises, by its name; the next renewal is passed on all the same.
    """

    def __init__(self, backend: JobBackend, log: Logger) -> None:
        self._backend = backend
        self._log = log
        self._latest: tuple[float, Mapping[str, int]] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"job-beats-{backend.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pass_on(self, sent: float, held: Mapping[str, int]) -> None:
        """Have the backend told; returns at once."""
        with self._changed:
            self._latest = (sent, held)
            self._changed.notify()

    def close(self) -> None:
        """End the thread, as soon as the backend lets it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSING_SECONDS)

    def _run(self) -> None:
        while (latest := self._next()) is not None:
            try:
                self._backend.beat(*latest)
            except Exception:  # whatever it was, its next renewal may get through
                self._log.exception("beat_failed", backend=self._backend.name)

    def _next(self) -> tuple[float, Mapping[str, int]] | None:
        """Wait for the next renewal; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._latest is not None)
            latest, self._latest = self._latest, None
            return None if self._closed else latest
