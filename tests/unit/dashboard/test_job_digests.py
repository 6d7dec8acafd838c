"""What is read of a job's events: all of a few, of very many those that a page shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onward.dashboard.digests import FEW, Digests
from onward.dashboard.views.job_events import KEPT_LINES, Digest, digested
from onward.database import open_database
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobEvent, JobRequest, Lease, WorkerIdentity

MANY = 3 * FEW


class Watched(SqlJobStore):
    """Notes what is read."""

    read = 0

    def events(self, *given: Any, **named: Any) -> Any:
        found = super().events(*given, **named)
        self.read += len(found)
        return found


@pytest.fixture
def store(sqlite_template: Path, tmp_path: Path) -> Iterator[Watched]:
    shutil.copy(sqlite_template, tmp_path / "jobs.db")
    engine = open_database(f"sqlite:///{tmp_path / 'jobs.db'}")
    yield Watched(engine)
    engine.dispose()


def begun(store: SqlJobStore) -> Lease:
    store.submit(JobRequest("tune", {}))
    (job,) = store.claim("me", limit=1)
    lease = Lease(job.id, "me", job.attempt, job.beat)
    assert store.started(lease, WorkerIdentity("here", "boot", 1, 1, 1))
    return lease


def night() -> list[tuple[str, dict[str, Any]]]:
    """Return what a search tells that says how far it is all the time, and little else."""
    told: list[tuple[str, dict[str, Any]]] = []
    for search in ("fold 1 of 2", "fold 2 of 2"):
        told.append(("stage", {"stage": "search"}))
        for n in range(MANY // 2):
            told.append(("progress", {"stage": "search", "fraction": n / MANY, "message": search}))
            told += [("log", {"text": f"{search}: {n}"})] * (n % 4 == 0)
        values = {"trial": 0, "inner auc": 0.6, "best inner auc": 0.6}
        told.append(("score", {"stage": "search", "message": search, "values": values}))
        told.append(("stage", {"stage": "fold"}))
        told.append(("progress", {"stage": "fold", "fraction": None, "message": ""}))
    return told


def whole(store: SqlJobStore, job_id: str) -> Digest:
    return digested(Digest(), store.events(job_id, limit=10_000))


def test_of_a_long_night_little_is_read_and_all_of_it_is_known(store: Watched) -> None:
    lease = begun(store)
    store.report(lease, night())
    digest, read = Digests().of(store, lease.job_id), store.read
    assert digest == whole(store, lease.job_id)
    assert len(store.events(lease.job_id, limit=10_000)) > 2 * FEW + KEPT_LINES
    assert read < FEW + KEPT_LINES + 20
    assert [one.name for one in digest.stages] == ["search", "fold"]
    assert [one.search for one in digest.trials] == ["fold 1 of 2", "fold 2 of 2"]


def test_a_second_look_after_hours_adds_what_came_meanwhile(store: Watched) -> None:
    lease, digests = begun(store), Digests()
    told = night()
    for part in (told[: len(told) // 3], told[len(told) // 3 :], [("log", {"text": "last"})]):
        store.report(lease, part)
        assert digests.of(store, lease.job_id) == whole(store, lease.job_id)


def test_what_comes_between_the_looks_is_left_to_the_stream(store: Watched) -> None:
    lease = begun(store)
    store.report(lease, night())

    class Talking(SqlJobStore):
        def events(self, *given: Any, **named: Any) -> Any:
            if named.get("kinds") is not None:
                store.report(lease, [("log", {"text": "meanwhile"}), ("score", {"stage": "x", "values": {}})])
            return super().events(*given, **named)

    before = whole(store, lease.job_id)
    assert Digests().of(Talking(store._engine), lease.job_id) == before


def test_an_unknown_last_kind_is_counted_in(store: Watched) -> None:
    lease = begun(store)
    store.report(lease, [*night(), ("of a later version", {})])
    digest = Digests().of(store, lease.job_id)
    assert digest.seq == store.events(lease.job_id, limit=1, newest=True)[0].seq


def test_events_of_some_other_job_are_not_seen(store: Watched) -> None:
    first, second = begun(store), begun(store)
    store.report(first, night())
    found: list[JobEvent] = list(store.events(second.job_id))
    assert Digests().of(store, second.job_id) == digested(Digest(), found)
