"""The soak: three servers that live long, and faults of all kinds at random moments, seeded."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial

from onward.jobs.local.processes import children, find, find_name
from onward.jobs.states import TERMINAL
from tests.faults.row import Row
from tests.faults.world import Server, World, kill

__all__ = ["soak_rows"]

INSTANCES = 3
CONCURRENCY = 3
JOBS_AHEAD = 8
KINDS = ("publish", "publish", "publish", "small", "sleep", "escape", "deaf", "loky", "quick", "chatter")
ENDLESS = frozenset({"sleep", "escape", "deaf", "loky"})
PRELOAD = ["lightgbm", "joblib"]


class Soak:
    """A world, its servers, and what is done to them."""

    def __init__(self, world: World, seconds: float) -> None:
        self.world, self.random = world, world.random
        self._until = time.monotonic() + seconds
        self._lease = 60.0 * world.scale
        self._servers = [self._launch() for _ in range(INSTANCES)]
        self._open: list[str] = []

    def run(self) -> None:
        for server in self._servers:
            server.ready()
        faults: list[Callable[[], None]] = [
            self.kill_server,
            self.suspend_server,
            self.suspend_shortly,
            self.kill_worker,
            self.kill_warden,
            self.kill_nursery,
            self.stop_some,
            self.database_away,
        ]
        while time.monotonic() < self._until:
            self._submit()
            fault = self.random.choice(faults)
            self.world.note(f"soak, {fault.__name__}", time.time())
            fault()
            time.sleep(self.random.uniform(0.1, self._lease / 2.0))
        self._finish()

    # -- faults -------------------------------------------------------------------------------

    def kill_server(self) -> None:
        place = self.random.randrange(INSTANCES)
        self._servers[place].kill()
        self._servers[place] = self._launch().ready()

    def suspend_server(self) -> None:
        self._suspend(1.5 * self._lease)

    def suspend_shortly(self) -> None:
        self._suspend(self.random.uniform(0.0, 0.7 * self._lease))

    def kill_worker(self) -> None:
        if pids := self._workers():
            kill(self.random.choice(pids))

    def kill_warden(self) -> None:
        # Not after its nursery: who killed both would leave a fork to nobody (see the known limits).
        if pids := self._workers():
            worker = find(self.random.choice(pids))
            warden = None if worker is None else find(worker.parent)
            if warden is not None and find_name(warden.parent) == "onward-nursery":
                kill(warden.pid)

    def kill_nursery(self) -> None:
        server = self.random.choice(self._servers)
        for pid in children(server.process.pid):
            if find_name(pid) == "onward-nursery":
                kill(pid)

    def stop_some(self) -> None:
        for job_id in self.random.sample(self._open, min(2, len(self._open))):
            self.world.front.request_stop(job_id)

    def database_away(self) -> None:
        seconds = self.random.uniform(0.0, 0.5 * self._lease)
        if self.world.postgres is None:
            with closing(
                sqlite3.connect(self.world.directory / "onward.db", isolation_level=None, timeout=60.0)
            ) as writer:
                writer.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                writer.execute("ROLLBACK")
        else:
            self.world.postgres.stop("immediate")
            time.sleep(seconds)
            self.world.postgres.start()
            self.world.engine.dispose()

    # -- inside -------------------------------------------------------------------------------

    def _launch(self) -> Server:
        return self.world.launch(concurrency=CONCURRENCY, preload=PRELOAD)

    def _suspend(self, seconds: float) -> None:
        server = self.random.choice(self._servers)
        server.pause(self.world.url)
        time.sleep(seconds)
        server.signal(signal.SIGCONT)

    def _submit(self) -> None:
        """Keep some jobs ahead; those that never end by themselves are stopped by and by."""
        self._open = [one for one in self._open if self.world.job(one).state not in TERMINAL]
        while len(self._open) < JOBS_AHEAD:
            kind = self.random.choice(KINDS)
            spec = {} if kind in ENDLESS else {"seconds": self.random.uniform(0.0, self._lease)}
            attempts = self.random.choice([1, 2, 5])
            self._open.append(self.world.submit(kind, spec, max_attempts=attempts))
        endless = [one for one in self._open if self.world.job(one).kind in ENDLESS]
        if len(endless) > JOBS_AHEAD // 2:
            self.world.front.request_stop(self.random.choice(endless))

    def _workers(self) -> list[int]:
        identities = [self.world.job(one).identity for one in self._open]
        return [one.pid for one in identities if one is not None and find_name(one.pid) == "onward-worker"]

    def _finish(self) -> None:
        for job_id in self._open:
            if self.world.job(job_id).kind in ENDLESS:
                self.world.front.request_stop(job_id)
        for job_id in self.world.accepted:
            self.world.until(job_id, *TERMINAL)
        self.world.note("soak, jobs", float(len(self.world.accepted)))


def soak(seconds: float, world: World) -> None:
    """Break things at random for so many seconds; then everything must come to its end."""
    Soak(world, seconds).run()


def soak_rows(seconds: float) -> tuple[Row, ...]:
    """Return the soak on each database."""
    run = partial(soak, seconds)
    return (
        Row(
            f"soak of {seconds:g} s",
            run,
            1,
            company="soak",
            waits=0.0,
            seconds=seconds + 90.0,
            own_server=True,
        ),
    )
