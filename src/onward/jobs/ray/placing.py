"""An actor on its way: it waits for a place in the cluster, then has its worker born."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.errors import JobError
from onward.jobs.protocol import Unplaced
from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.host import AttemptHost, Order
from onward.jobs.ray.sweeping import sweep_on

__all__ = ["Placing", "Wish"]

THREADS = 8
"""Of an actor: one listens, the others answer at once."""
REPEAT_SECONDS = 0.25
CREATION = "creation task"
"""In Ray's words for an actor that could not be made, whichever node tries."""


@dataclass(frozen=True)
class Wish:
    """What an actor is to be.

    Attributes
    ----------
    name
        Of the actor; no other ever has it.
    detached
        Whether it outlives the connection that made it.
    cpus, memory_bytes
        What its node must have free.
    order
        What it starts.
    """

    name: str
    detached: bool
    cpus: float
    memory_bytes: int | None
    order: Order

    @property
    def text(self) -> str:
        """What it wants, for people."""
        memory = "" if self.memory_bytes is None else f" and {self.memory_bytes / 1e6:g} MB"
        return f"{self.cpus:g} free CPUs{memory} on one node"


class Placing:
    """Asks for an actor, and never waits longer than it is told to.

    The worker is ordered only when the actor has said where it is: before that there is nothing
    to be ended, and from then on it is known where to look whether all of it is gone.

    Parameters
    ----------
    cluster
        Where.
    wish
        What.
    seconds
        Time to find a place, and again to have the worker born.

    Attributes
    ----------
    actor
        Its handle.
    """

    def __init__(self, cluster: Cluster, wish: Wish, seconds: float) -> None:
        self.wish = wish
        self._cluster = cluster
        self._seconds = seconds
        self._ray = cluster.connect()
        self._deadline = time.monotonic() + seconds
        self._host: str | None = None
        self._sweeping: Any = None
        self._cancelled = self._gone = False
        self.actor = self._made()
        self._waiting = self.actor.where.remote()

    def step(self, timeout: float) -> Mapping[str, Any] | Unplaced | None:
        """Return what the actor said at the worker's birth, `Unplaced`, or None while neither is so.

        Raises
        ------
        JobError
            When the node refuses, or cannot make the actor.
        """
        from ray.exceptions import RayError

        if not self._ray.wait([self._waiting], timeout=timeout)[0]:
            return self._late() if time.monotonic() > self._deadline else None
        try:
            said = self._ray.get(self._waiting)
        except RayError as error:
            self.cancel()
            return self._died(error)
        if self._host is None:
            self._host = str(said)
            self._deadline = time.monotonic() + 2 * self._seconds  # its host tries twice
            self._waiting = self.actor.start.remote(self.wish.order)
            return None
        if "error" in said:
            self.cancel()
            parts = said["error"]
            raise JobError(
                str(parts.get("what")),
                got=parts.get("got"),
                allowed=parts.get("allowed"),
                remedy=parts.get("remedy"),
            )
        born: Mapping[str, Any] = said
        return born

    def cancel(self) -> None:
        """Kill the actor, and with it what it may have started."""
        from ray.exceptions import RayError

        if not self._cancelled:
            self._cancelled = True
            with contextlib.suppress(RayError, ValueError):  # it may be dead, or never have been
                self._ray.kill(self.actor, no_restart=True)

    def gone(self) -> bool:
        """Return whether a cancelled actor has left nothing behind."""
        from ray.exceptions import GetTimeoutError, RayError

        if self._gone or self._host is None:  # nothing was ordered
            return True
        if self._sweeping is None:
            node = self._cluster.node_of(self._host)
            if node is None:  # lost with its node
                self._gone = True
                return True
            self._sweeping = sweep_on(self._ray, [node], self.wish.order.tag)
        try:
            (left,) = self._ray.get(self._sweeping, timeout=REPEAT_SECONDS)
        except GetTimeoutError:
            return False
        except RayError:
            left = 1
        self._sweeping = None
        self._gone = left == 0
        return self._gone

    # -- inside -------------------------------------------------------------------------------

    def _made(self) -> Any:
        wish = self.wish
        options = {
            "name": wish.name,
            "namespace": self._cluster.namespace,
            "lifetime": "detached" if wish.detached else None,
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": THREADS,
            "num_cpus": wish.cpus,
            "memory": wish.memory_bytes,
        }
        try:
            return self._ray.remote(AttemptHost).options(**options).remote()
        except ValueError as error:
            raise JobError(
                "an actor of this attempt is there already",
                got=f"{wish.name}: {error}",
                remedy=f"Let no two databases share the namespace {self._cluster.namespace!r} of a cluster.",
            ) from error

    def _late(self) -> Unplaced:
        self.cancel()
        if self._host is not None:
            return Unplaced(f"no worker was born within {2 * self._seconds:g} s on {self._host}", spent=True)
        return Unplaced(
            f"the Ray cluster had no place for the job within {self._seconds:g} s: it wants "
            f"{self.wish.text}; {self._cluster.free()}"
        )

    def _died(self, error: BaseException) -> Unplaced:
        said = " ".join(str(error).split())[:500]
        if CREATION not in said and "RayTaskError" not in type(error).__name__:
            return Unplaced(f"the actor of the job died before its worker was born: {said}", spent=True)
        raise JobError(
            "the worker of the job could not be started on the Ray cluster",
            got=said,
            allowed="onward[ray] installed on every node, in the same version",
            remedy="Install it there; the cluster's log says more.",
        ) from error
