"""What the tables of jobs carry: submits, claims, reads and heartbeats, on both databases."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._process import ROOT
from benchmarks._table import NOT_MEASURED, Row

PROCESSES = 4
CLAIMER = """
import sys, time
from onward.database import open_database
from onward.jobs.store import SqlJobStore

store = SqlJobStore(open_database(sys.argv[1]))
store.counts()
print("ready", flush=True)
sys.stdin.readline()
waits = []
while True:
    start = time.perf_counter()
    if not store.claim(sys.argv[2], limit=1):
        break
    waits.append(time.perf_counter() - start)
print(len(waits), max(waits, default=0.0))
"""


def run(quick: bool = False) -> list[Row]:
    jobs = 400 if quick else 2000
    rows = []
    for name, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with opened() as url:
            if url is None:
                rows.append(Row(f"{name}: jobs", NOT_MEASURED, note="skipped: no server to start"))
            else:
                rows += _measured(name, url, jobs)
    return rows


def _measured(name: str, url: str, jobs: int) -> list[Row]:
    from onward.database import open_database, upgrade
    from onward.jobs.store import SqlJobStore

    engine = open_database(url)
    upgrade(engine)
    store = SqlJobStore(engine)
    submits = _each(jobs, lambda number: store.submit(_request(number)))
    seconds, worst = _claim(url)
    store.renew("owner-0")
    ids = [job.id for job in store.find(limit=200).jobs]
    reads = _each(jobs, lambda number: store.get(ids[number % len(ids)]))
    beats = _each(40, lambda _: store.renew("owner-0"))
    held = len(store.renew("owner-0").held)
    woken = _woken(store, 40)
    engine.dispose()
    return [
        Row(f"{name}: submit, median", 1e3 * _quantile(submits, 50), "ms", "", _tail(submits)),
        Row(
            f"{name}: claims, {PROCESSES} processes",
            jobs / seconds,
            "1/s",
            ">= 100",
            f"one job a claim, each on disk with its event; longest wait {1e3 * worst:.0f} ms",
        ),
        Row(f"{name}: status reads, one thread", 1 / np.mean(reads), "1/s", ">= 500", _tail(reads)),
        Row(f"{name}: heartbeat of {held} jobs, median", 1e3 * _quantile(beats, 50), "ms", "", _tail(beats)),
        Row(
            f"{name}: submit until a listener is awake, median",
            1e3 * _quantile(woken, 50),
            "ms",
            "<= 150",
            _tail(woken),
        ),
    ]


def _request(number: int) -> Any:
    from onward.jobs.values import JobRequest

    return JobRequest("train", {"plan": {"seed": number, "stages": ["manual"] * 20}})


def _each(count: int, call: Callable[[int], object]) -> np.ndarray:
    seconds = np.empty(count)
    for number in range(count):
        start = time.perf_counter()
        call(number)
        seconds[number] = time.perf_counter() - start
    return seconds


def _claim(url: str) -> tuple[float, float]:
    """Return how long processes take to claim everything together, and their longest wait."""
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, url, f"owner-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(PROCESSES)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        claimer.stdout.readline()
    start = time.perf_counter()
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    said = [claimer.communicate()[0].split() for claimer in claimers]
    return time.perf_counter() - start, max(float(worst) for _, worst in said)


def _woken(store: Any, count: int) -> np.ndarray:
    """Return seconds from the call of submit until a thread that waited has its answer."""
    seconds = []
    for number in range(count):
        awake: list[float] = []
        listening = threading.Event()
        thread = threading.Thread(target=_listen, args=(store, listening, awake))
        thread.start()
        listening.wait()
        time.sleep(0.005)
        start = time.perf_counter()
        store.submit(_request(10**6 + number))
        thread.join()
        seconds.append(awake[0] - start)
    return np.asarray(seconds)


def _listen(store: Any, listening: threading.Event, awake: list[float]) -> None:
    with store.subscribe() as subscription:
        listening.set()
        subscription.wait(10.0)
        awake.append(time.perf_counter())


def _quantile(seconds: np.ndarray, percent: float) -> float:
    return float(np.percentile(seconds, percent))


def _tail(seconds: np.ndarray) -> str:
    return f"99 in 100 within {1e3 * _quantile(seconds, 99):.1f} ms"


@contextmanager
def _sqlite() -> Iterator[str | None]:
    # On the disk of the checkout: the system's own directory for such things may be memory.
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as directory:
        yield f"sqlite:///{Path(directory) / 'onward.db'}"


@contextmanager
def _postgresql() -> Iterator[str | None]:
    from onward.testing.postgres import PostgresServer, missing

    if missing() is not None:
        yield None
        return
    with PostgresServer(durable=True) as server:
        yield server.create_database()
