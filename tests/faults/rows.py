"""Most of the fault matrix: what is done to a world in each row, and what must have come of it."""

from __future__ import annotations

import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from random import Random

from onward.database import open_database
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from tests.faults.latencies import MEASURES
from tests.faults.load import load
from tests.faults.row import Row
from tests.faults.world import World, kill, parent_of

__all__ = ["CRASH_POINTS", "ROWS", "about_to_end"]

RACES, LANES = 52, 4
CRASH_POINTS = (
    "claim:after",
    "start:before",
    "start:after",
    "started:before",
    "started:after",
    "report:after",
    "finish:before",
    "finish:inside",
    "finish:after",
    "stopping:after",
)


def about_to_end(world: World) -> str:
    """Return a job that runs and has half a second to go."""
    while True:
        job_id = world.submit("publish", {"seconds": 0.5})
        if world.until(job_id, "running", "succeeded").state == "running":
            return job_id


def kill_server(world: World) -> None:
    """kill -9 in the middle of a training with two children: gone at once, and taken over."""
    for server in [world.launch() for _ in range(2)]:
        server.ready()
    kind = world.random.choice(["loky", "lightgbm"])
    job_id = world.submit(kind)
    pids = world.at_work(job_id, 2 if kind == "loky" else 1)
    time.sleep(world.random.uniform(0.0, 0.5))
    killed = world.owner_of(job_id).kill()
    world.note("server dead, processes gone", world.gone(pids, killed))
    world.until(job_id, "running", attempt=2)
    world.note("server dead, job queued again", world.transition(job_id, "queued") - killed)
    world.at_work(job_id, attempt=2)
    world.stop(job_id)


def crash_at(point: str, world: World) -> None:
    """kill -9 right before, in or after one step of the protocol."""
    server = world.serve(crash=point)
    stopping = point.startswith("stopping")
    job_id = world.submit("sleep") if stopping else world.submit("publish", {"seconds": 0.3})
    if stopping:
        world.at_work(job_id)
        world.front.request_stop(job_id)
    server.await_death()
    world.launch().ready()
    died = time.time()  # nobody could take over before
    job = world.until(job_id, "succeeded", "cancelled", "failed")
    if point == "finish:after":
        assert (job.state, job.attempt) == ("succeeded", 1)
    elif stopping:
        assert job.state == "cancelled"
        world.note("owner dead, stopped", world.transition(job_id, "cancelled") - died)
    else:
        assert (job.state, job.attempt) == ("succeeded", 2)
        world.note("server dead, job queued again", world.transition(job_id, "queued") - died)


def kill_worker(world: World) -> None:
    """kill -9 of the worker: tried again at once."""
    world.serve()
    job_id = world.submit("sleep")
    (pid,) = world.at_work(job_id)
    killed = kill(pid)
    world.until(job_id, "running", attempt=2)
    world.note("worker killed, queued again", world.transition(job_id, "queued") - killed)
    (pid,) = world.at_work(job_id, attempt=2)
    kill(pid)
    job = world.until(job_id, "failed")
    assert job.reason == "worker_lost"


def kill_child(world: World) -> None:
    """kill -9 of a loky child: the task fails with what joblib says about it."""
    world.serve(preload=["lightgbm", "joblib"])
    job_id = world.submit("loky")
    pids = world.at_work(job_id, 2)
    killed = kill(world.random.choice(pids))
    job = world.until(job_id, "failed")
    world.note("child killed, failed", world.transition(job_id, "failed") - killed)
    assert (job.reason, job.attempt) == ("error", 1)
    assert job.error is not None
    assert "Terminated" in job.error["error"]
    world.gone(pids, killed)


def kill_warden(world: World) -> None:
    """kill -9 of the warden: its attempt ends with it, and is tried again."""
    world.serve(preload=["lightgbm", "joblib"])
    kind = world.random.choice(["sleep", "escape", "loky"])
    job_id = world.submit(kind)
    pids = world.at_work(job_id, 1 if kind == "sleep" else 2)
    worker = world.job(job_id).identity
    assert worker is not None
    killed = kill(parent_of(worker.pid))
    world.note("warden killed, processes gone", world.gone(pids, killed))
    world.until(job_id, "running", attempt=2)
    world.note("warden killed, queued again", world.transition(job_id, "queued") - killed)
    world.stop(job_id)


