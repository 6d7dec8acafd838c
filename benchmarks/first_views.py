"""First view of every page with 200 models and 5,000 jobs: a fresh ``onward serve`` for each.

What a page imports, compiles and reads for the first time counts. It is asked for twice: as soon as
a server takes requests, and when it had a moment to itself, in which it does chores. The home holds
a model of the bundled bars, trained by a job on the preset ``fast``, and its copies; rows of that
job, copied; the bars, with gaps, in several timeframes. Set ``BENCH_HOME`` to keep it between runs.
"""

from __future__ import annotations

import http.client
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._process import ROOT
from benchmarks._served import Server, serving
from benchmarks._table import Row

N_MODELS, N_JOBS = 200, 5000
LIMIT_MS = 300
PAUSES = {"at once": 0.0, "after chores": 2.0}
"""Between the start of a server and the first view, seconds."""
SYMBOL = "BTC/USD"


@dataclass(frozen=True)
class View:
    """What a view of a page took, milliseconds."""

    first_ms: float
    cpu_ms: float
    again_ms: float
    megabytes: float


def run(quick: bool = False) -> list[Row]:
    with _home() as home:
        job, finished = filled(home)
        pages = {
            "overview": "/",
            "data": "/data",
            "series": "/data/series?kind=candles&symbol=BTC%2FUSD&timeframe=1h",
            "side series": "/data/series?kind=funding&symbol=BTC%2FUSD%3AUSD",
            "jobs": "/jobs",
            "job": f"/jobs/{job}",
            "reports": "/reports",
            "report": f"/reports/{finished}",
            "models": "/models",
            "model": "/models/m-001",
            "version": "/models/m-001/1",
            "compare": f"/compare?run={finished}",
            "predict": "/predict",
            "predict, a model nobody uses": "/predict?model=m-150/1",
            "new run": "/runs/new",
            "settings": "/settings",
            "login": "/login",
        }
        times = 2 if quick else 5
        rows = [_page(home, name, path, pause, times) for name, path in pages.items() for pause in PAUSES]
        return [*rows, _answer(home, times)]


def _page(home: Path, name: str, path: str, pause: str, times: int) -> Row:
    views = [_viewed(home, path, PAUSES[pause]) for _ in range(times)]
    return _row(f"{name}, {pause}", views, LIMIT_MS)


def _answer(home: Path, times: int) -> Row:
    """Measure what the page of predictions shows grey shapes for."""
    path = "/ui/predict/answer?model=m-150/1"
    views = [_viewed(home, path, PAUSES["after chores"]) for _ in range(times)]
    return _row("what a model says that has to be loaded", views)


def _row(name: str, views: list[View], limit: int | None = None) -> Row:
    best = min(views, key=lambda view: view.first_ms)
    told = (
        f"shortest of {len(views)}, median {median(view.first_ms for view in views):.0f}; "
        f"CPU {min(view.cpu_ms for view in views):.0f} ms; once more {best.again_ms:.0f} ms; "
        f"the server is {best.megabytes:.0f} MB then"
    )
    return Row(f"first view: {name}", best.first_ms, "ms", f"<= {limit}" if limit else "", told)


def _viewed(home: Path, path: str, pause_seconds: float) -> View:
    with serving(home, OMP_NUM_THREADS="1") as server:
        time.sleep(pause_seconds)
        connection = _connected(server)
        before = server.cpu_seconds()
        first = _seconds(connection, path)
        cpu = server.cpu_seconds() - before
        again = min(_seconds(connection, path) for _ in range(3))
        connection.close()
        return View(1e3 * first, 1e3 * cpu, 1e3 * again, server.resident_mb())


def _connected(server: Server) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    connection.connect()
    return connection


def _seconds(connection: http.client.HTTPConnection, path: str) -> float:
    begin = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - begin
    if answer.status != 200:
        raise RuntimeError(f"{path}: status {answer.status}")
    return seconds


def filled(home: Path) -> tuple[str, str]:
    """Fill a home unless it is; return a job and a run that ended well."""
    from onward.settings import load_settings
    from onward.wiring import build_application

    if not (home / "onward.db").exists():
        _trained(home)
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    try:
        registry = application.registry
        there = {one.name for one in registry.list_models()}
        bundle = registry.export_version("bench/1", home / "bench.zip", overwrite=True)
        for number in range(N_MODELS - 1):
            if f"m-{number:03}" not in there:
                registry.import_version(bundle, f"m-{number:03}")
        if not there - {"bench"}:
            for number in range(0, N_MODELS - 1, 20):
                registry.set_alias(f"m-{number:03}", "champion", 1)
        job = application.job_store.find(states=("succeeded",), kinds=("train",), limit=1).jobs[0]
        run = next(one for one in application.runs.list() if one.record.status == "succeeded")
    finally:
        application.close()
    _copied(home / "onward.db", job.id)
    return job.id, run.id


def _trained(home: Path) -> None:
    """Store bars and train a model of them, as jobs of a server."""
    import onward
    from onward.settings import load_settings
    from onward.training.plan import preset_values
    from onward.wiring import build_application

    application = build_application(load_settings(home=home, cwd=home, environ={}))
    bars = onward.sample_market().bars.reset_index().drop(columns="symbol")
    bars = bars.rename(columns={"open_time": "timestamp"})
    for timeframe, step in (("1h", 1), ("4h", 4), ("1d", 24)):
        rows = bars[bars["timestamp"].dt.hour % step == 0].drop(index=[4800, 9600], errors="ignore")
        for symbol in (SYMBOL, "ETH/USD"):
            application.repositories.candles(timeframe).upsert(symbol, rows)
    application.repositories.funding.upsert(
        f"{SYMBOL}:USD", bars[::8][["timestamp"]].assign(funding_rate=1e-4)
    )
    application.close()
    body: dict[str, Any] = {
        "plan": {**preset_values("fast"), "data.symbols": [SYMBOL], "data.timeframe": "1h"},
        "save": "bench",
        "alias": "champion",
    }
    with serving(home) as server:
        job = server.ask("/api/v1/training-jobs", body)["id"]
        while (state := server.ask(f"/api/v1/jobs/{job}")["state"]) != "succeeded":
            if state in ("failed", "stopped"):
                raise RuntimeError(f"the training {state}")
            time.sleep(0.5)


def _copied(database: Path, job: str) -> None:
    """Give a database so many jobs: copies of one that ended."""
    with sqlite3.connect(database) as connection:
        (there,) = connection.execute("SELECT count(*) FROM ml_jobs").fetchone()
        names = [row[1] for row in connection.execute("PRAGMA table_info(ml_jobs)")]
        own = {"id": "printf('%032x', number)", "idempotency_key": "NULL"}
        values = ", ".join(own.get(name, name) for name in names)
        connection.execute(
            f"WITH RECURSIVE numbers(number) AS (SELECT {there} UNION ALL SELECT number + 1 FROM numbers "
            f"WHERE number < {N_JOBS - 1}) INSERT INTO ml_jobs ({', '.join(names)}) "
            f"SELECT {values} FROM ml_jobs JOIN numbers WHERE id = ? AND {there} < {N_JOBS}",
            (job,),
        )
    connection.close()


@contextmanager
def _home() -> Iterator[Path]:
    kept = os.environ.get("BENCH_HOME")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)
