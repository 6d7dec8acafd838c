"""How many jobs there are by state, counted when somebody reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from onward.errors import StorageError
from onward.jobs.states import STATES
from onward.jobs.values import JobState

__all__ = ["COUNT_SECONDS", "Depth"]

COUNT_SECONDS = 5.0
"""Shortest time between two counts, however often and by however many it is read.

No setting, as the next one: how old a figure on a chart is decides nothing about a job.
"""
PATIENCE_SECONDS = 1.0
"""How long a reader waits for another one's count."""


class Depth(Collector):
    """The gauge ``onward_jobs``: a count is at most as old as `COUNT_SECONDS`, or left out.

    Counting reads every job there is, so nobody counts for no reader. While the database is away
    there is no figure, since an old one would be taken for a new one. Safe to use from several
    threads.

    Parameters
    ----------
    count
        Asks the database.
    timer
        Monotonic seconds.
    """

    def __init__(
        self, count: Callable[[], Mapping[JobState, int]], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._timer = timer
        self._lock = threading.Lock()
        self._counts: Mapping[JobState, int] | None = None
        self._counted = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Return what is counted, without a figure."""
        return (self._family(),)

    def collect(self) -> Iterable[Metric]:
        """Return the figures, counted anew unless they were just now."""
        family, counts = self._family(), self._fresh()
        if counts is not None:
            for state in STATES:
                family.add_metric([state], counts.get(state, 0))
        return (family,)

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily("onward_jobs", "Jobs in the database by state.", labels=["state"])

    def _fresh(self) -> Mapping[JobState, int] | None:
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            return None
        try:
            if self._counts is None or self._timer() - self._counted >= COUNT_SECONDS:
                self._counts = None
                counted = self._timer()  # before: the figures are at least as old
                self._counts, self._counted = self._count(), counted
        except StorageError:
            return None
        else:
            return self._counts
        finally:
            self._lock.release()
