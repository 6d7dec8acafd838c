"""What the limits of a job make of a server that was suspended: real processes, signals of the system.

Below the fence workers go on while their server sleeps, so that time counts; what they said and did
meanwhile is heard before anybody is blamed. Beyond it they sleep too, and that time counts for nothing.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from onward.database import open_database
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, JobRequest
from onward.testing.job_backends import until

ROOT = Path(__file__).resolve().parents[3]
Served = tuple[SqlJobStore, subprocess.Popen[str]]


@pytest.fixture
def serve(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    url = f"sqlite:///{tmp_path}/onward.db"
    engine = open_database(url)
    with ExitStack() as ending:
        ending.callback(engine.dispose)

        def start(**config: Any) -> Served:
            usual = {"heartbeat_seconds": 0.1, "lease_seconds": 60.0, "grace_seconds": 0.3}
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.integration.jobs.suspended_server"),
                    *(url, str(tmp_path / "jobs"), json.dumps({**usual, **config})),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            ending.callback(_end, server)
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            return SqlJobStore(engine, poll_seconds=0.05), server

        yield start


def _end(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGCONT)
    server.communicate(timeout=60)


def _suspended(served: Served, kind: str, spec: dict[str, Any], seconds: float, **limits: Any) -> Job:
    """Return how a job ended whose server was suspended for a while soon after it began."""
    store, server = served
    job_id = store.submit(JobRequest(kind, spec, **limits)).job.id
    until(lambda: store.get(job_id).state == "running")
    time.sleep(0.3)
    server.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    server.send_signal(signal.SIGCONT)
    job: Job = until(lambda: (job := store.get(job_id)).finished_at and job)
    assert job.attempt == 1
    return job


def test_what_was_finished_in_time_is_not_blamed_for_a_server_that_slept(
    serve: Callable[..., Served],
) -> None:
    served = serve(fence_seconds=30.0, stall_seconds=3.0)
    job = _suspended(served, "publish", {"seconds": 1.0}, 6.0, timeout_seconds=4.0)
    assert (job.state, job.reason) == ("succeeded", None)


def test_work_goes_on_while_a_server_sleeps_and_its_time_counts(serve: Callable[..., Served]) -> None:
    served = serve(fence_seconds=30.0)
    job = _suspended(served, "publish", {"seconds": 60.0}, 5.0, timeout_seconds=4.0)
    assert (job.state, job.reason) == ("failed", "timeout")


def test_time_for_which_the_fence_held_the_work_counts_for_nothing(serve: Callable[..., Served]) -> None:
    served = serve(fence_seconds=1.0, stall_seconds=6.0)
    job = _suspended(served, "publish", {"seconds": 3.0}, 10.0, timeout_seconds=7.0)
    assert (job.state, job.reason) == ("succeeded", None)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert (job.finished_at - job.started_at).total_seconds() > 7.0, "by the clock it was too late"
