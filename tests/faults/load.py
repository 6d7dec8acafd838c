"""The load: four instances, many short jobs, some stopped, one instance killed again and again."""

from __future__ import annotations

import time

from onward.jobs.states import TERMINAL
from tests.faults.world import Server, World

__all__ = ["load"]

INSTANCES = 4
JOBS = 2_000
STOPPED = 0.1
KILL_SECONDS = 20.0
PATIENCE = 1_500.0


def load(world: World, jobs: int = JOBS) -> None:
    """Submit all jobs, stop a tenth, kill an instance every 20 seconds (and start a new one)."""
    world.allowed_at_once = INSTANCES * 2
    servers = [_launch(world) for _ in range(INSTANCES)]
    for server in servers:
        server.ready()
    ids = [world.submit("publish", {"seconds": 0.0}, max_attempts=100) for _ in range(jobs)]
    condemned = world.random.sample(ids, int(jobs * STOPPED))
    began = killed = time.monotonic()
    while True:
        counts = world.store.counts()
        ended = sum(counts[state] for state in TERMINAL)
        if ended == jobs:
            break
        assert time.monotonic() - began < PATIENCE, counts
        while len(condemned) > STOPPED * (jobs - ended):  # all along, not all at first
            world.front.request_stop(condemned.pop())
        if time.monotonic() - killed >= KILL_SECONDS:
            killed = time.monotonic()
            victim = world.random.randrange(INSTANCES)
            servers[victim].kill()
            servers[victim] = _launch(world).ready()
        time.sleep(0.1)
    world.note("load, jobs a second", jobs / (time.monotonic() - began))
    for line in (world.directory / "claims.txt").read_text().splitlines():
        world.note("claim under load", float(line))
    assert counts["failed"] == 0, counts


def _launch(world: World) -> Server:
    return world.launch(timed=True, concurrency=2, global_limit=INSTANCES * 2)
