"""What may befall a Ray cluster: lack of memory, lost nodes, a lost head, lost servers and helpers."""

from __future__ import annotations

import os
import signal
import time

from onward.testing.job_backends import living, until
from tests.faults.ray_ground import own_cluster, serve, shared_cluster
from tests.faults.row import Row
from tests.faults.world import World, kill, parent_of

__all__ = ["ROWS"]

ABOVE = 3
"""Generations from the worker up: warden, nursery, actor."""
START_SECONDS = 60.0
"""What starting an actor may take on a busy machine, in which Ray starts a process of its own."""


def lack_of_memory(world: World) -> None:
    """A job over its limit is ``oom``, once; an actor that the kernel kills takes everything along."""
    serve(world, shared_cluster(world))
    job = world.until(world.submit("grow", backend="ray", memory_limit_mb=200), "failed")
    assert (job.reason, job.attempt) == ("oom", 1), told(world, job.id)
    job_id = world.submit("loky", backend="ray")
    pids = at_work(world, job_id, 2)
    assert world.job(job_id).attempt == 1, told(world, job_id)  # lost before it was hurt: another fault
    killed = kill(actor_of(world, job_id))
    world.note("Ray actor killed, processes gone", world.gone(pids, killed))
    at_work(world, job_id, attempt=2)
    world.note("Ray actor killed, queued again", world.transition(job_id, "queued") - killed)
    world.stop(job_id)


def lost_server(world: World) -> None:
    """kill -9 of the server: lead and helper end without it, and another server takes the job over."""
    address = shared_cluster(world)
    first = serve(world, address)
    job_id = world.submit(world.random.choice(["loky", "sleep"]), backend="ray")
    pids = at_work(world, job_id)
    serve(world, address)
    killed = first.kill()
    at_work(world, job_id, attempt=2)
    world.note("Ray server dead, job queued again", world.transition(job_id, "queued") - killed)
    assert not set(living(pids)) & set(pids)
    world.stop(job_id)


def lost_helper(world: World) -> None:
    """kill -9 of a helper's worker or of its actor: what it had in hand is done again, once published."""
    serve(world, shared_cluster(world))
    job_id = world.submit("publish", backend="ray")
    shared = world.jobs / job_id / "shared"
    (helper,) = until(lambda: [int(f.name[7:]) for f in shared.glob("helper-*")], START_SECONDS)
    time.sleep(world.random.uniform(0.0, 0.5))
    victim = helper
    for _ in range(world.random.choice([0, ABOVE])):
        victim = parent_of(victim)
    killed = kill(victim)
    world.note("Ray helper killed, processes gone", world.gone([helper], killed))
    job = world.until(job_id, "succeeded", "failed", patience=START_SECONDS)
    assert (job.state, job.attempt) == ("succeeded", 1), (job.state, job.reason)
    said = [e.payload["text"] for e in world.store.events(job_id) if e.kind == "log"]
    assert any("was lost; fold" in text for text in said), said


def stopped_while_spread(world: World) -> None:
    """A stop with a helper at work on another node: cancelled when nothing is left of both."""
    serve(world, shared_cluster(world))
    job_id = world.submit("publish", backend="ray")
    shared = world.jobs / job_id / "shared"
    until(lambda: list(shared.glob("helper-*")), START_SECONDS)
    pids = world.at_work(job_id, 2)
    world.note("Ray: stop of lead and helper", world.stop(job_id))
    world.gone(pids, time.time(), 0.1)


def lost_node(world: World) -> None:
    """Every process of a node is killed: its job runs again on another one."""
    with own_cluster(nodes=1) as cluster:
        server = serve(world, cluster.address)
        job_id = world.submit("loky", backend="ray")
        pids = at_work(world, job_id, 2)
        cluster.add()
        lost = cluster.lose_a_node()
        at_work(world, job_id, attempt=2)
        world.note("Ray node lost, queued again", world.transition(job_id, "queued") - lost)
        assert not set(living(pids))
        world.stop(job_id)
        server.end()


def lost_head(world: World) -> None:
    """The head is killed, and with it the cluster: the job runs again on the next cluster."""
    with own_cluster(nodes=1) as cluster:
        first = serve(world, cluster.address)
        job_id = world.submit("loky", backend="ray")
        pids = at_work(world, job_id, 2)
        lost = cluster.lose_the_head()
        until(lambda: not living(pids), START_SECONDS)
        world.note("Ray head lost, processes gone", time.time() - lost)
        if first.alive:  # Ray ends it by and by; nobody waits for that
            first.kill()
    with own_cluster(nodes=1) as cluster:
        second = serve(world, cluster.address)
        at_work(world, job_id, attempt=None)
        assert world.job(job_id).attempt >= 2
        world.stop(job_id)
        second.end()


def at_work(world: World, job_id: str, notes: int = 1, attempt: int | None = None) -> list[int]:
    world.until(job_id, "running", attempt=attempt, patience=START_SECONDS + 130.0 * world.scale)
    return world.at_work(job_id, notes, attempt)


def told(world: World, job_id: str) -> list[str]:
    """Return what happened to a job, for whoever has to find out why a run failed."""
    return [f"{event.attempt} {event.kind} {dict(event.payload)}" for event in world.store.events(job_id)]


def actor_of(world: World, job_id: str) -> int:
    worker = world.job(job_id).identity
    assert worker is not None
    pid = worker.pid
    for _ in range(ABOVE):
        pid = parent_of(pid)
    return pid


def possible() -> str | None:
    """Ray needs its processes visible to each other, and signals."""
    return None if os.name == "posix" and hasattr(signal, "SIGKILL") else "needs POSIX"


RAY = {"databases": ("postgresql",), "weight": 4, "waits": 80.0, "missing": possible}
ROWS: tuple[Row, ...] = (
    Row("Ray: out of memory, actor killed", lack_of_memory, 10, seconds=40.0, company="ray", **RAY),
    Row("Ray: kill -9 server", lost_server, 10, seconds=40.0, company="ray", **RAY),
    Row("Ray: kill -9 helper", lost_helper, 10, seconds=40.0, company="ray", **RAY),
    Row("Ray: stop of lead and helper", stopped_while_spread, 10, seconds=30.0, company="ray", **RAY),
    Row("Ray: node lost", lost_node, 10, seconds=60.0, company="none", **RAY),
    Row("Ray: head lost", lost_head, 10, seconds=90.0, company="none", **RAY),
)
"""What is done to clusters; two of them die of it."""