def kill_nursery(world: World) -> None:
    """kill -9 of the warm process: what runs goes on, the next attempt gets a new one."""
    world.serve()
    job_id = world.submit("sleep")
    world.at_work(job_id)
    worker = world.job(job_id).identity
    assert worker is not None
    killed = kill(parent_of(parent_of(worker.pid)))
    other = world.submit("publish", {"seconds": 0.0})
    assert world.until(other, "succeeded", "failed").state == "succeeded"
    world.note("nursery killed, next job ended", world.transition(other, "succeeded") - killed)
    assert world.job(job_id).attempt == 1
    world.stop(job_id)


def stop_deaf(world: World) -> None:
    """A worker that is suspended, with a child that ignores SIGTERM, is stopped."""
    world.serve()
    job_id = world.submit("deaf")
    pids = world.at_work(job_id, 2)
    world.note("stop of a deaf worker", world.stop(job_id))
    world.gone(pids, time.time(), 0.1)


def stop_escaped(world: World) -> None:
    """Whoever left its session and its parents is stopped with the job."""
    world.serve()
    job_id = world.submit("escape")
    pids = world.at_work(job_id, 2)
    world.note("stop of an escaped process", world.stop(job_id))
    world.gone(pids, time.time(), 0.1)


def stop_elsewhere(world: World) -> None:
    """A stop through another instance, told by the database."""
    world.serve(preload=["lightgbm", "joblib"])
    for _ in range(3):
        job_id = world.submit("lightgbm")
        world.at_work(job_id)
        world.note("stop from another instance", world.stop(job_id))


def stop_unheard(world: World) -> None:
    """The owner hears of nothing: the answer to its heartbeat tells it."""
    world.serve(mute=True)
    job_id = world.submit("sleep")
    world.at_work(job_id)
    world.note("stop without notification", world.stop(job_id))


def pause_server(world: World) -> None:
    """SIGSTOP of a server for one and a half leases, then SIGCONT: it has lost, and writes nothing."""
    for server in [world.launch() for _ in range(2)]:
        server.ready()
    lease = 60.0 * world.scale
    while True:
        job_id = world.submit("publish", {"seconds": 1.2 * lease})
        world.until(job_id, "running")
        server = world.owner_of(job_id)
        paused = server.pause(world.url)
        if world.job(job_id).state == "running":
            break
        server.signal(signal.SIGCONT)  # too late on a busy machine: what has ended cannot be lost
    world.until(job_id, "running", attempt=2)
    world.note("server dead, job queued again", world.transition(job_id, "queued") - paused)
    time.sleep(max(0.0, paused + 1.5 * lease - time.time()))
    server.signal(signal.SIGCONT)
    job = world.until(job_id, "succeeded", "failed")
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert [pair for pair in world.published() if pair[0] == job_id] == [(job_id, 2)]
    assert server.alive


def pause_at(point: str, world: World) -> None:
    """SIGSTOP at a start, or before a result is written; SIGCONT while another attempt runs."""
    server = world.serve(crash=f"{point}:stop")
    job_id = world.submit("publish", {"seconds": 1.5})
    world.until(job_id, "starting", "running")
    world.serve()
    world.until(job_id, "running", attempt=2)
    server.signal(signal.SIGCONT)
    job = world.until(job_id, "succeeded", "failed")
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert world.published() == [(job_id, 2)]


def pause_at_a_start(moment: str, world: World) -> None:
    """SIGSTOP before or after a worker is started, until the job was cancelled by another server.

    After: the worker waits for its release, and no row says who it is. Nothing of it may be left.
    """
    server = world.serve(crash=f"start:{moment}:stop")
    job_id = world.submit("sleep")
    world.until(job_id, "starting")
    world.serve()
    world.front.request_stop(job_id)
    world.until(job_id, "cancelled")
    server.signal(signal.SIGCONT)
    assert world.until(world.submit("publish"), "succeeded", "failed").state == "succeeded"
    time.sleep(1.0)


