"""When a worker that is to end with its work may end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Lease

__all__ = ["Idleness"]

PAGE = 200


class Idleness:
    """Finds out whether anything is left that a worker would do.

    Jobs that are due later do not count. Those of owners that fell silent do: they are to be
    taken over, and nobody else may be there to do it. Whether an owner lives is told from its
    heartbeat growing, never from a clock.

    Parameters
    ----------
    store
        Where jobs are.
    owner
        Of the worker.
    silence_seconds
        Time without a heartbeat after which an owner is doubted; some heartbeats long.
    backends
        Where the worker runs jobs: others it leaves alone.
    kinds
        What it can do, likewise; None = everything.
    """

    def __init__(
        self,
        store: JobStore,
        owner: str,
        silence_seconds: float,
        backends: Sequence[str] = ("local",),
        kinds: Collection[str] | None = None,
    ) -> None:
        self._store = store
        self._owner = owner
        self._silence = silence_seconds
        self._backends = frozenset(backends)
        self._kinds = None if kinds is None else tuple(kinds)
        self._grown: dict[tuple[str, str, int], tuple[int, float | None]] = {}

    def reached(self, now: float) -> bool:
        """Return whether nothing is left to do; ``now`` in monotonic seconds."""
        due = self._anything_due()  # first: what is claimed between the two looks shows in the second
        return not self._held_or_doubted(self._store.leases(), now) and not due

    def _anything_due(self) -> bool:
        cursor, now = None, datetime.now(UTC)
        while True:
            page = self._store.find(states=["queued"], kinds=self._kinds, limit=PAGE, cursor=cursor)
            for job in page.jobs:
                after = job.request.run_after
                if job.request.backend in self._backends and (after is None or after <= now):
                    return True
            cursor = page.cursor
            if cursor is None:
                return False

    def _held_or_doubted(self, leases: Iterable[Lease], now: float) -> bool:
        seen: dict[tuple[str, str, int], tuple[int, float | None]] = {}
        for lease in leases:
            key = (lease.job_id, lease.owner, lease.attempt)
            beat, alive = self._grown.get(key, (lease.beat, None))
            seen[key] = (lease.beat, now if lease.beat != beat else alive)
        self._grown = seen
        return any(
            key[1] == self._owner or alive is None or now - alive > self._silence
            for key, (_, alive) in seen.items()
        )
