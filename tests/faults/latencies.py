"""A hundred stops for each target, with the waiting times of production."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.logs import job_logger
from onward.jobs.manager import BackgroundTaskManager
from onward.testing.job_backends import ENTRIES
from tests.faults.world import World

__all__ = ["MEASURES"]

STOPS = 100
AT_ONCE = 10


def stops_here(world: World) -> None:
    """Native training, stopped through the instance that runs it; and how long a start takes."""
    backend = LocalBackend(ENTRIES, preload=["lightgbm"])
    kinds = [JobKind(name, entry, name) for name, entry in ENTRIES.items()]
    with (
        (world.directory / "front.log").open("w") as log,
        BackgroundTaskManager(
            world.store, [backend], kinds, world.config(), world.jobs, log=job_logger(log)
        ) as manager,
    ):
        backend.warm()
        manager.start()
        world.front = manager
        for _ in range(STOPS):
            job_id = world.submit("lightgbm")
            world.at_work(job_id)
            job = world.job(job_id)
            assert job.started_at is not None
            world.note("submit to running", (job.started_at - job.queued_at).total_seconds())
            world.note("stop, same instance", world.stop(job_id))


def stops_elsewhere(world: World) -> None:
    """Native training, stopped through another instance."""
    world.serve(preload=["lightgbm"])
    for _ in range(STOPS):
        job_id = world.submit("lightgbm")
        world.at_work(job_id)
        world.note("stop, other instance", world.stop(job_id))


def stops_unheard(world: World) -> None:
    """The owner is told by nothing but the answer to its heartbeat."""
    world.serve(mute=True, concurrency=AT_ONCE)
    _spread(world, "sleep", "stop, notification lost")


def stops_of_the_deaf(world: World) -> None:
    """Suspended workers with children that ignore SIGTERM."""
    world.serve(concurrency=AT_ONCE)
    _spread(world, "deaf", "stop, deaf worker")


def stops_of_orphans(world: World) -> None:
    """The owner is dead: whoever takes over answers for it."""
    server = world.serve(concurrency=STOPS // 2)
    ids = [world.submit("sleep") for _ in range(STOPS // 2)]
    for job_id in ids:
        world.until(job_id, "running")
    world.serve(concurrency=1)
    server.kill()
    began = time.monotonic()
    for job_id in ids:
        world.front.request_stop(job_id)
    for job_id in ids:
        world.until(job_id, "cancelled", patience=120.0)
        world.note("stop, owner dead", time.monotonic() - began)


def _spread(world: World, kind: str, name: str) -> None:
    def one(number: int) -> None:
        time.sleep(number % AT_ONCE * 0.11)  # not all in the same beat
        job_id = world.submit(kind)
        world.at_work(job_id)
        world.note(name, world.stop(job_id))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(STOPS)))


MEASURES: tuple[tuple[str, Callable[[World], None], float], ...] = (
    ("100 stops, same instance", stops_here, 40.0),
    ("100 stops, other instance", stops_elsewhere, 40.0),
    ("100 stops, notification lost", stops_unheard, 30.0),
    ("100 stops, deaf worker", stops_of_the_deaf, 70.0),
    ("50 stops, owner dead", stops_of_orphans, 80.0),
)
"""What is measured, always at the scale of production; and the seconds that it takes."""
