"""Actors that are there already when a dead owner's attempt is to be looked for.

A look on a node is a task, for which Ray starts a process: seconds on a busy machine, at the very
moment at which a lease is over. An actor that was started while the owner was only silent answers
at once. It is an advantage and no condition: where none is ready, a task looks.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.sweeping import sweep, sweep_on

__all__ = ["Sweeper", "Sweepers"]

LOOK_SECONDS = 0.5
"""How often one sees to it that each node has one."""
DEAF_SECONDS = 10.0
"""Without an answer for so long, one that had answered is replaced: it is suspended, or worse. And
how long nothing is tried on a node on which one did not come to be. No setting: a task looks meanwhile."""
BIRTH_SECONDS = 60.0
"""Likewise for one that has never answered: a busy machine takes long to start one."""
PARTING_SECONDS = 1.0
THREADS = 4
"""Of a sweeper: whether it is awake can be asked while it looks."""


class Sweeper:
    """What runs in the actor; it bears no tag, so it never finds itself."""

    def awake(self) -> int:
        """Return the number of this process."""
        _hurry()
        return os.getpid()

    def sweep(self, tag: str) -> int:
        """Kill what is left of a tag, as `onward.jobs.ray.sweeping.sweep`."""
        return sweep(tag)


@dataclass
class _Kept:
    actor: Any
    asked: float
    answer: Any
    ready: bool = False


def _hurry() -> None:
    """Step back no further than others: Ray lets its processes do so by 15.

    What it does is short, and somebody waits for it. Who is not root may not ask for that; then a
    busy machine takes longer. Linux counts niceness by threads.
    """
    threads = Path("/proc/self/task")
    with contextlib.suppress(OSError):
        for thread in threads.iterdir() if threads.exists() else [Path("0")]:
            os.setpriority(os.PRIO_PROCESS, int(thread.name), 0)


class Sweepers:
    """One sweeper a node, for as long as somebody expects to need them.

    They belong to this connection and end with it.

    Parameters
    ----------
    cluster
        Whose nodes.
    keep_seconds
        They are ended when nobody has expected anything for so long.
    """

    def __init__(self, cluster: Cluster, keep_seconds: float) -> None:
        self._cluster = cluster
        self._keep_seconds = keep_seconds
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._expected = float("-inf")
        self._failed: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._tending = False

    def expect(self) -> None:
        """Have sweepers started, or kept; returns at once, whatever the cluster does."""
        with self._lock:
            self._expected = time.monotonic()
            if not self._tending and not self._closing.is_set():
                thread = threading.Thread(target=self._keep, name="ray-sweepers", daemon=True)
                thread.start()
                self._thread, self._tending = thread, True

    def look(self, ray: Any, node: str, tag: str) -> Any:
        """Have a node swept; returns Ray's reference to the number of processes found."""
        with self._lock:
            kept = self._kept.get(node)
        if kept is not None:  # also one on its way: a task would come later still
            return kept.actor.sweep.remote(tag)
        return sweep_on(ray, [node], tag)[0]

    def lose(self, node: str) -> None:
        """Let tasks look on a node until there is another sweeper."""
        with self._lock:
            self._kept.pop(node, None)

    def ready(self) -> set[str]:
        """Return the nodes whose sweeper has answered."""
        with self._lock:
            return {node for node, kept in self._kept.items() if kept.ready}

    def close(self) -> None:
        """End them."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(PARTING_SECONDS)  # a cluster that is away may keep it for longer; nobody needs it

    # -- inside -------------------------------------------------------------------------------

    def _keep(self) -> None:
        while not self._over():
            # Ray raises whatever its parts raise; without a cluster there is nothing to prepare.
            with contextlib.suppress(Exception):
                self._tend(self._cluster.connect())
            self._closing.wait(LOOK_SECONDS)

    def _over(self) -> bool:
        with self._lock:
            if not self._closing.is_set() and time.monotonic() - self._expected <= self._keep_seconds:
                return False
            self._tending = False  # whoever expects something from here on starts others
            leaving, self._kept = self._kept, {}
        for kept in leaving.values():
            self._kill(kept)
        return True

    def _tend(self, ray: Any) -> None:
        nodes = set(self._cluster.nodes())
        with self._lock:
            there = dict(self._kept)
        for node in set(there) - nodes:
            self.lose(node)
        for node in nodes:
            kept = there.get(node)
            if kept is not None:
                if not self._answers(ray, kept):
                    self._failed[node] = time.monotonic()
                    self.lose(node)
                    self._kill(kept)  # whoever waits for its answer is told so, and looks by a task
            elif self._closing.is_set():
                return  # Ray may be shut down already, and would start a cluster of its own
            elif time.monotonic() - self._failed.get(node, float("-inf")) > DEAF_SECONDS:
                kept = _started(ray, node)
                with self._lock:
                    self._kept[node] = kept

    def _answers(self, ray: Any, kept: _Kept) -> bool:
        """Return whether one is awake, or still on its way; and ask it again."""
        from ray.exceptions import RayError

        if not ray.wait([kept.answer], timeout=0)[0]:
            return time.monotonic() - kept.asked < (DEAF_SECONDS if kept.ready else BIRTH_SECONDS)
        try:
            ray.get(kept.answer)
        except RayError:
            return False
        kept.ready = True
        kept.asked, kept.answer = time.monotonic(), kept.actor.awake.remote()
        return True

    def _kill(self, kept: _Kept) -> None:
        with contextlib.suppress(Exception):
            self._cluster.connect().kill(kept.actor, no_restart=True)


def _started(ray: Any, node: str) -> _Kept:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    actor = (
        ray.remote(Sweeper)
        .options(
            num_cpus=0,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=THREADS,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node, soft=False),
        )
        .remote()
    )
    return _Kept(actor, time.monotonic(), actor.awake.remote())
