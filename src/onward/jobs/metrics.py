"""What jobs count for Prometheus. Every manager has a registry of its own, so tests share nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from onward.jobs.depth import Depth
from onward.jobs.values import Job, JobState

__all__ = ["JobMetrics"]

WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
RUNS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


class JobMetrics:
    """Counters, gauges and histograms of one manager.

    Parameters
    ----------
    count
        Counts the jobs in the database by state; None = nobody asks it.
    held
        Counts the jobs that this server holds.

    Attributes
    ----------
    registry
        Everything, the count of the jobs in the database included, which asks it.
    """

    def __init__(
        self,
        count: Callable[[], Mapping[JobState, int]] | None = None,
        held: Callable[[], int] = int,
    ) -> None:
        self.registry, self._own = CollectorRegistry(), CollectorRegistry()
        self.registry.register(_Within(self._own))
        if count is not None:
            self.registry.register(Depth(count))
        Gauge("onward_jobs_held", "Jobs that this server holds.", registry=self._own).set_function(held)
        self._claim = Histogram(
            "onward_job_claim_latency_seconds",
            "Time from due to running.",
            ["kind"],
            buckets=WAITS,
            registry=self._own,
        )
        self._run = Histogram(
            "onward_job_run_seconds",
            "Time from running to its end.",
            ["kind", "state"],
            buckets=RUNS,
            registry=self._own,
        )
        self._stop = Histogram(
            "onward_job_stop_seconds",
            "Time from a stop request to no process left.",
            buckets=WAITS,
            registry=self._own,
        )
        self._ends = Counter(
            "onward_job_ends", "Jobs that ended here.", ["kind", "state", "reason"], registry=self._own
        )
        self._reaps = Counter("onward_job_reaps", "Attempts taken from silent owners.", registry=self._own)
        self._lost = Counter(
            "onward_job_leases_lost", "Attempts of this server that others took.", registry=self._own
        )
        self._unkillable = Counter(
            "onward_job_unkillable", "Alarms of processes that SIGKILL left.", registry=self._own
        )

    def began(self, job: Job, seconds: float | None) -> None:
        """Count an attempt that began to run, ``seconds`` after it was due; None when nobody knows."""
        if seconds is not None:
            self._claim.labels(job.kind).observe(seconds)

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

    def text(self, *, counted: bool = True) -> bytes:
        """Return everything in Prometheus' text format.

        ``counted`` False: without what the database must be asked for, and so at once.
        """
        return generate_latest(self.registry if counted else self._own)


class _Within(Collector):
    """Lets one registry be part of another."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are checked within."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return what is within."""
        return self._registry.collect()
