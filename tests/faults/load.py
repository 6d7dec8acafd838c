"""The load: four instances, many short jobs, some stopped, one instance killed again and again."""

from __future__ import annotations

import time

from onward.jobs.states import TERMINAL
from tests.faults.world import Server, World

__all__ = ["load"]

INSTANCES = 4
JOBS = 2_000
STOPPED = 0.1
RUNNING = 0.3
"""Of all stops, how many are meant for jobs that run."""
KEYED = 0.2
"""Of all jobs, how many are submitted with a key; half of these twice."""
KILL_SECONDS = 20.0
PATIENCE = 1_500.0
AT_ONCE = 500
"""Open jobs that are looked through for one to stop."""


def load(world: World, jobs: int = JOBS) -> None:
    """Submit all jobs, stop a tenth, kill an instance every 20 seconds (and start a new one)."""
    world.allowed_at_once = INSTANCES * 2
    servers = [_launch(world) for _ in range(INSTANCES)]
    for server in servers:
        server.ready()
    _submit(world, jobs)
    wanted = int(jobs * STOPPED)
    killed_at: list[tuple[float, list[tuple[str, int]]]] = []
    began = killed = time.monotonic()
    while True:
        counts = world.store.counts()
        ended = sum(counts[state] for state in TERMINAL)
        if ended == jobs:
            break
        assert time.monotonic() - began < PATIENCE, counts
        # All along, not all at first; what ended before its stop came is made up for.
        due = min(wanted, 1 + int(1.25 * wanted * ended / jobs))
        if counts["cancelled"] + counts["stopping"] < due:
            _stop_one(world)
        if time.monotonic() - killed >= KILL_SECONDS:
            killed = time.monotonic()
            victim = servers[place := world.random.randrange(INSTANCES)]
            at = victim.kill()
            owned = [
                (lease.job_id, lease.attempt)
                for lease in world.store.leases()
                if int(lease.owner.split(":")[1]) == victim.process.pid
            ]
            killed_at.append((at, owned))
            servers[place] = _launch(world).ready()
        time.sleep(0.02 if counts["cancelled"] + counts["stopping"] < due else 0.1)
    world.note("load, jobs a second", jobs / (time.monotonic() - began))
    for line in (world.directory / "claims.txt").read_text().splitlines():
        world.note("claim under load", float(line))
    _note_takeovers(world, killed_at)
    assert counts["failed"] == 0, counts
    assert counts["cancelled"] >= wanted, counts
    running = {job_id for job_id, _, _, after, _ in world.transitions() if after == "stopping"}
    assert len(running) >= wanted * RUNNING / 3, f"only {len(running)} were stopped while they ran"


def _submit(world: World, jobs: int) -> None:
    """Submit all; a part with keys, and half of these once more: the same job comes back (I8)."""
    for number in range(jobs):
        key = f"load-{number}" if world.random.random() < KEYED else None
        job_id = world.submit("publish", {"seconds": 0.0}, max_attempts=100, idempotency_key=key)
        if key is not None and world.random.random() < 0.5:
            again = world.submit("publish", {"seconds": 0.0}, max_attempts=100, idempotency_key=key)
            assert again == job_id, f"I8: the key {key} has two jobs"


def _stop_one(world: World) -> None:
    """Ask for the stop of somebody who has not ended: now and then of somebody who runs."""
    state = "running" if world.random.random() < RUNNING else "queued"
    found = world.store.find(states=(state,), limit=AT_ONCE).jobs
    if found:
        world.front.request_stop(world.random.choice(found).id)


def _note_takeovers(world: World, killed_at: list[tuple[float, list[tuple[str, int]]]]) -> None:
    """Note for how long each job of a killed server was without an owner (I9)."""
    steps = world.transitions()
    for at, owned in killed_at:
        for job_id, attempt in owned:
            left = [
                when
                for name, number, _, after, when in steps
                if (name, number) == (job_id, attempt) and after in ("queued", *TERMINAL) and when >= at
            ]
            if left:
                world.note("load, server dead, job queued again", min(left) - at)


def _launch(world: World) -> Server:
    return world.launch(timed=True, concurrency=2, global_limit=INSTANCES * 2)
