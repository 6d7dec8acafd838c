"""`RayBackend`: one detached, named actor for each attempt, on any node of a Ray cluster."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onward._version import __version__
from onward.errors import JobError
from onward.jobs.ray.attempt import RayAttempt
from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.host import AttemptHost, Order
from onward.jobs.ray.sweeping import Traces, sweep_on
from onward.jobs.values import Job

__all__ = ["RayBackend", "actor_name"]

ORPHAN_SECONDS = 5.0
"""How long to wait until a dead owner's actor, and what was below it, is gone."""
THREADS = 8
"""Of an actor: one listens, the others answer at once."""


class RayBackend:
    """Attempts on the nodes of a Ray cluster (an `onward.jobs.protocol.JobBackend`).

    Parameters
    ----------
    entries, services, settings, preload
        As of `onward.jobs.local.LocalBackend`; preloading costs every attempt its time.
    address
        ``host:port``, ``auto`` or ``ray://host:port``; None: a cluster of this machine, which ends
        with `close`.
    namespace
        Where actors have their names: the same for all servers that share a database.
    cpus
        Processors that Ray keeps for an attempt, and threads of its numeric libraries.
    fence_seconds
        Time without a renewed lease after which workers are suspended, and time without a sign of
        the server after which they are ended.
    spawn_seconds
        Time in which a place in the cluster was found and the worker was born.

    Files: the directory of an attempt must lie at the same path on every node.
    """

    name = "ray"

    def __init__(
        self,
        entries: Mapping[str, str],
        *,
        services: str | None = None,
        settings: Mapping[str, Any] | None = None,
        preload: Sequence[str] = (),
        address: str | None = None,
        namespace: str = "onward",
        cpus: float = 1.0,
        fence_seconds: float = 45.0,
        spawn_seconds: float = 60.0,
    ) -> None:
        self._entries = dict(entries)
        self._services = services
        self._settings = dict(settings or {})
        self._preload = tuple(preload)
        self._cpus = cpus
        self._fence_seconds = fence_seconds
        self._spawn_seconds = spawn_seconds
        self._cluster = Cluster(address, namespace)
        self._attempts: dict[tuple[str, int], RayAttempt] = {}

    def warm(self) -> None:
        """Connect to the cluster, or start one; some seconds."""
        self._cluster.connect()

    def start(self, job: Job, directory: Path) -> RayAttempt:
        """Have an actor and its worker started, which waits for ``begin``.

        Raises
        ------
        JobError
            Without Ray or cluster, when no place was found in time, or when the node has another
            Onward or does not see the server's files.
        """
        ray = self._cluster.connect()
        name = actor_name(job)
        token = f".seen-{secrets.token_hex(8)}"
        place = directory.resolve()
        (place / token).touch()
        try:
            actor = self._actor(ray, job, name)
            born = self._born(ray, actor, self._order(job, place, token))
        finally:
            (place / token).unlink(missing_ok=True)
        attempt = RayAttempt(self._cluster, actor, name, born, f"{job.id}/{job.attempt}", self._fence_seconds)
        self._attempts[job.id, job.attempt] = attempt
        return attempt

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        """Keep the fence open for the attempts that are still held."""
        for (job_id, number), attempt in list(self._attempts.items()):
            if attempt.closed:
                self._attempts.pop((job_id, number), None)
            elif held.get(job_id) == number:
                attempt.renewed(sent)

    def end_orphan(self, job: Job) -> bool:
        """Kill the actor of an attempt whose owner is dead; True when nothing is left of it.

        False also while the cluster does not answer: the next attempt could not start either.
        """
        try:
            ray = self._cluster.connect()
            return self._ended(ray, job)
        except Exception as error:  # Ray raises whatever its parts raise
            if isinstance(error, JobError) or type(error).__module__.startswith("ray"):
                return False
            raise

    def close(self) -> None:
        """End everything that still runs, and the cluster if it was started here."""
        for attempt in self._attempts.values():
            attempt.close()
        self._attempts.clear()
        self._cluster.close()

    # -- inside -------------------------------------------------------------------------------

    def _order(self, job: Job, directory: Path, token: str) -> Order:
        return Order(
            version=__version__,
            job=job,
            directory=str(directory),
            token=token,
            entries=self._entries,
            services=self._services,
            settings=self._settings,
            preload=self._preload,
            fence_seconds=self._fence_seconds,
            spawn_seconds=self._spawn_seconds,
        )

    def _actor(self, ray: Any, job: Job, name: str) -> Any:
        limit = job.request.memory_limit_mb
        options = {
            "name": name,
            "namespace": self._cluster.namespace,
            "lifetime": "detached",  # its end is ours to decide, not that of a connection
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": THREADS,
            "num_cpus": self._cpus,
            "memory": None if limit is None else limit * 1_000_000,
        }
        try:
            return ray.remote(AttemptHost).options(**options).remote()
        except ValueError as error:
            raise JobError(
                "an actor of this attempt is there already",
                got=f"{name}: {error}",
                remedy=f"Let no two databases share the namespace {self._cluster.namespace!r} of a cluster.",
            ) from error

    def _born(self, ray: Any, actor: Any, order: Order) -> Mapping[str, Any]:
        from ray.exceptions import GetTimeoutError, RayError

        try:
            born: Mapping[str, Any] = ray.get(actor.start.remote(order), timeout=self._spawn_seconds)
        except GetTimeoutError as error:
            failure = JobError(
                "the Ray cluster had no place for the job in time",
                got=f"nothing within {self._spawn_seconds:g} s; {self._cluster.free()}",
                allowed=f"{self._cpus:g} free CPUs on one node, and the job's memory limit",
                remedy="Lower jobs.concurrency to what the cluster holds, add nodes, lower jobs.ray_cpus, "
                "or raise jobs.spawn_seconds.",
            )
            failure.__cause__ = error
        except RayError as error:
            failure = JobError(
                "the worker of the job could not be started on the Ray cluster",
                got=" ".join(str(error).split())[:500],
                allowed="onward[ray] installed on every node, in the same version",
                remedy="Install it there; the cluster's log says more.",
            )
            failure.__cause__ = error
        else:
            if "error" not in born:
                return born
            parts = born["error"]
            failure = JobError(
                str(parts.get("what")),
                got=parts.get("got"),
                allowed=parts.get("allowed"),
                remedy=parts.get("remedy"),
            )
        with contextlib.suppress(RayError, ValueError):  # it may be dead, or never have been
            ray.kill(actor, no_restart=True)
        raise failure

    def _ended(self, ray: Any, job: Job) -> bool:
        """End the actor of an attempt and look on its host whether that was all."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        name = actor_name(job)
        while (actor := _find(ray, name, self._cluster.namespace)) is not None:
            ray.kill(actor, no_restart=True)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        identity = job.identity
        node = None if identity is None else self._cluster.node_of(identity.host)
        if identity is None or node is None:
            return True  # never born, or its node is lost: its own fence has closed
        worker = (identity.pid, identity.start_ticks)
        traces: Traces = (f"{job.id}/{job.attempt}", worker, None)
        while ray.get(sweep_on(ray, node, traces), timeout=ORPHAN_SECONDS) > 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def actor_name(job: Job) -> str:
    """Return the name of the actor of an attempt: no other attempt ever has it."""
    return f"ml-{job.id}-{job.attempt}"


def _find(ray: Any, name: str, namespace: str) -> Any:
    try:
        return ray.get_actor(name, namespace=namespace)
    except ValueError:
        return None
