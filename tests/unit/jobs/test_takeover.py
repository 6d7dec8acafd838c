"""Backends are told of silent owners in time, so that nothing has to begin when a lease is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from onward.config.jobs import JobConfig
from onward.errors import JobNotFoundError, StorageError
from onward.jobs.settlement import Surroundings
from onward.jobs.takeover import Takeover
from onward.jobs.values import Job, Lease
from onward.testing.job_backends import job_of

CONFIG = JobConfig(heartbeat_seconds=2.0, fence_seconds=45.0, lease_seconds=60.0)


class Store:
    """Holds one lease, and counts who asks for its job."""

    def __init__(self) -> None:
        self.beat, self.asked, self.away, self.gone = 0, 0, False, False

    def leases(self) -> list[Lease]:
        if self.away:
            raise StorageError("away")
        return [Lease("job", "other", 1, self.beat)]

    def get(self, job_id: str) -> Job:
        self.asked += 1
        if self.gone:
            raise JobNotFoundError(job_id)
        return job_of("sleep", {})


class Backend:
    """Notes what it is told."""

    name = "local"

    def __init__(self) -> None:
        self.told = 0

    def expect_orphans(self) -> None:
        self.told += 1


class Quiet:
    def warning(self, event: str, **told: Any) -> None:
        """Say nothing."""

    exception = warning


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def takeover(store: Store, backend: Backend) -> Takeover:
    around = Surroundings(*cast("Any", (store, CONFIG, None, Quiet(), None)))
    return Takeover("me", cast("Any", {"local": backend}), {}, Path("nowhere"), around)


def looked(takeover: Takeover, begin: int, end: int) -> None:
    for second in range(begin, end):
        takeover.look(float(second))


def test_half_a_lease_of_silence_is_foreseen(takeover: Takeover, backend: Backend, store: Store) -> None:
    looked(takeover, 0, 30)
    assert backend.told == 0
    looked(takeover, 30, 60)
    assert backend.told == 30, "again and again: nodes come, and what was prepared dies"
    assert store.asked == 1, "where a job runs does not change"


def test_a_sign_of_life_ends_it(takeover: Takeover, backend: Backend, store: Store) -> None:
    looked(takeover, 0, 31)
    store.beat = 1
    looked(takeover, 31, 61)
    assert backend.told == 1


def test_a_database_that_is_away_tells_of_nobody(takeover: Takeover, backend: Backend, store: Store) -> None:
    looked(takeover, 0, 29)
    store.away = True
    looked(takeover, 29, 35)
    store.away = False
    looked(takeover, 35, 65)
    assert backend.told == 0


def test_a_job_that_was_deleted_is_foreseen_by_nobody(
    takeover: Takeover, backend: Backend, store: Store
) -> None:
    store.gone = True
    looked(takeover, 0, 40)
    assert backend.told == 0


def test_a_backend_without_foresight_is_left_alone(store: Store) -> None:
    around = Surroundings(*cast("Any", (store, CONFIG, None, Quiet(), None)))
    takeover = Takeover("me", cast("Any", {"local": object()}), {}, Path("nowhere"), around)
    looked(takeover, 0, 59)
    assert store.asked == 1


def test_a_backend_that_cannot_get_ready_keeps_nobody_from_looking(
    takeover: Takeover, backend: Backend, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(backend, "expect_orphans", refuse)
    looked(takeover, 0, 40)
    assert store.asked == 1, "it was looked to the end"
