"""Publishes imports and is killed at a named moment: ``python -m tests.integration.jobs.dying_importer``.

Imports once and forks for every order, given as JSON: ``home``, ``rows`` (what a worker would have
staged), ``point``, ``attempts``. Faults are put in from outside: the product knows nothing of them.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from onward.data.repositories import ParquetCandleRepository, PreparedUpsert
from onward.jobs.logs import job_logger
from onward.jobs.metrics import JobMetrics
from onward.jobs.settlement import Settlement, Surroundings
from onward.jobs.values import Job, JobRequest, Lease, WorkerIdentity
from onward.settings import load_settings
from onward.tasks.merging import PendingMerge
from onward.wiring import Application, build_application

__all__ = ["POINTS", "application_of", "publish"]

IDENTITY = WorkerIdentity("nowhere", "none", 1, 1, 1)


def application_of(home: Path) -> Application:
    return build_application(load_settings(home=home, cwd=home, environ={}))


def publish(application: Application, rows: Path, attempts: int) -> Job:
    """Claim the import, which is submitted unless it waits, and end it as its supervisor would."""
    store = application.job_store
    if not store.find(states=["queued"]).jobs:
        store.submit(JobRequest("import", {"files": []}, max_attempts=attempts))
    (job,) = store.claim("somebody", limit=1)
    lease = Lease(job.id, "somebody", job.attempt, job.beat)
    assert store.started(lease, IDENTITY)
    work = application.home.jobs / job.id / str(job.attempt) / "work"
    shutil.copytree(rows, work / "rows")
    (kind,) = (kind for kind in application.job_kinds if kind.name == "import")
    log = job_logger(io.StringIO())
    around = Surroundings(store, application.settings.jobs, JobMetrics(), log)
    Settlement(lease, kind, around, log, threading.Event()).publish({}, work)
    return store.get(job.id)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def on_call(owner: type, name: str, number: int, *, after: bool = False) -> None:
    """Die at a call of a method, counted from 1."""
    call: Callable[..., Any] = getattr(owner, name)
    calls = []

    def fatal(self: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == number and not after:
            die()
        given = call(self, *arguments, **named)
        if len(calls) == number and after:
            die()
        return given

    setattr(owner, name, fatal)


POINTS: dict[str, Callable[[], None]] = {
    "staged": lambda: on_call(ParquetCandleRepository, "prepare", 1),
    "half prepared": lambda: on_call(ParquetCandleRepository, "prepare", 1, after=True),
    "prepared": lambda: on_call(PendingMerge, "swap", 1),
    "half visible": lambda: on_call(PreparedUpsert, "swap", 1, after=True),
    "visible, not committed": lambda: on_call(PendingMerge, "swap", 1, after=True),
    "committed": lambda: on_call(PendingMerge, "settle", 1),
    "half settled": lambda: on_call(PreparedUpsert, "settle", 1, after=True),
    "settled": lambda: on_call(PendingMerge, "settle", 1, after=True),
}
"""Where it dies, in the order in which an import passes them."""


def main() -> None:
    for order in json.loads(sys.argv[1]):
        child = os.fork()
        if child == 0:
            POINTS[order["point"]]()
            publish(application_of(Path(order["home"])), Path(order["rows"]), order["attempts"])
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, order


if __name__ == "__main__":
    main()
