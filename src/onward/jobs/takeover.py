"""The thread that takes over the jobs of owners that fell silent. It is no job itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from onward.errors import JobNotFoundError, StorageError
from onward.jobs.kinds import JobKind
from onward.jobs.protocol import ForesightedBackend, JobBackend
from onward.jobs.reaper import SilenceWatch
from onward.jobs.settlement import Surroundings
from onward.jobs.values import Lease

__all__ = ["Takeover"]

SHORTEST_SECONDS = 0.02
"""Shortest gap between two looks, also when somebody's lease is over but cannot be taken yet: it keeps a
thread from spinning and decides nothing else, so it is no setting."""
FORESIGHT = 0.5
"""Part of a lease after which its owner's silence is no accident any more: heartbeats come far more often."""


class Takeover:
    """Watches every lease, and reaps those that stood still for the time of a lease.

    Parameters
    ----------
    owner
        Who watches: his own leases he renews himself.
    backends
        End what is left of a dead owner's workers, by name.
    kinds
        Told of jobs that ended here.
    directory
        Below which every job has its own; servers of one home share it.
    surroundings
        Store, settings, metrics, log.
    """

    def __init__(
        self,
        owner: str,
        backends: Mapping[str, JobBackend],
        kinds: Mapping[str, JobKind],
        directory: Path,
        surroundings: Surroundings,
    ) -> None:
        self._owner = owner
        self._backends = backends
        self._kinds = kinds
        self._directory = directory
        self._in = surroundings
        self._watch = SilenceWatch(surroundings.config.lease_seconds)
        self._foresighted: Mapping[str, ForesightedBackend] = {
            name: backend for name, backend in backends.items() if isinstance(backend, ForesightedBackend)
        }
        self._quiet: dict[tuple[str, int], str] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-takeover", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def look(self, now: float) -> int:
        """Look once, ``now`` in monotonic seconds, and return how many attempts were taken over."""
        try:
            leases = [lease for lease in self._in.store.leases() if lease.owner != self._owner]
            silent = self._watch.silent(leases, now)
            self._warn(self._watch.quiet(now, FORESIGHT * self._in.config.lease_seconds))
            return sum(self._reap(lease) for lease in silent)
        except StorageError as error:
            self._watch.forget()
            self._in.log.warning("database_away", error=str(error))
            return 0

    def _warn(self, quiet: list[Lease]) -> None:
        """Let backends get ready, so that nothing has to be begun when a lease is over."""
        known = self._quiet
        self._quiet = {}
        for lease in quiet:
            attempt = (lease.job_id, lease.attempt)
            try:
                self._quiet[attempt] = known.get(attempt) or self._in.store.get(lease.job_id).request.backend
            except JobNotFoundError:
                continue
        for name in set(self._quiet.values()) & set(self._foresighted):
            try:
                self._foresighted[name].expect_orphans()
            except Exception:  # being ready is an advantage, no condition
                self._in.log.exception("foresight_failed", backend=name)

    def _reap(self, lease: Lease) -> bool:
        try:
            job = self._in.store.get(lease.job_id)
        except JobNotFoundError:
            return False
        if (job.owner, job.attempt) != (lease.owner, lease.attempt):
            return False
        backend = self._backends.get(job.request.backend)
        if backend is not None and not backend.end_orphan(job, self._directory / job.id / str(job.attempt)):
            # Two attempts must never run at once: not before nothing is left of the first.
            self._in.log.error("orphan_remains", job_id=job.id, attempt=job.attempt)
            return False
        reaped = self._in.store.reap(lease)
        if reaped is None:
            return False
        self._in.metrics.reaped()
        self._in.log.warning(
            "reaped", job_id=job.id, attempt=job.attempt, owner=lease.owner, state=reaped.state
        )
        if reaped.state != "queued":
            self._in.metrics.ended(reaped, None)
            kind = self._kinds.get(reaped.kind)
            if kind is not None:
                kind.ended(reaped)
        return True

    def _run(self) -> None:
        config = self._in.config
        # Often enough that a pause between two looks can only mean that this server was suspended,
        # and that a last heartbeat is seen soon after it came: from then on its lease runs.
        usual = min(config.heartbeat_seconds / 4, config.lease_seconds / 8)
        pause = usual
        while not self._closing.wait(pause):
            try:
                self.look(time.monotonic())
            except Exception:  # whatever it was, lost jobs must go on being found
                self._in.log.exception("takeover_failed")
            pause = max(SHORTEST_SECONDS, min(usual, self._watch.due(time.monotonic())))
