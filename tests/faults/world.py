"""What a fault happens to: a database, servers, the auditor, and a log that triggers write."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import text

from onward.config import JobConfig, StorageConfig
from onward.database import open_database
from onward.jobs.kinds import JobKind
from onward.jobs.local.processes import find
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from onward.testing.job_backends import living, noted, until
from onward.testing.postgres import PostgresServer
from tests.faults.hatchery import Hatched, hatch
from tests.faults.machine import Machine
from tests.faults.targets import Miss, misses
from tests.faults.tasks import ENTRIES

__all__ = ["ROOT", "Server", "World", "kill", "parent_of"]

ROOT = Path(__file__).resolve().parents[2]
LOG_TABLES = (
    "CREATE TABLE published (job_id VARCHAR(32), attempt INTEGER)",
    """CREATE TABLE transitions
    (job_id VARCHAR(32), attempt INTEGER, before VARCHAR(16), after VARCHAR(16), at DOUBLE PRECISION)""",
)
LOG_TRIGGERS = {
    "sqlite": (
        (
            "CREATE TRIGGER log_steps AFTER UPDATE OF state ON ml_jobs WHEN OLD.state <> NEW.state BEGIN "
            "INSERT INTO transitions VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state, "
            "(julianday('now') - 2440587.5) * 86400.0); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION log_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO transitions VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state, "
            "extract(epoch FROM clock_timestamp())); RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER log_steps AFTER UPDATE OF state ON ml_jobs FOR EACH ROW "
            "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION log_steps()"
        ),
    ),
}
PATIENCE = 60.0
LEASES_PATIENCE = 150.0
BYSTANDER = "import os, time\nwhile os.getppid() != 1: time.sleep(1)"
"""Nobody's business, and gone with the test."""


class Server:
    """A server process.

    Parameters
    ----------
    process
        Of `tests.faults.server`, or of another program that says ``ready``.
    """

    def __init__(self, process: Hatched | subprocess.Popen[str]) -> None:
        self.process = process

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ready(self) -> Self:
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said == "ready\n", f"the server said {said!r} and ended with {self.process.poll()}"
        return self

    def signal(self, number: signal.Signals) -> float:
        """Send a signal, and return the wall second before."""
        at = time.time()
        self.process.send_signal(number)
        return at

    def pause(self, url: str) -> float:
        """Suspend it, and return the wall second before.

        Not in the middle of a write to SQLite: whoever is suspended there holds its only writer's
        place, and everybody waits until he goes on.
        """
        while True:
            at = self.signal(signal.SIGSTOP)
            time.sleep(0.05)
            if not url.startswith("sqlite") or _writable(url.removeprefix("sqlite:///")):
                return at
            self.signal(signal.SIGCONT)
            time.sleep(0.05)

    def kill(self) -> float:
        at = self.signal(signal.SIGKILL)
        self.process.wait(10)
        return at

    def await_death(self) -> float:
        self.process.wait(PATIENCE)
        return time.time()

    def tell_to_end(self) -> None:
        """Let it close in an orderly way."""
        if self.alive:
            self.process.send_signal(signal.SIGCONT)
            assert self.process.stdin is not None
            self.process.stdin.close()

    def end(self) -> None:
        """Wait until it has closed; kill when that takes too long."""
        if self.alive:
            self.tell_to_end()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for end in (self.process.stdin, self.process.stdout):
            if end is not None:
                end.close()


