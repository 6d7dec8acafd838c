"""Looks at jobs that are shared: few reads, and none older than the question."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.database import open_database
from onward.errors import JobNotFoundError, OnwardError, StorageError
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, JobRequest
from onward.server.serving.job_looks import JobLooks
from tests.unit.server.memory import MemoryJobStore


class Watched(MemoryJobStore):
    """Counts reads, and can be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()
        self.job_id = self.submit(JobRequest(kind="train", spec={})).job.id

    def get(self, job_id: str) -> Job:
        self.reads += 1
        job = super().get(job_id)
        assert self.gate.wait(10)
        return job


def test_who_asks_at_the_same_time_shares_a_look() -> None:
    store: Any = Watched()

    async def scene() -> None:
        looks = JobLooks()
        jobs = await asyncio.gather(*(looks.get(store, store.job_id) for _ in range(100)))
        assert {job.id for job in jobs} == {store.job_id}

    asyncio.run(scene())
    assert store.reads == 1


def test_an_answer_is_never_older_than_its_question() -> None:
    store: Any = Watched()

    async def scene() -> None:
        looks = JobLooks()
        store.gate.clear()  # the first look has read, and is still on its way back
        early = asyncio.create_task(looks.get(store, store.job_id))
        while not store.reads:
            await asyncio.sleep(0.001)
        store.jobs[store.job_id] = replace(store.jobs[store.job_id], attempt=7)
        late = asyncio.create_task(looks.get(store, store.job_id))
        await asyncio.sleep(0.01)
        store.gate.set()
        assert (await early).attempt == 0
        assert (await late).attempt == 7

    asyncio.run(scene())
    assert store.reads == 2


def test_errors_go_to_those_whose_they_are() -> None:
    store: Any = Watched()

    async def scene() -> None:
        looks = JobLooks()
        found = await asyncio.gather(
            looks.get(store, "none"), looks.get(store, store.job_id), return_exceptions=True
        )
        assert isinstance(found[0], JobNotFoundError)
        assert isinstance(found[1], Job)

    asyncio.run(scene())


def test_a_client_that_vanishes_takes_nothing_from_the_others() -> None:
    store: Any = Watched()

    async def scene() -> None:
        looks = JobLooks()
        store.gate.clear()
        gone, stays = (asyncio.create_task(looks.get(store, store.job_id)) for _ in range(2))
        await asyncio.sleep(0.01)
        gone.cancel()
        store.gate.set()
        assert (await stays).id == store.job_id
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(scene())


def test_a_look_that_is_stuck_does_not_hold_up_the_next_one() -> None:
    stuck: Any = Watched()
    store: Any = Watched()

    async def scene() -> None:
        looks = JobLooks()
        stuck.gate.clear()
        waits = asyncio.create_task(looks.get(stuck, stuck.job_id))
        await asyncio.sleep(0.15)
        began = time.monotonic()
        assert (await asyncio.wait_for(looks.get(store, store.job_id), 5)).id == store.job_id
        assert time.monotonic() - began < 5
        assert not waits.done()
        stuck.gate.set()
        await waits

    asyncio.run(scene())


def test_another_event_loop_begins_anew() -> None:
    store: Any = Watched()
    looks = JobLooks()
    for _ in range(2):
        assert asyncio.run(looks.get(store, store.job_id)).id == store.job_id


def test_the_database_is_asked_once_for_all_and_says_the_same(database: Engine) -> None:
    store = SqlJobStore(database)
    ids = [store.submit(JobRequest(kind="train", spec={"n": n})).job.id for n in range(5)]
    asked = [*ids, ids[0][:9], "0000000000000000", "no such", "\x00"]

    async def scene() -> list[Any]:
        looks = JobLooks()
        return await asyncio.gather(*(looks.get(store, one) for one in asked), return_exceptions=True)

    found = asyncio.run(scene())
    for one, job in zip([*ids, ids[0]], found, strict=False):
        whole = store.get(one)
        assert job.request.spec in ({}, whole.request.spec)
        assert replace(job, request=whole.request) == whole
    assert all(isinstance(error, OnwardError) for error in found[6:])


def test_a_database_that_is_away_is_told_to_all(tmp_path: Any) -> None:
    store = SqlJobStore(open_database(f"sqlite:///{tmp_path}/none/../none/x.db"))

    async def scene() -> list[Any]:
        looks = JobLooks()
        return await asyncio.gather(*(looks.get(store, f"{n:016}") for n in range(3)), return_exceptions=True)

    assert all(isinstance(error, StorageError) for error in asyncio.run(scene()))
