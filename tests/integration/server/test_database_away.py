"""A server whose PostgreSQL goes away for a while: it says so in time, loses nothing, and needs no restart.

`gone` is a database that is stopped: who asks is refused at once. `silent` is one that hangs, or a network
that swallows everything: nobody is refused, and nothing is answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from onward.access.store import SqlAccessStore
from onward.client import OnwardClient
from onward.database import open_database, upgrade
from onward.database.patience import ANSWER_SECONDS, CONNECT_SECONDS
from onward.testing.markets import planted_signal
from onward.testing.postgres import PostgresServer, missing
from tests.faults.proxy import Proxy
from tests.integration.server.houses import frames, until
from tests.integration.server.processes import Served, served
from tests.unit.training.small_runs import SMALL

REASON = missing()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(REASON is not None, reason=str(REASON))]

AWAY_SECONDS = 30.0
SETTLED_SECONDS = 3.0
"""Till then an answer that was under way may still come."""
PROBE_SECONDS = 4.0
"""Within which `/health/ready` says that it is not."""
BOUND_SECONDS = 2 * ANSWER_SECONDS + CONNECT_SECONDS + 5.0
"""Within which any request is refused: a free connection, its answer, another connection; and some more."""
PLAN = {**SMALL, "evaluation.importance": False, "evaluation.drift": False, "evaluation.adversarial": False}


class Ground:
    """A server, the way to its database, and somebody who follows a job."""

    def __init__(self, served: Served, postgres: PostgresServer, proxy: Proxy, key: str) -> None:
        self.served, self._postgres, self._proxy = served, postgres, proxy
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=f"{served.address}/api/v1", headers=headers, timeout=60)
        self.client = OnwardClient(served.address, api_key=key)

    def away(self, how: str) -> None:
        if how == "gone":
            self._postgres.stop("fast")
        else:
            self._proxy.cut()

    def back(self, how: str) -> None:
        if how == "gone":
            self._postgres.start()
        else:
            self._proxy.mend()

    def submitted(self, **more: Any) -> str:
        answer = self.http.post("/training-jobs", json={"data": "bars.parquet", "plan": {**PLAN, **more}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def state(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    home = tmp_path / "home"
    (home / "inbox").mkdir(parents=True)
    planted_signal(600, seed=0, strength=0.004).bars.reset_index().to_parquet(home / "inbox" / "bars.parquet")
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        engine = open_database(postgres.url())
        upgrade(engine)
        _, secret = SqlAccessStore(engine).create_key("ann", "admin")
        engine.dispose()
        proxy = stack.enter_context(Proxy(postgres.url()))
        server = stack.enter_context(
            served(home, ONWARD_STORAGE__DATABASE_URL=proxy.url, ONWARD_JOBS__POLL_SECONDS="0.1")
        )
        ground = Ground(server, postgres, proxy, secret.text)
        yield ground
        ground.http.close()
        ground.client.close()


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_a_database_that_is_away_for_a_while(ground: Ground, how: str) -> None:
    # Long enough to be running when the database goes, done before it is back.
    job = ground.submitted(**{"model.n_rounds": 3000})
    until(lambda: ground.state(job)["state"] == "running")
    watched: list[int] = []
    broken: list[Exception] = []

    def watch() -> None:
        try:
            watched.extend(event.seq for event in ground.client.watch(job))
        except Exception as error:
            broken.append(error)

    followed: list[str] = []
    raw = threading.Thread(target=lambda: followed.extend(follow(ground, job)))
    watcher = threading.Thread(target=watch)
    watcher.start()
    raw.start()
    time.sleep(0.5)

    measured(ground, up=True)
    ground.away(how)
    began, slowest = time.monotonic(), 0.0
    refused: list[tuple[float, httpx.Response]] = []
    asking = [threading.Thread(target=ask, args=(ground, began, refused, n)) for n in range(12)]
    for one in asking:
        one.start()
    while time.monotonic() - began < AWAY_SECONDS:
        slowest = max(slowest, probed(ground, "/health/live", 200, 1.0))
        if time.monotonic() - began > SETTLED_SECONDS:
            slowest = max(slowest, probed(ground, "/health/ready", 503, PROBE_SECONDS))
            slowest = max(slowest, measured(ground, up=False))
        time.sleep(0.5)
    for one in asking:
        one.join(BOUND_SECONDS)
        assert not one.is_alive(), "a request hangs"
    assert len(refused) > 50
    for seconds, answer in refused:
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert {"title", "detail", "status", "what", "remedy"} <= set(answer.json())
        assert seconds < BOUND_SECONDS
    late = [seconds for seconds, _ in refused[len(refused) // 2 :]]
    print(f"{how}: {len(refused)} refusals, slowest {max(s for s, _ in refused):.1f} s", end=", ")
    print(f"median of the second half {sorted(late)[len(late) // 2] * 1000:.0f} ms", end=", ")
    print(f"slowest probe {slowest:.2f} s")
    assert sorted(late)[len(late) // 2] < 0.5, "once it is known to be away, refusals come at once"

    ground.back(how)
    began = time.monotonic()
    until(lambda: httpx.get(f"{ground.served.address}/health/ready", timeout=10).status_code == 200)
    print(f"ready again after {time.monotonic() - began:.1f} s")
    measured(ground, up=True)
    ended = until(lambda: (found := ground.state(job))["finished_at"] and found, 120)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1), ended["error"]
    watcher.join(30)
    raw.join(30)
    assert not watcher.is_alive()
    assert not raw.is_alive()
    assert not broken
    assert watched == list(range(1, len(watched) + 1)), "a gap or a repeat"
    assert followed[-1] in ("end", "broken"), "the stream neither went on nor ended"
    # Everything works as before.
    again = ground.submitted(**{"model.n_rounds": 5})
    assert until(lambda: ground.state(again)["finished_at"], 120)
    assert ground.state(again)["state"] == "succeeded"
    assert ground.http.get("/models").status_code == 200


def follow(ground: Ground, job: str) -> list[str]:
    """Follow as a plain client does, who does not come back; return the kinds of frames."""
    kinds: list[str] = []
    headers = {"Authorization": ground.http.headers["Authorization"], "Accept": "text/event-stream"}
    try:
        with httpx.stream(
            "GET", f"{ground.http.base_url}jobs/{job}/events", headers=headers, timeout=120
        ) as s:
            kinds += [kind for _, kind, _ in frames(s)]
    except httpx.HTTPError:
        kinds.append("broken")
    return kinds


def ask(ground: Ground, began: float, refused: list[tuple[float, httpx.Response]], number: int) -> None:
    """Ask again and again while the database is away, for something that needs it."""
    doors: tuple[Callable[[httpx.Client], httpx.Response], ...] = (
        lambda http: http.get("/jobs"),
        lambda http: http.get("/models"),
        lambda http: http.post("/training-jobs", json={"data": "bars.parquet", "plan": "fast"}),
        lambda http: http.get("/jobs/01k00000000000"),
        lambda http: http.put("/models/x/aliases/champion", json={"version": 1}),
        lambda http: http.get("/audit-log"),
    )
    with httpx.Client(base_url=ground.http.base_url, headers=ground.http.headers, timeout=60) as http:
        while time.monotonic() - began < AWAY_SECONDS - 2.0:
            asked = time.monotonic()
            answer = doors[number % len(doors)](http)
            if answer.status_code == 503 or asked - began > SETTLED_SECONDS:
                refused.append((time.monotonic() - asked, answer))
            time.sleep(0.2)


def probed(ground: Ground, path: str, status: int, seconds: float) -> float:
    """Return how long a probe, which has no key, took to be answered as it must."""
    began = time.monotonic()
    answer = httpx.get(f"{ground.served.address}{path}", timeout=seconds)
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return time.monotonic() - began


def measured(ground: Ground, *, up: bool) -> float:
    """Return how long metrics took, which are there whatever becomes of the database."""
    began = time.monotonic()
    answer = ground.http.get("/metrics", timeout=PROBE_SECONDS)
    assert answer.status_code == 200, answer.text
    assert f"onward_database_up {float(up)}" in answer.text
    assert "process_resident_memory_bytes" in answer.text
    assert up or "onward_jobs{" not in answer.text
    return time.monotonic() - began
