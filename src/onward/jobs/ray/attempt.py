"""One attempt at work somewhere in a Ray cluster, as its supervisor sees it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.sweeping import sweep_on
from onward.jobs.ray.times import Times
from onward.jobs.values import WorkerIdentity

__all__ = ["RayAttempt", "RayEnding", "is_out_of_memory"]

LISTEN_SECONDS = 1.0
"""How long the actor keeps a question for news; it answers at once when there are any."""
REPEAT_SECONDS = 0.25
"""How often what has no answer is asked again."""
STAMP_SECONDS = 0.05
"""How fine the clock of the actor's host is known here. None of these three is a setting: they say how often
one looks, not for how long, and an answer that is there ends each."""
MOST_STAMPS = 255


@dataclass(frozen=True)
class RayEnding:
    """How a worker ended (an `onward.jobs.protocol.Ending`)."""

    exit_code: int | None
    signal: int | None
    out_of_memory: bool = False


class RayAttempt:
    """An actor that keeps a worker.

    Parameters
    ----------
    cluster
        Where it is.
    actor
        Handle of the actor.
    name
        Of the actor.
    born
        What the actor said when the worker was born.
    tag
        In the environment of whatever the actor starts.
    fence_seconds
        Time without news from here after which the actor ends itself and all below it.
    times
        How long to wait for it.
    """

    def __init__(
        self,
        cluster: Cluster,
        actor: Any,
        name: str,
        born: Mapping[str, Any],
        tag: str,
        fence_seconds: float,
        times: Times,
    ) -> None:
        self._cluster = cluster
        self._ray = cluster.connect()
        self._actor = actor
        self._identity = replace(WorkerIdentity(**born["identity"]), external_ref=name)
        self._tag = tag
        self._fence_seconds = fence_seconds
        self._times = times
        self._listening: Any = None
        self._sweeping: Any = None
        self._arrived = 0
        self._heard = time.monotonic()
        self._stamps: tuple[tuple[float, float], ...] = ((self._heard, float(born["stamp"])),)
        self._ending: RayEnding | None = None
        self._gone = False
        self._dead = False
        self._memory = 0
        self._killed: float | None = None
        self._repeated = float("-inf")
        self.closed = False

    @property
    def identity(self) -> WorkerIdentity:
        """Which process it is, with the name of its actor."""
        return self._identity

    def begin(self) -> None:
        """Let it start."""
        self._tell("begin")

    def renewed(self, sent: float) -> None:
        """Pass on that the lease was renewed by a request sent at this monotonic second.

        The clock of the actor's host says something else. But what it said and arrived here
        before ``sent`` was said before ``sent``: the newest such word is passed back to it.
        """
        proven = [stamp for arrived, stamp in self._stamps if arrived <= sent]
        if proven and not self.closed:
            self._tell("renew", proven[-1])

    def receive(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Return the worker's messages, after at most ``timeout`` seconds."""
        if self._ending is not None or self.closed:  # the end comes with the last messages
            time.sleep(timeout)
            return []
        if self._listening is None:
            self._listening = self._actor.listen.remote(self._arrived, LISTEN_SECONDS)
        if not self._ray.wait([self._listening], timeout=timeout)[0]:
            return []
        reply, self._listening = self._fetch(self._listening), None
        if reply is None:
            return []
        self._note(reply)
        messages = reply["messages"][max(0, self._arrived - reply["first"]) :]
        self._arrived += len(messages)
        return list(messages)

    def answer(self, question: int, value: Any) -> None:
        """Answer a question of the worker's."""
        self._tell("answer", question, value)

    def stop(self) -> None:
        """Ask it to end: SIGTERM on its host."""
        self._tell("stop")

    def kill(self) -> None:
        """Kill everything that belongs to it, and in the end the actor, without another start."""
        now = time.monotonic()
        self._killed = self._killed or now
        if self._dead:
            return
        if now - self._killed > self._times.insist:
            self._end_actor()
        elif now - self._repeated >= REPEAT_SECONDS:
            self._repeated = now
            self._tell("kill")

    def gone(self) -> bool:
        """Return whether no process of it is left, by a look on its host."""
        if not self._gone and not self._dead:
            reply = self._fetch(self._actor.look.remote())
            if reply is not None:
                self._note(reply)
        if not self._gone and self._dead:
            self._gone = self._swept()
        return self._gone

    def memory_bytes(self) -> int:
        """Return what its processes hold in memory, shared pages divided among them."""
        if not self._dead:
            self._memory = self._fetch(self._actor.measure.remote()) or self._memory
        return self._memory

    def ending(self) -> RayEnding | None:
        """Return how the worker ended; None while it lives."""
        return self._ending

    def close(self) -> None:
        """End the actor; what is left below it dies with it."""
        if not self.closed:
            self.closed = True
            self._end_actor()

    # -- inside -------------------------------------------------------------------------------

    def _tell(self, what: str, *arguments: Any) -> None:
        if not self._dead:
            self._actor.tell.remote(what, *arguments)

    def _fetch(self, reference: Any) -> Any:
        """Return the actor's answer; None when there is none."""
        from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayError

        try:
            return self._ray.get(reference, timeout=self._times.answer)
        except (ActorUnavailableError, GetTimeoutError):
            return None  # the network, or a host that is busy: its own fence decides, not we
        except RayError as error:
            self._die(error)
            return None

    def _note(self, reply: Mapping[str, Any]) -> None:
        """Note how it stands, and that the actor's clock showed this before now."""
        self._heard = time.monotonic()
        if self._heard - self._stamps[-1][0] >= STAMP_SECONDS:
            self._stamps = (*self._stamps[-MOST_STAMPS:], (self._heard, float(reply["stamp"])))
        self._gone = self._gone or bool(reply["gone"])
        if reply["ending"] is not None:
            self._ending = RayEnding(**reply["ending"])

    def _die(self, error: BaseException) -> None:
        """Note that the actor is dead, as the cluster says; its worker dies by the broken line."""
        self._dead = True
        if self._ending is None:
            memory = self._killed is None and is_out_of_memory(error)
            self._ending = RayEnding(None, int(signal.SIGKILL), memory)

    def _swept(self) -> bool:
        """Return whether a look on the dead actor's host found nothing left."""
        from ray.exceptions import GetTimeoutError, RayError

        if self._sweeping is None:
            node = self._cluster.node_of(self._identity.host)
            if node is None:
                # The machine is lost, or cut off; then the actor ends itself by its own clock.
                return time.monotonic() - self._heard > self._fence_seconds + LISTEN_SECONDS
            self._sweeping = sweep_on(self._ray, [node], self._tag)
        try:
            (left,) = self._ray.get(self._sweeping, timeout=REPEAT_SECONDS)
        except GetTimeoutError:
            return False
        except RayError:  # the node was lost meanwhile
            self._sweeping = None
            return False
        self._sweeping = None
        return bool(left == 0)

    def _end_actor(self) -> None:
        from ray.exceptions import RayError

        with contextlib.suppress(RayError, ValueError):
            self._ray.kill(self._actor, no_restart=True)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether Ray ended an actor because its node ran out of memory.

    The memory monitor of a node says so in the cause of death. Its other words name the kernel's
    killer as one of several possible causes, which is no evidence.
    """
    from ray.exceptions import OutOfMemoryError

    return isinstance(error, OutOfMemoryError) or any(text in str(error) for text in MEMORY_TEXTS)


MEMORY_TEXTS = ("running low on memory", "due to memory pressure", "NODE_OUT_OF_MEMORY")