class World:
    """One run: made, hurt, judged, and taken down.

    Parameters
    ----------
    url
        Of a database with all tables, for this run alone.
    directory
        For this run alone.
    scale
        Factor of all waiting times; 1.0 = those of production.
    seed
        Of `random`.
    hatchery
        Where servers are forked.
    machine
        What the auditor tells of the machine.
    generous
        Whether bounds of time are wide, since the run is not about figures.
    """

    def __init__(
        self,
        url: str,
        directory: Path,
        *,
        scale: float,
        seed: int,
        hatchery: Path,
        machine: Machine,
        generous: bool = False,
    ) -> None:
        self.url, self.directory, self.scale = url, directory, scale
        self._generous = generous
        self.random = random.Random(seed)
        self._hatchery, self._machine = hatchery, machine
        self.servers: list[Server] = []
        self.figures: dict[str, list[float]] = {}
        self.accepted: set[str] = set()
        self.patience = PATIENCE + LEASES_PATIENCE * scale
        self.allowed_at_once: int | None = None
        self.postgres: PostgresServer | None = None
        self.engine = open_database(url)
        with self.engine.begin() as connection:
            for statement in (*LOG_TABLES, *LOG_TRIGGERS[self.engine.dialect.name]):
                connection.execute(text(statement))
        self.store = SqlJobStore(self.engine, poll_seconds=0.02)
        names = [JobKind(name, entry, name) for name, entry in ENTRIES.items()]
        self.front = BackgroundTaskManager(self.store, [], names, self.config(), directory / "jobs")
        (directory / "jobs").mkdir(parents=True)
        until(self.audit.exists)  # from now on, every process is seen
        self.bystanders = [self.stranger()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            if error is not None and server.alive:
                server.kill()
            server.tell_to_end()
        for server in self.servers:
            server.end()
        for bystander in self.bystanders:
            bystander.kill()
            bystander.wait()
        self.engine.dispose()

    @staticmethod
    def stranger() -> subprocess.Popen[bytes]:
        """Start a process that is nobody's business, in a session of its own."""
        command = [sys.executable, "-S", "-E", "-c", BYSTANDER]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)

    @property
    def jobs(self) -> Path:
        return self.directory / "jobs"

    @property
    def audit(self) -> Path:
        return self.directory / "audit.jsonl"

    # -- servers ------------------------------------------------------------------------------

    def config(self, **changes: Any) -> JobConfig:
        """Return the settings of production at this run's scale."""
        usual = JobConfig.sealed()
        scaled = (
            "heartbeat_seconds",
            "fence_seconds",
            "lease_seconds",
            "retry_seconds",
            "orphan_seconds",
            "parting_seconds",
            "grace_seconds",
            "unkillable_seconds",
            "progress_seconds",
            "memory_sample_seconds",
        )
        times = {name: getattr(usual, name) * self.scale for name in scaled}
        return JobConfig.sealed(**{"concurrency": 4, **times, **changes})

    def launch(
        self,
        *,
        crash: str = "",
        mute: bool = False,
        timed: bool = False,
        clock_shift: float = 0.0,
        preload: list[str] | None = None,
        without: str | None = None,
        url: str | None = None,
        **config: Any,
    ) -> Server:
        """Start a server process; `Server.ready` waits for it."""
        order = {
            "url": url or self.url,
            "idle_seconds": StorageConfig.sealed().database_idle_seconds * self.scale,
            "directory": str(self.directory),
            "config": self.config(**config).model_dump(),
            "crash": crash,
            "mute": mute,
            "timed": timed,
            "clock_shift": clock_shift,
            "preload": preload or [],
            "without": without,
        }
        log = self.directory / f"server-{len(self.servers)}.log"
        self.servers.append(Server(hatch(self._hatchery, order, log)))
        return self.servers[-1]

    def serve(self, **how: Any) -> Server:
        """Start a server and wait until it is ready."""
        return self.launch(**how).ready()

    def owner_of(self, job_id: str) -> Server:
        """Return the server that holds a job."""
        owner = self.job(job_id).owner
        assert owner is not None
        (server,) = [server for server in self.servers if server.process.pid == int(owner.split(":")[1])]
        return server

    # -- jobs ---------------------------------------------------------------------------------

    def submit(self, kind: str, spec: Mapping[str, Any] | None = None, **more: Any) -> str:
        job_id = self.front.submit(kind, spec or {}, **more).job.id
        self.accepted.add(job_id)
        return job_id

    def job(self, job_id: str) -> Job:
        return self.store.get(job_id)

    def until(
        self, job_id: str, *states: str, attempt: int | None = None, patience: float | None = None
    ) -> Job:
        """Wait for a state (and an attempt), and return the job."""
        began = time.monotonic()
        limit = self.patience if patience is None else patience
        while True:
            job = self.job(job_id)
            if job.state in states and attempt in (None, job.attempt):
                return job
            waited = time.monotonic() - began
            assert waited < limit, (
                f"{job_id} is {job.state} ({job.reason}), attempt {job.attempt}; awaited {states}, {attempt}"
            )
            # Finely as long as what comes is timed, and coarsely for whom a lease must run out.
            time.sleep(0.01 if waited < 3.0 else 0.05 if waited < 15.0 else 0.2)

    def at_work(self, job_id: str, notes: int = 1, attempt: int | None = None) -> list[int]:
        """Wait until a job's task runs, and return the living processes that it noted down."""
        self.until(job_id, "running", attempt=attempt)
        place = self.jobs / job_id
        return list(until(lambda: len(found := living(noted(place))) >= notes and found, self.patience))

    def stop(self, job_id: str) -> float:
        """Ask for a stop, wait for its proof, and return the seconds between."""
        began = time.monotonic()
        assert self.front.request_stop(job_id).accepted
        self.until(job_id, "cancelled")
        return time.monotonic() - began

    def slack(self) -> float:
        """Return by how many seconds this machine, as busy as it was measured, may exceed a bound of time."""
        return self._machine.slack() + (self._machine.generosity() if self._generous else 0.0)

    def misses(self) -> list[Miss]:
        """Return the targets that were missed."""
        more = self._machine.generosity() if self._generous else 0.0
        always = self._machine.drag() + more
        return list(misses(self.figures, self.scale, once=self.slack(), always=always))

    def note(self, name: str, seconds: float) -> None:
        """Keep a figure."""
        self.figures.setdefault(name, []).append(seconds)

    def transition(self, job_id: str, after: str, attempt: int | None = None) -> float:
        """Return the wall second at which a job came to a state the last time."""
        found = [row for row in self.transitions() if row[0] == job_id and row[3] == after]
        return max(row[4] for row in found if attempt in (None, row[1]))

    def transitions(self) -> list[tuple[str, int, str, str, float]]:
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT job_id, attempt, before, after, at FROM transitions"))
            return sorted((tuple(row) for row in rows), key=lambda row: row[4])  # type: ignore[misc]

    def published(self) -> list[tuple[str, int]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text("SELECT job_id, attempt FROM published"))]  # type: ignore[misc]

    def gone(self, pids: list[int], since: float, patience: float = 10.0) -> float:
        """Wait until processes are no more; return the seconds since a wall second."""
        until(lambda: not [pid for pid in pids if (p := find(pid)) is not None and not p.dead], patience)
        return time.time() - since


def parent_of(pid: int) -> int:
    """Return the parent of a process: of a worker, its warden."""
    process = find(pid)
    assert process is not None
    return process.parent


def _writable(file: str) -> bool:
    connection = sqlite3.connect(file, timeout=0.5, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def kill(pid: int) -> float:
    """Kill a process and return the wall second before."""
    at = time.time()
    os.kill(pid, signal.SIGKILL)
    return at
