"""Two nodes: what is left when a server or a node is lost, and whole jobs under the manager."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onward.config.jobs import JobConfig
from onward.database import open_database
from onward.jobs.kinds import JobKind
from onward.jobs.local.processes import find
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.ray import RayBackend
from onward.jobs.ray.attempt import RayAttempt
from onward.jobs.store import SqlJobStore
from onward.jobs.values import WorkerIdentity
from onward.testing.job_backends import ENTRIES, job_of, living, noted, until

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray leaves sockets and files open
FENCE_SECONDS = 6.0

SERVER = """
import json, sys, time
from dataclasses import asdict, replace
from pathlib import Path
from onward.jobs.ray import RayBackend
from onward.testing.job_backends import ENTRIES, job_of, noted, until

place = Path(sys.argv[2])
(place / "1" / "work").mkdir(parents=True)
backend = RayBackend(ENTRIES, address=sys.argv[1], fence_seconds=float(sys.argv[3]))
attempt = backend.start(replace(job_of("loky", {}), id="orphan"), place / "1")
attempt.begin()

def beaten():
    attempt.receive(0.05)
    backend.beat(time.monotonic(), {"orphan": 1})
    return len(noted(place / "1" / "..")) == 2

until(beaten, 60.0)
print(json.dumps({"identity": asdict(attempt.identity), "pids": noted(place)}), flush=True)
while True:
    attempt.receive(0.1)
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def backend(nodes: Any) -> Iterator[RayBackend]:
    started = RayBackend(ENTRIES, address=nodes.address, fence_seconds=FENCE_SECONDS)
    started.warm()
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0.5):
            started.beat(time.monotonic(), dict(started._attempts.keys()))

    # Starting several attempts takes longer than the fence on a busy machine; a manager beats as well.
    heart = threading.Thread(target=beat)
    heart.start()
    yield started
    ended.set()
    heart.join()
    started.close()


def above(pid: int) -> set[int]:
    found: set[int] = set()
    while pid > 1 and (process := find(pid)) is not None:
        found.add(pid)
        pid = process.parent
    return found


def started(backend: RayBackend, kind: str, place: Path) -> RayAttempt:
    directory = place / "1"
    (directory / "work").mkdir(parents=True)
    attempt = backend.start(job_of(kind, {}), directory)
    attempt.begin()
    return attempt


def orphan(nodes: Any, place: Path) -> tuple[list[int], WorkerIdentity]:
    """Leave an attempt behind whose server was killed."""
    arguments = [sys.executable, "-c", SERVER, nodes.address, str(place), str(FENCE_SECONDS)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        server.kill()
    identity = WorkerIdentity(**said["identity"])
    return [*said["pids"], identity.pid], identity


def test_the_actor_of_a_dead_server_ends_by_its_own_clock(nodes: Any, tmp_path: Path) -> None:
    pids, _ = orphan(nodes, tmp_path)
    assert living(pids) == pids, "detached: its end does not come from Ray"
    start = time.monotonic()
    until(lambda: not living(pids), 3 * FENCE_SECONDS)
    assert time.monotonic() - start < FENCE_SECONDS + 3.0


def test_another_server_takes_the_job_of_a_dead_one_over(
    nodes: Any, backend: RayBackend, tmp_path: Path
) -> None:
    pids, identity = orphan(nodes, tmp_path)
    job = replace(job_of("loky", {}, identity=identity), id="orphan")
    assert until(lambda: backend.end_orphan(job, tmp_path), 30.0)
    assert living(pids) == []


def test_whole_jobs_under_the_manager(backend: RayBackend, sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    store = SqlJobStore(engine)
    kinds = [JobKind(name, entry, "for tests") for name, entry in ENTRIES.items()]
    manager = BackgroundTaskManager(
        store, [Lent(backend)], kinds, JobConfig(concurrency=2), tmp_path / "jobs"
    )
    with closing(manager.start()):
        done = manager.submit("echo", {"x": 1}, backend="ray").job.id
        until(lambda: store.get(done).finished_at, 40.0)
        assert (store.get(done).state, store.get(done).result) == ("succeeded", {"x": 1})
        busy = manager.submit("lightgbm", {}, backend="ray").job.id
        pids = until(lambda: noted(tmp_path / "jobs" / busy), 40.0)
        identity = store.get(busy).identity
        assert identity is not None
        assert identity.external_ref == f"ml-{busy}-1"
        asked = time.monotonic()
        manager.request_stop(busy)
        until(lambda: store.get(busy).finished_at, 20.0)
        assert store.get(busy).state == "cancelled"
        assert living(pids) == []
        assert time.monotonic() - asked < 5.0
    engine.dispose()


def test_the_job_of_a_lost_node_is_given_up_when_nothing_of_it_can_be_left(
    nodes: Any, backend: RayBackend, tmp_path: Path
) -> None:
    added = nodes.add_node(num_cpus=2)
    raylet = added.all_processes["raylet"][0].process.pid
    attempts = [started(backend, "sleep", tmp_path / str(number)) for number in range(6)]
    try:
        lost = next(attempt for attempt in attempts if raylet in above(attempt.identity.pid))
        # Both nodes are on one host here; where they are not, nobody can look for it any more.
        lost._identity = replace(lost.identity, host="a-host-that-is-lost")
        removed = time.monotonic()
        nodes.remove_node(added, allow_graceful=False)
        until(lambda: [attempt.receive(0.02) for attempt in attempts] and lost.ending(), 60.0)
        assert (ending := lost.ending()) is not None
        assert (ending.exit_code, ending.out_of_memory) == (None, False)
        until(lambda: [attempt.receive(0.02) for attempt in attempts] and lost.gone(), 60.0)
        assert time.monotonic() - removed > FENCE_SECONDS
        assert living([lost.identity.pid]) == []
        kept = next(attempt for attempt in attempts if attempt is not lost and attempt.ending() is None)
        assert not kept.gone()
    finally:
        for attempt in attempts:
            attempt.close()


class Lent(RayBackend):
    """The same backend, which outlives the manager."""

    def __init__(self, backend: RayBackend) -> None:
        self.__dict__.update(backend.__dict__)

    def close(self) -> None:
        """Leave the cluster to the other tests."""
