"""What the server takes and costs: start, memory, predictions, job status, followers.

The server is ``onward serve`` as it is installed, its clients are another process over real
sockets. Beside times there is CPU time of the server process a request, which a busy machine
distorts least. The model is trained by the default plan on the bundled bars (set
``BENCH_HOME`` to keep it between runs).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import onward
from benchmarks._process import ROOT
from benchmarks._served import Server, serving
from benchmarks._table import NOT_MEASURED, Row

RATE = 50.0
NEWEST = 40
JOBS = 40
CONNECTIONS = 32
STREAMS = 500
LATER = "2100-01-01T00:00:00Z"
CLASSES = ("down", "range", "up")


def run(quick: bool = False) -> list[Row]:
    with _home() as home:
        rows = _predictions(home, 250 if quick else 2000)
    rows += _status(3000 if quick else 15000)
    return rows + _followers(50 if quick else STREAMS)


def _predictions(home: Path, count: int) -> list[Row]:
    market = _filled(home)
    model = onward.load_model("models:/bench/1", home=home)
    closes = market.decision_time[-NEWEST:]
    bodies = [{"at": close.isoformat()} for close in closes]
    batch = model.predict(market).iloc[-NEWEST:][list(CLASSES)].to_numpy(float)
    newest = market.bars.iloc[-model.lookback :]
    times = newest.index.get_level_values(1).as_unit("ms").asi8.tolist()
    rows = [[t, *map(float, v)] for t, v in zip(times, newest.to_numpy(), strict=True)]
    sent = {"bars": [{"symbol": str(market.symbols[0]), "rows": rows}]}
    path = "/api/v1/models/bench/versions/1/predictions"
    out = []
    with serving(home, OMP_NUM_THREADS="1") as server:
        out += _resident(server, "before a model", 160)
        server.ask(path, bodies[-1])
        out.append(Row("memory after one model", server.resident_mb(), "MB", "<= 350", "server process"))
        stored = [("POST", path, bodies[-1])]
        own = [("POST", path, sent)]
        every = [("POST", path, body) for body in bodies]
        for name, requests in (
            ("stored symbol", stored),
            ("bars sent", own),
            ("stored, other moments", every),
        ):
            server.load("paced", requests=requests, rate=RATE, count=25, connections=8, keep=False)
            before = server.cpu_seconds()
            seen = server.load("paced", requests=requests, rate=RATE, count=count, connections=8, keep=True)
            cost = (server.cpu_seconds() - before) / count
            out += _latency(f"prediction, {name}", seen["seconds"], 15, 60)
            told = (
                f"{count:,} requests at {RATE:g} a second; of the server process, start of the loop included"
            )
            out.append(Row(f"prediction, {name}: CPU", 1e3 * cost, "ms", "", told))
            out.append(_equal(name, seen["answers"], batch, every=requests is every))
        out.append(Row("memory after all of them", server.resident_mb(), "MB", "<= 350", "server process"))
        out.append(Row("server start", server.start_seconds, "s", "<= 2.5", "until requests are taken"))
    return out


def _equal(name: str, answers: list[Any], batch: np.ndarray, *, every: bool) -> Row:
    off = []
    for number, status, answer in answers:
        if status != 200:
            raise RuntimeError(f"status {status}: {answer}")
        (row,) = answer["predictions"]
        off.append(np.abs(np.array([row[c] for c in CLASSES]) - batch[number if every else -1]).max())
    same = sum(one == 0.0 for one in off)
    note = f"{same:,} of {len(off):,} answers equal to the last bit"
    return Row(f"prediction, {name}: difference from batch", float(max(off)), "", "<= 1e-9", note)


def _status(count: int) -> list[Row]:
    rows = []
    for name, opened in (("SQLite", _no_url), ("PostgreSQL", _postgresql_url)):
        with _directory() as home, opened() as url:
            if url is None:
                rows.append(Row(f"job status, {name}", NOT_MEASURED, note="skipped: no server to start"))
                continue
            settings = {"ONWARD_STORAGE__DATABASE_URL": url} if url else {}
            with serving(home, **settings) as server:
                (home / "inbox").mkdir(parents=True, exist_ok=True)
                (home / "inbox" / "x.csv").write_text("timestamp,open,high,low,close,volume\n")
                body = {"files": ["x.csv"], "symbol": "A/B", "timeframe": "1h", "run_after": LATER}
                ids = [server.ask("/api/v1/import-jobs", body)["id"] for _ in range(JOBS)]
                requests = [("GET", f"/api/v1/jobs/{job_id}", None) for job_id in ids]
                server.load("busy", requests=requests, count=500, connections=CONNECTIONS)
                before = server.cpu_seconds()
                seen = server.load("busy", requests=requests, count=count, connections=CONNECTIONS)
                cost = (server.cpu_seconds() - before) / len(seen["seconds"])
            if seen["wrong"]:
                raise RuntimeError(f"{seen['wrong']} answers without a job")
            told = (
                f"{JOBS} jobs, {CONNECTIONS} connections; 99 in 100 within {_ms(seen['seconds'], 99):.0f} ms"
            )
            rate = len(seen["seconds"]) / seen["elapsed"]
            rows.append(Row(f"job status, {name}", rate, "1/s", ">= 1500", told))
            rows.append(
                Row(f"job status, {name}: CPU", 1e3 * cost, "ms", "<= 0.667", "of the server process")
            )
    return rows


def _followers(streams: int) -> list[Row]:
    with _directory() as home:
        inbox = home / "inbox"
        inbox.mkdir(parents=True)
        onward.sample_market().bars.reset_index().to_parquet(inbox / "bars.parquet")
        with serving(home, ONWARD_JOBS__CONCURRENCY="2") as server:
            body = {"data": "bars.parquet", "plan": "fast"}
            jobs = [server.ask("/api/v1/training-jobs", body)["id"] for _ in range(2)]
            seen = server.load("follow", jobs=jobs, streams=streams)
            states = [server.ask(f"/api/v1/jobs/{job_id}")["state"] for job_id in jobs]
    ended = seen["streams"]
    odd = sum(one["gaps"] + one["repeats"] + (one["finished"] != 1) for one in ended)
    told = f"{len(ended)} streams, {sum(one['events'] for one in ended):,} events; jobs {', '.join(states)}"
    return [
        Row("event streams: gaps, repeats, missing ends", float(odd), "", "<= 0", told),
        Row(
            "job status beside them, 99 in 100 within",
            _ms(seen["seconds"], 99),
            "ms",
            "<= 200",
            "2 jobs train",
        ),
    ]


def _resident(server: Server, when: str, target: int) -> list[Row]:
    helpers = server.helpers_mb()
    told = "; ".join(f"{name}: {size:.0f} MB" for name, size in helpers.items()) or "no helper process"
    return [
        Row(f"memory {when}", server.resident_mb(), "MB", f"<= {target}", f"server process; beside it {told}")
    ]


def _latency(name: str, seconds: list[float], median: int, tail: int) -> list[Row]:
    note = "from when the request was due, over HTTP"
    return [
        Row(f"{name}: median", _ms(seconds, 50), "ms", f"<= {median}", note),
        Row(f"{name}: 99 in 100 within", _ms(seconds, 99), "ms", f"<= {tail}", note),
    ]


def _ms(seconds: list[float], percent: float) -> float:
    return 1e3 * float(np.percentile(seconds, percent))


def _filled(home: Path) -> Any:
    """Return the bundled bars, stored in a home that has a model of them."""
    from onward.settings import load_settings
    from onward.wiring import build_application

    market = onward.sample_market()
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    try:
        if not application.registry.list_models():
            onward.train(market, onward.TrainingPlan(), home=home).save("bench")
        rows = market.bars.reset_index().rename(columns={"open_time": "timestamp"}).drop(columns="symbol")
        application.repositories.candles(market.timeframe).upsert(str(market.symbols[0]), rows)
    finally:
        application.close()
    return market


@contextmanager
def _home() -> Iterator[Path]:
    kept = os.environ.get("BENCH_HOME")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
    else:
        with _directory() as home:
            yield home


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@contextmanager
def _no_url() -> Iterator[str | None]:
    yield ""


@contextmanager
def _postgresql_url() -> Iterator[str | None]:
    from onward.testing.postgres import PostgresServer, missing

    if missing() is not None:
        yield None
        return
    with PostgresServer() as server:
        url = server.create_database()
        from onward.database import open_database, upgrade

        engine = open_database(url)
        upgrade(engine)
        engine.dispose()
        yield url
