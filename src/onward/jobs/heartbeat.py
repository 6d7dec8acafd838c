"""The thread that renews an owner's leases, and brings back what was asked of its jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from onward.errors import StorageError
from onward.jobs.protocol import JobBackend
from onward.jobs.relay import Relay
from onward.jobs.settlement import Surroundings
from onward.jobs.supervision import Supervision
from onward.jobs.values import Lease, Renewal

__all__ = ["Heartbeat"]


class Heartbeat:
    """Renews all leases of an owner in one statement, in a thread of its own.

    A busy server must not starve it, and a database that is away must not end anything: the
    fence of each backend closes by itself when beats stay out.

    Parameters
    ----------
    owner
        Whose leases.
    held
        Gives the supervisions that there are.
    backends
        Told of each renewal, each in its own thread: one that hangs or raises must neither close the
        fence of the others nor delay a stop.
    surroundings
        Store, settings, log.
    """

    def __init__(
        self,
        owner: str,
        held: Callable[[], Collection[Supervision]],
        backends: Iterable[JobBackend],
        surroundings: Surroundings,
    ) -> None:
        self._owner = owner
        self._held = held
        self._in = surroundings
        self._relays = tuple(Relay(backend, surroundings.log) for backend in backends)
        self._unknown: Mapping[tuple[str, int], float] = {}
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        for relay in self._relays:
            relay.start()
        self._thread.start()

    def soon(self) -> None:
        """Beat at once: somebody asked for something."""
        self._news.set()

    def close(self) -> None:
        """End the threads."""
        self._closing.set()
        self._news.set()
        self._thread.join()
        for relay in self._relays:
            relay.close()

    def beat(self) -> None:
        """Renew once, and pass on what came back.

        Raises
        ------
        StorageError
            When the database is away; nobody is blamed for that.
        """
        held = list(self._held())  # before renewing: a job claimed meanwhile is not missing
        began = time.monotonic()
        renewal = self._in.store.renew(self._owner)
        for supervision in held:
            lease = supervision.lease
            if renewal.held.get(lease.job_id) != lease.attempt:
                supervision.lose()
            elif lease.job_id in renewal.stopping:
                supervision.ask_to_stop()
        for relay in self._relays:
            relay.pass_on(began, renewal.held)
        self._give_back_strays(renewal, held)

    def _give_back_strays(self, renewal: Renewal, held: Collection[Supervision]) -> None:
        """Give back what is renewed without anybody watching over it.

        When the answer to a claim is lost (a database that restarts), the job is ours and nobody
        knows; renewing it would hold it for ever. What is unknown for the time between two
        beats is not just being claimed. An attempt at which nobody ever worked is not spent.
        """
        now = time.monotonic()
        known = {one.lease.job_id for one in (*held, *self._held())}
        unknown = {one: self._unknown.get(one, now) for one in renewal.held.items() if one[0] not in known}
        for (name, attempt), since in unknown.items():
            if now - since >= self._in.config.heartbeat_seconds:
                worked = self._in.store.get(name).started_at is not None
                self._in.store.release(Lease(name, self._owner, attempt, beat=0), spent=worked)
                self._in.log.warning("stray_given_back", job_id=name, attempt=attempt)
        self._unknown = unknown

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.beat()
            except StorageError as error:
                self._in.log.warning("database_away", error=str(error))
            except Exception:  # whatever it was, the other jobs' leases must be renewed
                self._in.log.exception("heartbeat_failed")
            self._news.wait(self._in.config.heartbeat_seconds)
            self._news.clear()