def out_of_memory(world: World) -> None:
    """More memory than allowed, and more than there is to be had: ``oom``, once, and life goes on."""
    server = world.serve()
    job_id = world.submit("grow", memory_limit_mb=200)
    job = world.until(job_id, "failed")
    assert (job.reason, job.attempt) == ("oom", 1)
    job = world.until(world.submit("bad_alloc"), "failed")
    assert (job.reason, job.attempt) == ("oom", 1)
    assert server.alive
    world.until(world.submit("publish"), "succeeded")


def database_away(world: World) -> None:
    """SQLite's writer is locked for a while: nobody loses a thing."""
    world.serve()
    job_id = about_to_end(world)
    with closing(sqlite3.connect(world.directory / "onward.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        time.sleep(20.0 * world.scale)
        writer.execute("ROLLBACK")
    job = world.until(job_id, "succeeded", "failed")
    assert (job.state, job.attempt) == ("succeeded", 1)


def database_restarts(seconds: float, world: World) -> None:
    """PostgreSQL crashes and is away for so many seconds (scaled): nobody is blamed for it."""
    server = world.serve()
    staying = world.submit("sleep")
    world.at_work(staying)
    ending = about_to_end(world)
    assert world.postgres is not None
    world.postgres.stop("immediate")
    time.sleep(seconds * world.scale)
    world.postgres.start()
    world.engine.dispose()
    job = world.until(ending, "succeeded", "failed")
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert world.job(staying).attempt == 1
    world.stop(staying)
    assert server.alive


def outage_beyond_the_fence(world: World) -> None:
    """PostgreSQL is away for two leases: what the fence suspended is neither stalled nor too late."""
    server = world.serve(stall_seconds=60.0 * world.scale, timeout_seconds=100.0 * world.scale + 2.0)
    job_id = world.submit("publish", {"seconds": 60.0 * world.scale + 2.0})
    world.until(job_id, "running")
    assert world.postgres is not None
    world.postgres.stop("immediate")
    time.sleep(120.0 * world.scale)
    world.postgres.start()
    world.engine.dispose()
    job = world.until(job_id, "succeeded", "failed", "queued")
    assert (job.state, job.attempt) == ("succeeded", 1), (job.state, job.reason, job.attempt)
    assert server.alive


def clocks_differ(world: World) -> None:
    """Wall clocks one hour ahead and one behind: nobody is reaped, nobody waits."""
    for shift in world.random.sample([3_600.0, -3_600.0], 2):
        world.serve(clock_shift=shift, concurrency=1)
    seconds = 1.5 * 60.0 * world.scale
    jobs = [world.submit("publish", {"seconds": seconds}, run_after=None) for _ in range(2)]
    owners = {world.until(job_id, "running").owner for job_id in jobs}
    assert len(owners) == 2, f"one of the two servers took no job: {owners}"
    for job_id in jobs:
        job = world.until(job_id, "succeeded", "failed", patience=400.0)
        assert (job.state, job.attempt) == ("succeeded", 1)


def duplicate_submits(world: World) -> None:
    """200 submits of one key at once: one job."""
    engines = [open_database(world.url) for _ in range(4)]
    fronts = [
        BackgroundTaskManager(SqlJobStore(engine), [], world.front.kinds.values(), world.config(), world.jobs)
        for engine in engines
    ]
    with ThreadPoolExecutor(16) as threads:
        submitted = list(
            threads.map(
                lambda n: fronts[n % 4].submit("publish", {"seconds": 0.1}, idempotency_key="once"),
                range(200),
            )
        )
    for engine in engines:
        engine.dispose()
    assert len({submission.job.id for submission in submitted}) == 1
    assert sum(submission.created for submission in submitted) == 1
    world.accepted.add(submitted[0].job.id)
    world.serve()
    world.until(submitted[0].job.id, "succeeded")


def stop_races_finish(world: World) -> None:
    """52 stops at about the moment of the end: the first commit wins, whichever it is.

    Each stop comes a little earlier or later than the one before it, toward the moment of the end.
    """
    world.serve(concurrency=LANES)

    def race(seed: int) -> list[str]:
        random, delay = Random(seed), 0.1
        ends: list[str] = []
        for _ in range(RACES // LANES):
            job_id = world.submit("publish", {"seconds": 0.02})
            world.until(job_id, "running", "succeeded")
            time.sleep(delay * random.uniform(0.7, 1.3))
            world.front.request_stop(job_id)
            job = world.until(job_id, "succeeded", "cancelled", "failed")
            ends.append(job.state)
            delay *= 0.8 if job.state == "succeeded" else 1.25
            # Stopped means not published, published means not stopped.
            assert (job.state == "succeeded") == ((job_id, 1) in world.published())
        return ends

    with ThreadPoolExecutor(LANES) as threads:
        seeds = [world.random.randrange(1_000_000) for _ in range(LANES)]
        found = [end for ends in threads.map(race, seeds) for end in ends]
    assert set(found) == {"succeeded", "cancelled"}, found


ROWS: tuple[Row, ...] = (
    Row("kill -9 server mid-training", kill_server, 50, waits=65.0, seconds=15.0, weight=2),
    *(Row(f"kill -9 server at {point}", partial(crash_at, point), 10, waits=65.0) for point in CRASH_POINTS),
    Row("kill -9 worker", kill_worker, 20),
    Row("kill -9 loky child", kill_child, 20, seconds=12.0, weight=2),
    Row("kill -9 warden", kill_warden, 20, seconds=12.0),
    Row("kill -9 nursery", kill_nursery, 20),
    Row("suspended worker, deaf child, then stop", stop_deaf, 20),
    Row("setsid and double fork, then stop", stop_escaped, 20),
    Row("stop through another instance", stop_elsewhere, 34, seconds=10.0, weight=2),
    Row("notifications dropped, then stop", stop_unheard, 10),
    Row("SIGSTOP server beyond its lease, then SIGCONT", pause_server, 10, waits=180.0),
    Row("SIGSTOP server right before it publishes", partial(pause_at, "finish:before"), 10, waits=65.0),
    Row("SIGSTOP server right before it starts a worker", partial(pause_at, "start:before"), 10, waits=65.0),
    Row(
        "SIGSTOP server right before it starts a worker, then stop",
        partial(pause_at_a_start, "before"),
        10,
        waits=65.0,
    ),
    Row("SIGSTOP server right after it started a worker", partial(pause_at, "start:after"), 10, waits=65.0),
    Row(
        "SIGSTOP server right after it started a worker, then stop",
        partial(pause_at_a_start, "after"),
        10,
        waits=65.0,
    ),
    Row("out of memory", out_of_memory, 20),
    Row("SQLite writer locked 20 s", database_away, 10, ("sqlite",), waits=25.0),
    *(
        Row(
            f"PostgreSQL away {seconds:g} s",
            partial(database_restarts, seconds),
            10,
            ("postgresql",),
            waits=seconds + 15.0,
            seconds=12.0,
            own_server=True,
        )
        for seconds in (5.0, 30.0, 120.0)
    ),
    Row(
        "PostgreSQL away beyond the fence, limits set",
        outage_beyond_the_fence,
        10,
        ("postgresql",),
        waits=150.0,
        seconds=12.0,
        own_server=True,
    ),
    Row("clocks one hour ahead and behind", clocks_differ, 6, waits=95.0),
    Row("200 duplicate submits at once", duplicate_submits, 20),
    Row("stop races finish, 50 times", stop_races_finish, 20, seconds=15.0),
    *(
        Row(name, measure, 1, production=True, company="none", waits=waits)
        for name, measure, waits in MEASURES
    ),
    Row(
        "4 instances, 2,000 jobs, one killed every 20 s",
        load,
        3,
        ("postgresql",),
        production=True,
        company="none",
        waits=70.0,
        seconds=150.0,
    ),
)
"""Rows that need nothing but processes and databases."""
