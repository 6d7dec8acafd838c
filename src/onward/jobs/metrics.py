"""What jobs count for Prometheus. Every manager has a registry of its own, so tests share nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from onward.jobs.states import STATES
from onward.jobs.values import Job, JobState

__all__ = ["JobMetrics"]

WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
COUNT_SECONDS = 5.0
"""Shortest time between two counts of the jobs in the database."""
RUNS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


class JobMetrics:
    """Counters, gauges and histograms of one manager.

    Parameters
    ----------
    registry
        Where they are registered; default is a registry of their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._depth = Gauge(
            "onward_jobs", "Jobs in the database by state.", ["state"], registry=self.registry
        )
        self._held = Gauge("onward_jobs_held", "Jobs that this server holds.", registry=self.registry)
        self._claim = Histogram(
            "onward_job_claim_latency_seconds",
            "Time from due to running.",
            ["kind"],
            buckets=WAITS,
            registry=self.registry,
        )
        self._run = Histogram(
            "onward_job_run_seconds",
            "Time from running to its end.",
            ["kind", "state"],
            buckets=RUNS,
            registry=self.registry,
        )
        self._stop = Histogram(
            "onward_job_stop_seconds",
            "Time from a stop request to no process left.",
            buckets=WAITS,
            registry=self.registry,
        )
        self._ends = Counter(
            "onward_job_ends", "Jobs that ended here.", ["kind", "state", "reason"], registry=self.registry
        )
        self._reaps = Counter(
            "onward_job_reaps", "Attempts taken from silent owners.", registry=self.registry
        )
        self._lost = Counter(
            "onward_job_leases_lost", "Attempts of this server that others took.", registry=self.registry
        )
        self._unkillable = Counter(
            "onward_job_unkillable", "Alarms of processes that SIGKILL left.", registry=self.registry
        )

        self._counted = float("-inf")
        self._read = True
        self.registry.register(_Reader(self._note))

    def due(self, now: float) -> bool:
        """Return whether jobs are to be counted: once, and then when somebody read what was counted.

        Counting reads every job there is. Readers get a count that is at most as old as the time
        between two of their looks, and nobody counts for no reader.
        """
        return self._read and now - self._counted >= COUNT_SECONDS

    def hold(self, held: int) -> None:
        """Show how many jobs this server holds."""
        self._held.set(held)

    def counted(self, counts: Mapping[JobState, int], held: int) -> None:
        """Show how many jobs there are by state, and how many this server holds."""
        self._counted, self._read = time.monotonic(), False
        for state in STATES:
            self._depth.labels(state).set(counts.get(state, 0))
        self._held.set(held)

    def uncounted(self) -> None:
        """Leave out how many jobs there are until they are counted again: the database is away."""
        self._depth.clear()

    def began(self, job: Job, seconds: float) -> None:
        """Count a job that began to run, ``seconds`` after it was due."""
        self._claim.labels(job.kind).observe(max(0.0, seconds))

    def ended(self, job: Job, seconds: float | None) -> None:
        """Count an end; ``seconds`` of running, None when it never ran."""
        self._ends.labels(job.kind, job.state, job.reason or "").inc()
        if seconds is not None:
            self._run.labels(job.kind, job.state).observe(seconds)

    def stopped(self, seconds: float) -> None:
        """Count a stop, from the request to the proof that nothing is left."""
        self._stop.observe(max(0.0, seconds))

    def reaped(self) -> None:
        """Count an attempt that was taken from a silent owner."""
        self._reaps.inc()

    def lost(self) -> None:
        """Count an attempt that another server took from this one."""
        self._lost.inc()

    def unkillable(self) -> None:
        """Count an alarm."""
        self._unkillable.inc()

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _note(self) -> None:
        self._read = True


class _Reader(Collector):
    """Stands among the collectors of a registry to learn when it is read."""

    def __init__(self, note: Callable[[], None]) -> None:
        self._note = note

    def describe(self) -> Iterable[Metric]:
        """Return nothing: it has no figures."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return nothing, and note that somebody reads."""
        self._note()
        return ()
