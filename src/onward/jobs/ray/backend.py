"""`RayBackend`: one detached, named actor for each attempt, on any node of a Ray cluster."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from onward._version import __version__
from onward.errors import JobError
from onward.jobs.protocol import Unplaced
from onward.jobs.ray.attempt import RayAttempt
from onward.jobs.ray.board import LEAD
from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.crew import Crew, Hiring
from onward.jobs.ray.host import Order
from onward.jobs.ray.placing import Placing, Wish
from onward.jobs.ray.spread import SpreadAttempt
from onward.jobs.ray.sweepers import Sweepers
from onward.jobs.ray.sweeping import tag_of
from onward.jobs.ray.times import Times
from onward.jobs.values import Job

__all__ = ["SPREAD", "RayBackend", "actor_name"]

LOOK_SECONDS = 0.05
KNOCK_AGAIN_SECONDS = 0.5
"""How often one looks whether a place, or a cluster, is there; for how long is the setting spawn_seconds."""
SPREAD = "spread"
"""In the spec that workers of a spread attempt get: ``number`` (0 leads), ``handover`` (a directory)."""


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
        Time in which a place in the cluster is found, and again for the worker to be born.
    helpers
        Actors that help an attempt beside its own; 0: as many as there are free processors for;
        None: none.
    times
        How long to wait for the cluster and for what runs on it; as the settings' defaults if left out.
    helping
        Job kind -> ``module:function`` that helpers of such a job run; others are not spread.

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
        helpers: int | None = None,
        helping: Mapping[str, str] | None = None,
        times: Times | None = None,
    ) -> None:
        self._entries = dict(entries)
        self._services = services
        self._settings = dict(settings or {})
        self._preload = tuple(preload)
        self._cpus = cpus
        self._fence_seconds = fence_seconds
        self._spawn_seconds = spawn_seconds
        self._times = times or Times()
        self._cluster = Cluster(address, namespace, connect_seconds=self._times.connect)
        self._helpers = helpers
        self._helping = dict(helping or {})
        self._attempts: dict[tuple[str, int], RayAttempt | SpreadAttempt] = {}
        self._looks: dict[str, dict[str, Any]] = {}
        self._sweepers = Sweepers(self._cluster, self._times.keep)

    def warm(self) -> None:
        """Connect to the cluster, or start one; some seconds."""
        self._cluster.connect()

    def start(
        self,
        job: Job,
        directory: Path,
        *,
        claimed: float | None = None,  # noqa: ARG002  (an actor is fenced by its own node's clock)
    ) -> RayAttempt | SpreadAttempt:
        """Have an actor and its worker started, which waits for ``begin``.

        Raises
        ------
        JobError
            Without Ray or cluster, when no place was found in time, or when the node has another
            Onward or does not see the server's files.
        """
        started = self.start_unless(job, directory, lambda: False)
        if isinstance(started, (RayAttempt, SpreadAttempt)):
            return started
        raise JobError(
            "the Ray cluster had no place for the job in time",
            got=None if started is None else started.why,
            remedy="Lower jobs.concurrency to what the cluster holds, add nodes, lower jobs.ray_cpus, "
            "or raise jobs.spawn_seconds.",
        )

    def start_unless(
        self, job: Job, directory: Path, unwanted: Callable[[], bool]
    ) -> RayAttempt | SpreadAttempt | Unplaced | None:
        """Start as `start` does, unless it becomes unwanted meanwhile; then None.

        `Unplaced`: there is no cluster, or no room in it. Nothing is left then.

        Raises
        ------
        JobError
            Without Ray, or when the node has another Onward or does not see the server's files.
        """
        missing = self._await_cluster(unwanted)
        if missing is not None or unwanted():
            return missing
        place = directory.resolve()
        spreads = self._helpers is not None and job.kind in self._helping
        wish = self._wish(job, place, LEAD)
        if spreads:
            wish = self._spread(wish, place)
        seen = place / wish.order.token
        seen.touch()
        try:
            placing = Placing(self._cluster, wish, self._spawn_seconds)
            born = self._born(placing, unwanted)
        finally:
            seen.unlink(missing_ok=True)
        if born is None or isinstance(born, Unplaced):
            return born
        attempt: RayAttempt | SpreadAttempt = self._attempt(placing, born)
        if spreads:
            assert isinstance(attempt, RayAttempt)
            attempt = SpreadAttempt(attempt, self._crew(job, place))
        self._attempts[job.id, job.attempt] = attempt
        return attempt

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        """Keep the fence open for the attempts that are still held."""
        for (job_id, number), attempt in list(self._attempts.items()):
            if attempt.closed:
                self._attempts.pop((job_id, number), None)
            elif held.get(job_id) == number:
                attempt.renewed(sent)

    def expect_orphans(self) -> None:
        """Have an actor ready on each node that looks for what dead owners left there."""
        self._sweepers.expect()

    def end_orphan(self, job: Job, directory: Path) -> bool:  # noqa: ARG002  (an actor has a name)
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
        self._sweepers.close()
        self._cluster.close()

    # -- inside -------------------------------------------------------------------------------

    def _await_cluster(self, unwanted: Callable[[], bool]) -> Unplaced | None:
        """Connect; `Unplaced` when there was no cluster for as long as a start may take."""
        self._cluster.require()
        deadline = time.monotonic() + self._spawn_seconds
        while True:
            try:
                self._cluster.connect()
            except JobError as error:
                if self._cluster.address is None:  # our own could not be started: nothing to wait for
                    raise
                if time.monotonic() > deadline:
                    return Unplaced(str(error))
                for _ in range(int(KNOCK_AGAIN_SECONDS / LOOK_SECONDS)):
                    if unwanted():
                        return None
                    time.sleep(LOOK_SECONDS)
            else:
                return None

    def _born(self, placing: Placing, unwanted: Callable[[], bool]) -> Mapping[str, Any] | Unplaced | None:
        said: Mapping[str, Any] | Unplaced | None = None
        try:
            while said is None and not unwanted():
                said = placing.step(LOOK_SECONDS)
        finally:
            if said is None or isinstance(said, Unplaced):
                placing.cancel()
                while not placing.gone():
                    time.sleep(LOOK_SECONDS)
        return said

    def _wish(self, job: Job, place: Path, number: int) -> Wish:
        limit = job.request.memory_limit_mb
        order = Order(
            version=__version__,
            job=job,
            directory=str(place),
            token=f".seen-{secrets.token_hex(8)}",
            entries=self._entries,
            services=self._services,
            settings=self._settings,
            preload=self._preload,
            fence_seconds=self._fence_seconds,
            spawn_seconds=self._spawn_seconds,
            tag=tag_of(job.id, job.attempt, number),
        )
        return Wish(
            name=actor_name(job, number),
            # The lead's end is ours to decide, not that of a connection; helpers go with it at once.
            detached=number == LEAD,
            cpus=self._cpus,
            memory_bytes=None if limit is None else limit * 1_000_000,
            order=order,
        )

    def _spread(self, wish: Wish, place: Path) -> Wish:
        """Return a wish whose worker knows that it is one of several."""
        number = int(wish.order.tag.rpartition("/")[2])
        (handover := place / "work" / "handover").mkdir(parents=True, exist_ok=True)
        job = wish.order.job
        spec = {**job.request.spec, SPREAD: {"number": number, "handover": str(handover)}}
        told = replace(job, request=replace(job.request, spec=spec))
        return replace(wish, order=replace(wish.order, job=told))

    def _attempt(self, placing: Placing, born: Mapping[str, Any]) -> RayAttempt:
        wish = placing.wish
        return RayAttempt(
            self._cluster, placing.actor, wish.name, born, wish.order.tag, self._fence_seconds, self._times
        )

    def _crew(self, job: Job, place: Path) -> Crew:
        return Crew(Hiring(partial(self._place, job, place), self._attempt, self._more))

    def _more(self, there: int) -> int:
        """Return how many helpers may be asked for beside those that are there."""
        if self._helpers:
            return self._helpers - there
        return math.floor(self._cluster.free_cpus() / self._cpus)

    def _place(self, job: Job, place: Path, number: int) -> Placing:
        """Ask for a helper: an attempt of its own on its host, in a corner of the lead's directory."""
        wish = self._spread(self._wish(job, place, number), place)
        corner = place / "work" / f"helper-{number}"
        (corner / "work").mkdir(parents=True, exist_ok=True)
        # It takes part in the work of the lead and is no descendant: it must bear another marker.
        apart = replace(wish.order.job, id=f"{job.id}.{number}")
        order = replace(
            wish.order, job=apart, directory=str(corner), entries={job.kind: self._helping[job.kind]}
        )
        (corner / order.token).touch()  # goes with the corner
        return Placing(self._cluster, replace(wish, order=order), self._spawn_seconds)

    def _ended(self, ray: Any, job: Job) -> bool:
        """End the actors of an attempt, and look on every node whether that was all."""
        deadline = time.monotonic() + self._times.orphan
        while actors := self._living_actors(ray, job):
            for actor in actors:
                ray.kill(actor, no_restart=True)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        tag = tag_of(job.id, job.attempt)
        while (left := self._look(ray, tag, deadline)) != 0:
            if left is None or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _look(self, ray: Any, tag: str, deadline: float) -> int | None:
        """Return how many processes were found on all nodes; None when not all could say so in time."""
        from ray.exceptions import RayError

        begun = self._looks.pop(tag, {})
        looks = {
            node: begun.get(node) or self._sweepers.look(ray, node, tag) for node in self._cluster.nodes()
        }
        waiting = list(looks.values())
        if len(ray.wait(waiting, num_returns=len(waiting), timeout=_left(deadline))[0]) < len(waiting):
            self._looks[tag] = looks  # the next try goes on waiting for these
            return None
        left = 0
        for node, look in looks.items():
            try:
                left += ray.get(look)
            except RayError:  # whoever looked died there, or the node: look again
                self._sweepers.lose(node)
                left += 1
        return left

    def _living_actors(self, ray: Any, job: Job) -> list[Any]:
        from ray.util import list_named_actors

        lead = actor_name(job)
        names = [entry["name"] for entry in list_named_actors(all_namespaces=True)]
        mine = {lead, *(name for name in names if name.startswith(f"{lead}-"))}
        found = (_find(ray, name, self._cluster.namespace) for name in mine)
        return [actor for actor in found if actor is not None]


def actor_name(job: Job, number: int = LEAD) -> str:
    """Return the name of an actor of an attempt, the lead's or a helper's: no other ever has it."""
    lead = f"ml-{job.id}-{job.attempt}"
    return lead if number == LEAD else f"{lead}-{number}"


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _find(ray: Any, name: str, namespace: str) -> Any:
    try:
        return ray.get_actor(name, namespace=namespace)
    except ValueError:
        return None
