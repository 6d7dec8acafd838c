"""What runs in the actor of an attempt: the supervisor's eyes and hands on that host.

The actor itself trains nothing. Below it stand a warden and a worker as `LocalBackend` makes them,
so whatever Ray does to the actor, the warden's line breaks and everything below it is killed. This
module does not import Ray.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onward._version import __version__
from onward.errors import JobError, OnwardError
from onward.jobs.local import LocalBackend
from onward.jobs.local.processes import host_name
from onward.jobs.messages import error_message
from onward.jobs.protocol import Attempt
from onward.jobs.ray.sweeping import TAG
from onward.jobs.values import Job

__all__ = ["AttemptHost", "Order"]

SLICE_SECONDS = 0.02
"""How long the keeper listens to the worker before it looks at what else is to be done."""
MOST_WAITING = 2_000
"""Messages kept for a supervisor who does not read; then the worker waits."""
MOST_AT_ONCE = 500
MEASURE_SECONDS = 0.5
"""How long a question for memory waits for the keeper; then it says what was measured before. Like the slice
above no setting: both are parts of the second in which the server asks, and nothing depends on either."""


@dataclass(frozen=True)
class Order:
    """What an attempt needs to know.

    Attributes
    ----------
    version
        Of Onward, at the server.
    job
        As claimed.
    directory
        Of the attempt, on a file system that server and host share.
    token
        Name of a file that the server has just put into ``directory``.
    entries, services, settings, preload, fence_seconds, spawn_seconds
        As of `LocalBackend`.
    tag
        In the environment of everything that the actor starts (`onward.jobs.ray.sweeping`).
    """

    version: str
    job: Job
    directory: str
    token: str
    entries: Mapping[str, str]
    services: str | None
    settings: Mapping[str, Any]
    preload: Sequence[str]
    fence_seconds: float
    spawn_seconds: float
    tag: str = ""


class AttemptHost:
    """Keeps one attempt. Its methods are called from afar, on several threads.

    Everything that is said about the attempt can be asked for again: an answer that got lost on
    the way loses nothing.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[str, tuple[Any, ...]]] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._messages: list[Mapping[str, Any]] = []
        self._acknowledged = 0
        self._ending: dict[str, Any] | None = None
        self._gone = False
        self._memory = 0
        self._heard = time.monotonic()
        self._fence_seconds = float("inf")
        self._backend: LocalBackend | None = None
        self._attempt: Attempt | None = None
        self._lease: tuple[str, int] = ("", 0)

    def where(self) -> str:
        """Return the name of this host."""
        return host_name()

    def start(self, order: Order) -> dict[str, Any]:
        """Have the worker born, which waits for ``begin``.

        Returns
        -------
        dict
            ``identity`` (of the worker), ``stamp``; or ``error``.
        """
        try:
            return self._start(order)
        except (OnwardError, OSError) as error:
            return {"error": error_message(error, "")["error"]}

    def listen(self, acknowledged: int, patience: float) -> dict[str, Any]:
        """Return news as soon as there are any, at the latest after ``patience`` seconds.

        Parameters
        ----------
        acknowledged
            How many messages arrived so far; they are forgotten here.

        Returns
        -------
        dict
            ``first`` (number of the first message), ``messages``, ``ending`` (None before all
            messages were handed over), ``gone``, ``stamp`` (this host's monotonic clock).
        """
        deadline = time.monotonic() + patience
        with self._news:
            del self._messages[: max(0, acknowledged - self._acknowledged)]
            self._acknowledged = max(self._acknowledged, acknowledged)
            while not self._messages and self._ending is None:
                self._heard = time.monotonic()
                if not self._news.wait(max(0.0, deadline - self._heard)):
                    break
            return self._said(MOST_AT_ONCE)

    def look(self) -> dict[str, Any]:
        """Return how it stands, without messages."""
        with self._news:
            return self._said(0)

    def measure(self) -> int:
        """Return what the processes of the attempt hold in memory, bytes."""
        measured = threading.Event()
        self.tell("measure", measured)
        measured.wait(MEASURE_SECONDS)
        return self._memory

    def tell(self, what: str, *arguments: Any) -> None:
        """Do ``begin``, ``answer``, ``stop``, ``kill`` or ``renew`` very soon."""
        self._heard = time.monotonic()
        self._orders.put((what, arguments))

    # -- inside -------------------------------------------------------------------------------

    def _start(self, order: Order) -> dict[str, Any]:
        check_versions(order.version, __version__)
        check_shared(Path(order.directory), order.token)
        os.environ[TAG] = order.tag  # of this process only: what it starts from here on has it
        self._backend = LocalBackend(
            order.entries,
            services=order.services,
            settings=order.settings,
            preload=order.preload,
            fence_seconds=order.fence_seconds,
            spawn_seconds=order.spawn_seconds,
        )
        stamp = time.monotonic()
        attempt = self._backend.start(order.job, Path(order.directory))
        self._attempt, self._lease = attempt, (order.job.id, order.job.attempt)
        self._fence_seconds, self._heard = order.fence_seconds, time.monotonic()
        threading.Thread(target=self._keep, args=(attempt,), name="keeper", daemon=True).start()
        return {"identity": asdict(attempt.identity), "stamp": stamp}

    def _said(self, most: int) -> dict[str, Any]:
        self._heard = time.monotonic()
        return {
            "first": self._acknowledged,
            "messages": self._messages[:most],
            "ending": self._ending if len(self._messages) <= most else None,
            "gone": self._gone,
            "stamp": self._heard,
        }

    def _keep(self, attempt: Attempt) -> None:
        """Be the one thread that talks to the attempt, until nobody has asked for too long."""
        try:
            while time.monotonic() - self._heard <= self._fence_seconds:
                self._follow_orders(attempt)
                self._hear(attempt)
        finally:
            # The server is dead or cut off, and its lease about to end: so does this process, and
            # with it everything below.
            attempt.kill()
            os.kill(os.getpid(), signal.SIGKILL)

    def _follow_orders(self, attempt: Attempt) -> None:
        while True:
            try:
                what, arguments = self._orders.get_nowait()
            except queue.Empty:
                return
            if what == "renew":
                assert self._backend is not None
                self._backend.beat(float(arguments[0]), dict([self._lease]))
            elif what == "measure":
                self._memory = attempt.memory_bytes()
                arguments[0].set()
            elif what in ("begin", "answer", "stop", "kill"):
                getattr(attempt, what)(*arguments)

    def _hear(self, attempt: Attempt) -> None:
        if len(self._messages) >= MOST_WAITING:
            time.sleep(SLICE_SECONDS)
            return
        messages = list(attempt.receive(SLICE_SECONDS))
        ending = attempt.ending()
        if ending is not None:
            while more := attempt.receive(0.0):  # what it said last is still in the line
                messages += more
        gone = ending is not None and _is_gone(attempt)
        if messages or gone != self._gone or (ending is not None and self._ending is None):
            with self._news:
                self._messages += messages
                self._gone = gone
                if ending is not None:
                    self._ending = {
                        "exit_code": ending.exit_code,
                        "signal": ending.signal,
                        "out_of_memory": ending.out_of_memory,
                    }
                self._news.notify_all()


def _is_gone(attempt: Attempt) -> bool:
    try:
        return attempt.gone()
    except OSError:  # cannot look just now: nothing is proven, and what was said must not be lost
        return False


def check_versions(server: str, host: str) -> None:
    """Refuse a host whose Onward is another than the server's.

    Raises
    ------
    JobError
        When they differ.
    """
    if server != host:
        raise JobError(
            "the nodes of the Ray cluster run another version of Onward than the server",
            got=f"{host} (Python {sys.version.split()[0]}) on the node, {server} at the server",
            allowed="the same version everywhere",
            remedy=f'Install it on every node: pip install "onward[ray]=={server}"',
        )


def check_shared(directory: Path, token: str) -> None:
    """Refuse a host that does not see the server's files.

    Raises
    ------
    JobError
        When the file that the server has just written is not there.
    """
    if not (directory / token).exists():
        raise JobError(
            "the node of the Ray cluster does not see the server's files",
            got=f"{directory} has no file that the server has just put there",
            allowed="a home on a file system that is mounted at the same path on every node",
            remedy="Put ONWARD_HOME on shared storage (NFS, a shared volume), or use the local backend.",
        )
