"""Each waiting time for a Ray cluster is a setting, and is what is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from onward.config.jobs import JobConfig
from onward.errors import JobError
from onward.jobs.ray import RayBackend
from onward.jobs.ray.attempt import RayAttempt
from onward.jobs.ray.cluster import Cluster
from onward.jobs.ray.times import Times
from onward.wiring.backends import open_backend

pytest.importorskip("ray")
from ray.exceptions import GetTimeoutError

BORN = {"identity": {"host": "h", "boot_id": "b", "pid": 1, "start_ticks": 1, "session": 1}, "stamp": 0.0}


class Method:
    def remote(self, *arguments: Any) -> str:
        return "reference"


class Actor:
    tell, look, measure, listen = Method(), Method(), Method(), Method()


class Silent:
    """A Ray that never answers, and notes how long it was waited for."""

    def __init__(self) -> None:
        self.killed: list[Any] = []
        self.patience: list[float] = []
        self.ended = threading.Event()

    def is_initialized(self) -> bool:
        return False

    def init(self, **_: Any) -> None:
        self.ended.wait(30.0)

    def shutdown(self) -> None:
        """End nothing."""

    def kill(self, actor: Any, *, no_restart: bool) -> None:
        self.killed.append(actor)

    def get(self, reference: Any, timeout: float) -> Any:
        self.patience.append(timeout)
        raise GetTimeoutError("silent")


@pytest.fixture
def ray() -> Iterator[Silent]:
    silent = Silent()
    yield silent
    silent.ended.set()


def attempt_on(ray: Silent, times: Times) -> RayAttempt:
    class Connected(Cluster):
        def connect(self) -> Any:
            return ray

    return RayAttempt(Connected(None, "n"), Actor(), "ml-x-1", BORN, "x/1/0", 45.0, times)


def test_a_backend_is_given_what_the_settings_say() -> None:
    config = JobConfig(
        ray_connect_seconds=3.0,
        ray_answer_seconds=4.0,
        ray_insist_seconds=5.0,
        ray_orphan_seconds=6.0,
        ray_sweeper_seconds=7.0,
    )

    class Services:
        def to_json(self) -> dict[str, Any]:
            return {}

    backend = open_backend("ray", config, [], cast("Any", Services()))
    assert isinstance(backend, RayBackend)
    assert backend._times == Times(connect=3.0, answer=4.0, insist=5.0, orphan=6.0, keep=7.0)


def test_without_settings_their_defaults_hold() -> None:
    assert Times.of(JobConfig()) == Times()


def test_a_cluster_that_does_not_answer(ray: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onward.jobs.ray.cluster.require_ray", lambda: ray)
    start = time.monotonic()
    with pytest.raises(JobError, match=r"no answer within 0\.2 s"):
        Cluster(None, "n", connect_seconds=0.2).connect()
    assert time.monotonic() - start < 10.0


def test_an_actor_that_does_not_answer(ray: Silent) -> None:
    assert not attempt_on(ray, Times(answer=0.3)).gone()
    assert ray.patience == [0.3]


def test_what_an_actor_could_not_kill_is_killed_with_it(ray: Silent) -> None:
    attempt = attempt_on(ray, Times(insist=0.05))
    attempt.kill()
    assert ray.killed == []
    time.sleep(0.06)
    attempt.kill()
    assert len(ray.killed) == 1


def test_actors_of_dead_owners_that_do_not_end(ray: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    from onward.testing.job_backends import job_of

    backend = RayBackend({}, times=Times(orphan=0.2))
    monkeypatch.setattr(backend._cluster, "connect", lambda: ray)
    monkeypatch.setattr(backend, "_living_actors", lambda *_: ["an actor"])
    start = time.monotonic()
    assert not backend.end_orphan(job_of("sleep", {}), Path("nowhere"))
    assert 0.2 <= time.monotonic() - start < 5.0
    assert "an actor" in ray.killed
