"""Jobs on a Ray cluster of two nodes on this machine, beside jobs in local processes."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._ray_spread import spread_rows, waiting_row
from benchmarks._table import NOT_MEASURED, Row

ROOT = str(Path(__file__).parents[1])
AT_ONCE = 2
FENCE_SECONDS = 10.0
LONG_SECONDS = 3.0
ORDERS = 2_000


def run(quick: bool = False) -> list[Row]:
    from onward.jobs.local import LocalBackend
    from onward.jobs.ray import RayBackend
    from onward.testing.job_backends import ENTRIES

    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        return [Row("Ray cluster", NOT_MEASURED, note='skipped: pip install "onward[ray]"')]
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
    times = 3 if quick else 10
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        local = LocalBackend(ENTRIES, preload=["lightgbm"])
        local.warm()
        rows = _measured("local", local, place / "local", times)
        local.close()
        start = time.perf_counter()
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            ray = RayBackend(ENTRIES, address=cluster.address, fence_seconds=FENCE_SECONDS)
            ray.warm()  # on the head: the node that came later can be killed
            second = cluster.add_node(num_cpus=1)
            rows.append(Row("Ray: two nodes started, connected", time.perf_counter() - start, "s"))
            rows += _measured("Ray", ray, place / "ray", times)
            rows.append(_actor_killed(ray, place / "actor", times))
            rows.append(_asked(ray, place / "asked"))
            rows.append(waiting_row(cluster.address, times))
            rows += spread_rows(cluster.address, max(1, times // 3))
            rows.append(_node_killed(ray, cluster, second, place / "node"))
            ray.close()
        finally:
            cluster.shutdown()
    return rows


def _measured(name: str, backend: Any, place: Path, times: int) -> list[Row]:
    starts, stops, kills = [], [], []
    for number in range(times):
        begun = time.perf_counter()
        with _at_work(backend, "lightgbm", place / f"stop-{number}") as attempt:
            starts.append(time.perf_counter() - begun)
            time.sleep(0.3)
            stops.append(_seconds_until_gone(attempt, attempt.stop))
        with _at_work(backend, "loky", place / f"kill-{number}", processes=2) as attempt:
            kills.append(_seconds_until_gone(attempt, attempt.kill))
    short, long = 4 * times, 2 * times
    fast = _jobs_a_second(backend, place / "short", short, 0.0)
    slow = _jobs_a_second(backend, place / "long", long, LONG_SECONDS)
    share = f"{100 * slow * LONG_SECONDS / AT_ONCE:.0f} % of what {AT_ONCE} places could do at most"
    return [
        _milliseconds(f"{name}: start until the task is at work", starts),
        _milliseconds(f"{name}: stop until a booster is gone", stops, "<= 500"),
        _milliseconds(f"{name}: kill until two loky children are gone", kills, "<= 500"),
        Row(f"{name}: jobs of no work, {AT_ONCE} at once", fast, "1/s", "", f"{short} jobs"),
        Row(f"{name}: jobs of {LONG_SECONDS:g} s, {AT_ONCE} at once", slow, "1/s", "", share),
    ]


def _actor_killed(backend: Any, place: Path, times: int) -> Row:
    """SIGKILL of the actor, until nothing is left of two loky children and this was looked at."""
    from onward.jobs.local.processes import find

    seconds = []
    for number in range(times):
        with _at_work(backend, "loky", place / str(number), processes=2) as attempt:
            pid = attempt.identity.pid
            for _ in range(3):  # warden, nursery, actor
                pid = find(pid).parent  # type: ignore[union-attr]
            seconds.append(_seconds_until_gone(attempt, lambda pid=pid: os.kill(pid, signal.SIGKILL)))
    return _milliseconds("Ray: SIGKILL of the actor until all is gone", seconds)


def _asked(backend: Any, place: Path) -> Row:
    """Measure calls of an actor; an attempt at work costs its server about one a second."""
    with _at_work(backend, "sleep", place) as attempt:
        start = time.perf_counter()
        for _ in range(ORDERS):
            attempt.gone()
        return Row(
            "Ray: looks at an actor, one after the other", ORDERS / (time.perf_counter() - start), "1/s"
        )


def _node_killed(backend: Any, cluster: Any, node: Any, place: Path) -> Row:
    """All processes of a node killed, until its attempt is given up and proven gone."""
    from onward.jobs.local.processes import find

    first = _started(backend, "sleep", place / "first")
    other = _started(backend, "sleep", place / "second")
    nodes = {attempt: _above(attempt.identity.pid) for attempt in (first, other)}
    raylet = node.all_processes["raylet"][0].process.pid
    (lost,) = [attempt for attempt, above in nodes.items() if raylet in above]
    for attempt in nodes:
        attempt.begin()
    start = time.perf_counter()
    cluster.remove_node(node, allow_graceful=False)
    while lost.ending() is None:
        lost.receive(0.1)
    noticed = time.perf_counter() - start
    while not lost.gone():
        time.sleep(0.05)
    gone = time.perf_counter() - start
    left = find(lost.identity.pid)
    assert left is None or left.dead
    for attempt in nodes:
        attempt.close()
    return Row(
        "Ray: loss of a node until its job may run elsewhere", gone, "s", "", f"noticed in {noticed:.1f} s"
    )


def _above(pid: int) -> set[int]:
    from onward.jobs.local.processes import find

    found: set[int] = set()
    while (process := find(pid)) is not None and pid > 1:
        found.add(pid)
        pid = process.parent
    return found


@contextmanager
def _at_work(backend: Any, kind: str, place: Path, processes: int = 1) -> Iterator[Any]:
    attempt = _started(backend, kind, place)
    try:
        attempt.begin()
        while len(list((place / "shared").glob("pid-*"))) < processes:
            time.sleep(0.002)
        yield attempt
    finally:
        attempt.close()


def _started(backend: Any, kind: str, place: Path, spec: dict[str, Any] | None = None) -> Any:
    from onward.testing.job_backends import job_of

    directory = place / "1"
    (directory / "work").mkdir(parents=True)
    return backend.start(job_of(kind, spec or {}), directory)


def _seconds_until_gone(attempt: Any, act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    while not attempt.gone():
        attempt.receive(0.002)
    return time.perf_counter() - start


def _jobs_a_second(backend: Any, place: Path, count: int, seconds: float) -> float:
    def carry_through(number: int) -> None:
        attempt = _started(backend, "quick", place / str(number), {"seconds": seconds})
        attempt.begin()
        while attempt.ending() is None:
            attempt.receive(0.05)
        while not attempt.gone():
            time.sleep(0.002)
        attempt.close()

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(carry_through, range(count)))
    return count / (time.perf_counter() - start)


def _milliseconds(name: str, seconds: list[float], target: str = "") -> Row:
    worst = f"{len(seconds)} times, longest {1e3 * max(seconds):.0f} ms"
    return Row(name, 1e3 * float(np.median(seconds)), "ms", target, worst)
