"""A server for the fault tests: a real manager in a process of its own (see `tests.faults.hatchery`).

It says ``ready`` once workers can be forked, and closes in an orderly way when its standard input
ends. Faults are put in from outside of the product: by wrapping what the manager is given.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from onward.config import JobConfig
from onward.database import open_database
from onward.database.moments import utc_now
from onward.jobs.kinds import JobKind, Publication
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job
from tests.faults.tasks import ENTRIES
from tests.faults.weakened import weaken


def serve(order: Mapping[str, Any]) -> None:
    """Run a server until its standard input ends."""
    weaken(order.get("without"))
    directory = Path(order["directory"])
    config = JobConfig.sealed(**order["config"])
    shift = timedelta(seconds=order.get("clock_shift", 0.0))

    def clock() -> Any:
        return utc_now() + shift

    engine = open_database(order["url"], idle_seconds=order["idle_seconds"])
    point = order.get("crash", "")
    store: Any = SqlJobStore(
        engine, clock=clock, poll_seconds=config.poll_seconds, retry_seconds=config.retry_seconds
    )
    turn = store._transactions._turn
    store = Crashing(store, point, turn)
    if order.get("timed"):
        store = Timed(store, directory / "claims.txt")
    if order.get("mute"):
        store = Deaf(store)
    local = LocalBackend(
        ENTRIES,
        preload=order.get("preload", []),
        fence_seconds=config.fence_seconds,
        spawn_seconds=config.spawn_seconds,
        niceness=config.niceness,
        orphan_seconds=config.orphan_seconds,
    )
    backend: Any = Crashing(local, point, turn)
    manager = BackgroundTaskManager(
        store, [backend], kinds(directory), config, directory / "jobs", clock=clock
    )
    local.warm()
    with manager.start():
        print("ready", flush=True)
        sys.stdin.read()
        manager.close(finish_within=0.0)


def kinds(directory: Path) -> list[JobKind]:
    """Return a kind for each task; what leaves an artifact publishes it."""

    def publish(job: Job, result: Mapping[str, Any], place: Path) -> Publication:
        made = place / "artifact.txt"
        if not made.exists():
            return Publication()
        owned = made.read_text().partition("\n")[0]
        if owned != f"{job.id}/{job.attempt}":
            raise OSError(f"the artifact of {owned} lies where that of {job.id}/{job.attempt} belongs")
        target = directory / "models" / job.id / str(job.attempt)
        target.mkdir(parents=True)
        shutil.move(made, target / "artifact.txt")

        def on_commit(connection: Connection) -> Mapping[str, Any]:
            row = {"job": job.id, "attempt": job.attempt}
            connection.execute(text("INSERT INTO published (job_id, attempt) VALUES (:job, :attempt)"), row)
            return {"artifact": f"{job.id}/{job.attempt}"}

        return Publication(on_commit, abandon=lambda: shutil.rmtree(target, ignore_errors=True))

    return [JobKind(name, entry, name, publish=publish, answer=size) for name, entry in ENTRIES.items()]


def size(job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
    """Answer what the task ``ask`` asks."""
    return len(question) * int(arguments["number"])


class Crashing:
    """Stands for a store or a backend, and kills this process before, after or inside a named call.

    ``point`` is ``call:before``, ``call:after`` or, for what runs within the terminal transaction,
    ``finish:inside``; with ``:stop`` behind it the process is suspended there, once. ``turn`` is what
    threads of this process take before they write to the database.
    """

    def __init__(self, target: Any, point: str, turn: AbstractContextManager[Any]) -> None:
        self._target, self._turn = target, turn
        self._call, self._moment, how = (*point.split(":"), "", "", "")[:3]
        self._signal = signal.SIGSTOP if how == "stop" else signal.SIGKILL

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return self._fatal(found) if name == self._call else found

    def _fatal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fatal(*arguments: Any, **named: Any) -> Any:
            if self._moment == "before":
                self._hit()
            publish = named.get("on_commit")
            if self._moment == "inside" and publish is not None:
                named["on_commit"] = lambda connection: (publish(connection), self._hit())[0]
            given = call(*arguments, **named)
            if self._moment == "after" and given:  # a claim that found nothing is no moment to die
                self._hit()
            return given

        return fatal

    def _hit(self) -> None:
        self._call = ""
        # Not while another thread writes: it would be suspended with SQLite's only writer's place.
        with self._turn if self._signal == signal.SIGSTOP else nullcontext():
            # To this thread: a signal to the process lets it run on until another one has taken it.
            signal.pthread_kill(threading.get_ident(), self._signal)


class Deaf:
    """Stands for a store that never tells of anything by itself."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    @contextmanager
    def subscribe(self) -> Iterator[Any]:
        with self._target.subscribe() as subscription:
            yield _Silent(subscription)


class _Silent:
    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription

    def wait(self, timeout: float) -> frozenset[str]:
        self._subscription.wait(timeout)
        return frozenset()


class Timed:
    """Stands for a store, and writes down how many seconds each claim took that brought something."""

    def __init__(self, target: Any, file: Path) -> None:
        self._target = target
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def claim(self, *arguments: Any, **named: Any) -> Any:
        began = time.monotonic()
        jobs = self._target.claim(*arguments, **named)
        if jobs:
            os.write(self._file, f"{time.monotonic() - began:.6f}\n".encode())
        return jobs
