"""Who runs a job that was put into the background: a worker that is there, else one that is started.

A worker or server of this home holds a lock. One on another host is known by what it does: an idle
one takes the job, the heartbeats of a busy one are numbers that grow. Only when nothing of all this
is seen is a worker started; were that wrong, there would be one too many, and a job is still claimed
once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onward.errors import JobError
from onward.jobs.presence import Presence, alone

if TYPE_CHECKING:
    from onward.cli.session import Session
    from onward.config.jobs import JobConfig
    from onward.jobs.protocol import JobStore
    from onward.wiring import Application

__all__ = ["Runner", "ensure_runner", "start_worker", "who_runs"]

LOOK_SECONDS = 0.05
IDLE_POLLS = 5
"""An idle worker looks for jobs this often before it counts as absent."""
BORN_SECONDS = 20.0
LARGEST_LOG_BYTES = 5_000_000
STARTED = '"event": "started"'


@dataclass(frozen=True)
class Runner:
    """Who runs a job.

    Attributes
    ----------
    found
        ``taken``: a worker has taken it; ``busy``: workers are there and busy; ``started``: one
        was started for it.
    pid, log
        Of the worker that was started.
    """

    found: Literal["taken", "busy", "started"]
    pid: int | None = None
    log: Path | None = None

    @property
    def sentence(self) -> str:
        """What a person is told."""
        if self.found == "taken":
            return "A running worker or server has taken it."
        if self.found == "busy":
            return "A worker or server is running; it takes the job when it is free."
        return (
            f"No worker was running, so one was started (process {self.pid}); it outlives this terminal and "
            f"ends when nothing is left to do. Its log: {self.log}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {"found": self.found, "pid": self.pid, "log": None if self.log is None else str(self.log)}


def ensure_runner(session: Session, application: Application, job_id: str) -> Runner:
    """Return who runs a job that was just submitted; starts a worker when nobody does.

    Raises
    ------
    JobError
        When the worker does not start. The job stays queued.
    """
    directory, database = application.home.jobs, str(application.resolved.database_url)
    with alone(directory, database):
        presence = application.job_presence(["local"])
        found = who_runs(application.job_store, job_id, application.settings.jobs, presence)
        if found is not None:
            return Runner(found)
        pid, log = start_worker(session, application.home.root, application.home.logs)
        return Runner("started", pid, log)


def who_runs(
    store: JobStore, job_id: str, jobs: JobConfig, presence: Presence
) -> Literal["taken", "busy"] | None:
    """Return whether a job was taken, or workers are there but busy; None when nobody was seen."""
    began = time.monotonic()
    beats = {(lease.job_id, lease.attempt): lease.beat for lease in store.leases()}
    patience = max(1.0, IDLE_POLLS * jobs.poll_seconds)
    if beats and not presence.anybody():
        # A dead server's lease looks like a live one until a heartbeat is due.
        patience = max(patience, 1.5 * jobs.heartbeat_seconds)
    while time.monotonic() - began < patience:
        if store.get(job_id).state != "queued":
            return "taken"
        leases = store.leases()
        if any(lease.beat > beats.get((lease.job_id, lease.attempt), lease.beat) for lease in leases):
            return "busy"
        time.sleep(LOOK_SECONDS)
    return "busy" if presence.anybody() else None


def start_worker(session: Session, home: Path, logs: Path) -> tuple[int, Path]:
    """Start a worker in a session of its own, and return its process id and log once it is at work.

    Raises
    ------
    JobError
        When it ends at once.
    """
    log = _log_file(logs)
    overrides = [part for text in session.overrides for part in ("--set", text)]
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "onward", "--home", str(home), *overrides, "worker", "--until-idle"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # no terminal: closing one, or Ctrl-C in it, means nothing to it
        )
    deadline = time.monotonic() + BORN_SECONDS
    while time.monotonic() < deadline:
        said = _since(log, before)
        if STARTED in said:
            break
        if process.poll() is not None:
            raise JobError(
                "the worker that was to run the job did not start, and the job stays queued",
                got=said.strip()[-500:] or f"exit code {process.returncode}",
                remedy="See `onward worker`, which says what is wrong, and runs the job once it starts.",
            )
        time.sleep(LOOK_SECONDS)
    process.returncode = 0  # it goes on without us: nobody is to wait for it, nor to warn that nobody did
    return process.pid, log


def _log_file(logs: Path) -> Path:
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / "worker.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log


def _since(log: Path, place: int) -> str:
    with log.open("rb") as file:
        file.seek(place, os.SEEK_SET)
        return file.read().decode(errors="replace")
