"""Followers of events: nothing is passed over or told twice, and nobody holds a thread."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from onward.errors import JobNotFoundError, StorageError
from onward.jobs.values import JobEvent, JobRequest
from onward.server.events.hub import EventHub
from onward.server.events.stream import EventStream
from onward.server.shown import ShownPaths
from tests.unit.server.memory import MemoryJobStore


def make_hub(store: MemoryJobStore, **options: float) -> EventHub:
    async def get() -> MemoryJobStore:
        return store

    return EventHub(get, poll_seconds=0.005, **options)  # type: ignore[arg-type]


def make_job(store: MemoryJobStore) -> str:
    return store.submit(JobRequest("train", {})).job.id


async def gathered(hub: EventHub, job_id: str, after: int = 0) -> list[int]:
    return [event.seq async for event in hub.follow(job_id, after) if event is not None]


def test_many_followers_share_one_look() -> None:
    store = MemoryJobStore()
    job_id = make_job(store)

    async def scene() -> list[list[int]]:
        hub = make_hub(store)
        following = [asyncio.create_task(gathered(hub, job_id, after % 7)) for after in range(300)]
        for number in range(200):
            store.tell(job_id, "log", text=str(number))
            if number % 10 == 0:
                await asyncio.sleep(0.002)
        store.end(job_id)
        seen = await asyncio.wait_for(asyncio.gather(*following), 20)
        assert hub.followers == 0
        return seen

    before = threading.active_count()
    seen = asyncio.run(scene())
    assert threading.active_count() <= before + 5, "a thread for each follower"
    for after, numbers in enumerate(seen):
        assert numbers == list(range(after % 7 + 1, 203))
    assert store.looks < 300 * 20


def test_a_number_yet_to_come_spoils_nothing_for_others() -> None:
    store = MemoryJobStore()
    job_id = make_job(store)

    async def scene() -> tuple[list[int], list[int]]:
        hub = make_hub(store)
        odd = asyncio.create_task(gathered(hub, job_id, 10**9))
        await asyncio.sleep(0.02)
        usual = asyncio.create_task(gathered(hub, job_id))
        await asyncio.sleep(0.02)
        store.tell(job_id, "log", text="x")
        store.end(job_id)
        seen = await asyncio.wait_for(usual, 5)
        hub.close()
        return seen, await asyncio.wait_for(odd, 5)

    assert asyncio.run(scene()) == ([1, 2, 3], [])


def test_slow_followers_read_on_from_the_store() -> None:
    store = MemoryJobStore()
    job_id = make_job(store)
    for number in range(3000):
        store.tell(job_id, "log", text=str(number))

    async def scene() -> list[int]:
        hub = make_hub(store)
        quick = asyncio.create_task(gathered(hub, job_id))
        seen: list[int] = []
        async for event in hub.follow(job_id, 0):
            assert isinstance(event, JobEvent)
            seen.append(event.seq)
            if len(seen) == 5:
                for number in range(2000):
                    store.tell(job_id, "log", text=str(number))
                store.end(job_id)
                await asyncio.wait_for(quick, 10)
        return seen

    assert asyncio.run(scene()) == list(range(1, 5003))


def test_silence_is_broken_and_ends_are_ends() -> None:
    store = MemoryJobStore()
    job_id, doomed = make_job(store), make_job(store)

    async def scene() -> None:
        hub = make_hub(store, ping_seconds=0.02)
        following = hub.follow(job_id, 1)
        assert await asyncio.wait_for(anext(following), 5) is None
        await following.aclose()
        assert hub.followers == 0
        gone = asyncio.create_task(gathered(hub, doomed))
        await asyncio.sleep(0.02)
        del store.jobs[doomed]
        with pytest.raises(JobNotFoundError, match="deleted while it was followed"):
            await asyncio.wait_for(gone, 5)

    asyncio.run(scene())


def test_there_is_a_last_seat() -> None:
    store = MemoryJobStore()
    job_id = make_job(store)

    async def scene() -> None:
        hub = make_hub(store, max_followers=1)
        hub.admit()
        following = asyncio.create_task(gathered(hub, job_id))
        await asyncio.sleep(0.02)
        with pytest.raises(StorageError, match="no more clients"):
            hub.admit()
        hub.close()
        assert await asyncio.wait_for(following, 5) == [1]
        with pytest.raises(StorageError):
            hub.admit()

    asyncio.run(scene())


def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    class Moody(MemoryJobStore):
        away = False

        def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:  # type: ignore[override]
            if self.away:
                raise StorageError("the database is away")
            return list(super().events(job_id, after=after, limit=limit))

    store = Moody()
    job_id = make_job(store)

    async def scene() -> list[int]:
        hub = make_hub(store)
        following = asyncio.create_task(gathered(hub, job_id))
        await asyncio.sleep(0.02)
        store.away = True
        store.tell(job_id, "log", text="x")
        await asyncio.sleep(0.03)
        store.end(job_id)
        store.away = False
        return await asyncio.wait_for(following, 5)

    assert asyncio.run(scene()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("deleted", "ended", "told"),
    [
        (False, True, {"state": "cancelled", "reason": None}),
        (True, True, {"state": "cancelled", "reason": None}),
        (True, False, {"state": None, "reason": "deleted"}),
    ],
)
def test_the_last_frame_is_the_end_of_deleted_jobs_too(
    deleted: bool, ended: bool, told: dict[str, object]
) -> None:
    """Also of one whose last event was not told before it was deleted."""
    store = MemoryJobStore()
    job_id = make_job(store)
    sent: list[bytes] = []

    async def scene() -> None:
        hub = make_hub(store)

        async def receive() -> dict[str, object]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        stream = EventStream(hub, job_id, 0, ShownPaths.of(Path("/home"), ()))
        scope = {"type": "http", "method": "GET"}
        following = asyncio.create_task(stream(scope, receive, send))
        while not any(b"id: 1" in frame for frame in sent):
            await asyncio.sleep(0.002)
        if ended:
            store.end(job_id, "cancelled")
            if deleted:  # between two looks of the hub's
                hub._channels[job_id].add(store.events(job_id, after=1))
        if deleted:
            del store.jobs[job_id]
            if ended:
                hub._channels[job_id].end(gone=True)
        await asyncio.wait_for(following, 5)

    asyncio.run(scene())
    *_, end, nothing = sent
    assert nothing == b""
    assert end.startswith(b"event: end\ndata: ")
    assert json.loads(end.partition(b"data: ")[2]) == told
