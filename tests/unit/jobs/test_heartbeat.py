"""What a heartbeat brings, and to whom, whatever one of the backends does."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.config import JobConfig
from onward.jobs.heartbeat import Heartbeat
from onward.jobs.logs import job_logger
from onward.jobs.metrics import JobMetrics
from onward.jobs.settlement import Surroundings
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Lease
from onward.testing.job_backends import until
from onward.testing.job_store.ways import running

CONFIG = JobConfig.sealed(heartbeat_seconds=0.05)


class Listener:
    """A backend that only listens."""

    name = "local"

    def __init__(self) -> None:
        self.heard: list[Mapping[str, int]] = []
        self.sent: list[float] = []

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        self.sent.append(sent)
        self.heard.append(held)


class Broken(Listener):
    name = "ray"

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        super().beat(sent, held)
        raise RuntimeError("the cluster is gone")


class Hanging(Listener):
    name = "ray"

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        super().beat(sent, held)
        assert self.go_on.wait(20)


class Held:
    """What a heartbeat knows of a supervision."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.lost = self.stopped = 0

    def lose(self) -> None:
        self.lost += 1

    def ask_to_stop(self) -> None:
        self.stopped += 1


def beating(store: SqlJobStore, held: list[Held], backends: list[Any], log: io.StringIO) -> Heartbeat:
    surroundings = Surroundings(store, CONFIG, JobMetrics(), job_logger(log))
    given: Any = held
    return Heartbeat(held[0].lease.owner, lambda: given, backends, surroundings)


@pytest.fixture(params=[Broken, Hanging])
def poor(request: pytest.FixtureRequest) -> Iterator[Any]:
    backend = request.param()
    yield backend
    if isinstance(backend, Hanging):
        backend.go_on.set()


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_a_backend_that_raises_or_hangs_is_alone_with_it(poor: Any, first: bool, database: Engine) -> None:
    store, good, log = SqlJobStore(database), Listener(), io.StringIO()
    lease = running(store)
    here = Held(lease)
    gone = Held(Lease("f" * 16, lease.owner, 1, 0))
    backends = [poor, good] if first else [good, poor]
    heartbeat = beating(store, [here, gone], backends, log)
    heartbeat.start()
    try:
        until(lambda: len(good.heard) >= 3 and poor.heard)
        assert good.heard[-1] == {lease.job_id: lease.attempt}
        assert (here.lost, here.stopped, gone.stopped) == (0, 0, 0)
        assert gone.lost >= 1
        store.request_stop(lease.job_id)
        until(lambda: here.stopped)
    finally:
        heartbeat.close()
    if isinstance(poor, Broken):
        assert len(poor.heard) >= 3, "it is told again all the same"
        assert "beat_failed" in log.getvalue()
        assert '"ray"' in log.getvalue()


def test_a_slow_backend_is_told_the_latest(database: Engine) -> None:
    store, slow = SqlJobStore(database), Hanging()
    heartbeat = beating(store, [Held(running(store))], [slow], io.StringIO())
    heartbeat.start()
    try:
        until(lambda: slow.heard)
        renewed = store.leases()[0].beat
        until(lambda: store.leases()[0].beat >= renewed + 5)
        slow.go_on.set()
        until(lambda: len(slow.heard) >= 2)
        assert slow.sent[1] > slow.sent[0] + 3 * CONFIG.heartbeat_seconds
    finally:
        heartbeat.close()
