"""Followers of events: one look at the database serves everybody, and nobody holds a thread.

Every job that somebody follows has a channel. One task asks the store, job by job, what came after
the newest event it knows; followers sleep until it brings something. A follower who is behind
(who begins, or who was slow) reads from the store until the channel reaches back to him. So no
event is passed over or told twice, however slow or fast a client is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

import anyio.to_thread

from onward.errors import JobNotFoundError, OnwardError, StorageError, StorageRefusedError
from onward.jobs.protocol import JobStore
from onward.jobs.values import JobEvent
from onward.server.events.channel import Channel, is_last

__all__ = ["EventHub"]

_log = logging.getLogger(__name__)

PAGE = 500


class EventHub:
    """Followers of the events of one store, on one event loop.

    Parameters
    ----------
    store
        Gives the store; asked when somebody follows.
    poll_seconds
        Time between two looks at the store.
    ping_seconds
        Time of silence after which a follower is given None, to show that he is still served.
    max_followers
        Followers at the same time.
    """

    def __init__(
        self,
        store: Callable[[], Awaitable[JobStore]],
        *,
        poll_seconds: float = 0.25,
        ping_seconds: float = 15.0,
        max_followers: int = 1000,
    ) -> None:
        self._store = store
        self._poll_seconds = poll_seconds
        self._ping_seconds = ping_seconds
        self._max_followers = max_followers
        self._channels: dict[str, Channel] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        self._failing = False

    @property
    def followers(self) -> int:
        """How many follow now."""
        return sum(channel.followers for channel in self._channels.values())

    def admit(self) -> None:
        """Refuse one follower too many.

        Raises
        ------
        StorageError
            When there are as many as there may be, or the server is ending.
        """
        if self._closed or self.followers >= self._max_followers:
            raise StorageError(
                "no more clients can follow events now",
                got=f"{self.followers} followers",
                allowed=f"{self._max_followers} (server.max_event_streams)",
                remedy="Try again later, or poll with ?after=.",
            )

    async def follow(self, job_id: str, after: int) -> AsyncGenerator[JobEvent | None, None]:
        """Give events of a job after a number, in order, until it has ended.

        None after `ping_seconds` of silence. Ends also when the hub is closed.

        Raises
        ------
        JobNotFoundError
            When the job is deleted.
        """
        channel = self._channels.setdefault(job_id, Channel(after))
        channel.followers += 1
        channel.begin(after)
        self._look()
        seq = after
        try:
            while not channel.ended:
                news = channel.news
                events = channel.after(seq)
                if events is None:
                    events = await self._read(job_id, seq)
                for event in events:
                    seq = event.seq
                    yield event
                    if is_last(event):
                        return
                if not events:
                    try:
                        await asyncio.wait_for(news.wait(), self._ping_seconds)
                    except TimeoutError:
                        yield None
            if channel.gone:
                for event in channel.after(seq) or ():  # what was heard of it before
                    yield event
                    if is_last(event):
                        return
                raise JobNotFoundError(
                    "the job was deleted while it was followed",
                    got=job_id,
                    remedy="Follow another one: GET /api/v1/jobs lists them.",
                )
        finally:
            channel.followers -= 1
            if not channel.followers:
                self._channels.pop(job_id, None)

    def close(self) -> None:
        """Let every follower leave, and take no more."""
        self._closed = True
        for channel in self._channels.values():
            channel.end()
        if self._poller is not None:
            self._poller.cancel()

    async def _read(self, job_id: str, after: int) -> Sequence[JobEvent]:
        store = await self._store()
        while True:
            try:
                return await anyio.to_thread.run_sync(lambda: store.events(job_id, after=after, limit=PAGE))
            except StorageRefusedError:
                raise
            except StorageError as error:  # away for a minute: whoever follows waits
                self._fails(error)
                await asyncio.sleep(self._poll_seconds)

    def _fails(self, error: OnwardError) -> None:
        """Say once, not at every look, that the store is away."""
        if not self._failing:
            _log.warning("events cannot be read: %s", error)
        self._failing = True

    def _look(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="job-events")

    async def _poll(self) -> None:
        while self._channels and not self._closed:
            await asyncio.sleep(self._poll_seconds)
            wanted = {job_id: channel.newest for job_id, channel in self._channels.items()}
            try:
                store = await self._store()
                found = await anyio.to_thread.run_sync(_news_of, store, wanted)
            except OnwardError as error:
                self._fails(error)
                continue
            self._failing = False
            for job_id, events in found.items():
                channel = self._channels.get(job_id)
                if channel is None:
                    continue
                if events is None:
                    channel.end(gone=True)
                else:
                    channel.add(events)


def _news_of(store: JobStore, wanted: Mapping[str, int]) -> dict[str, Sequence[JobEvent] | None]:
    """Return what came after the known events of each job; None for a job that is gone."""
    found: dict[str, Sequence[JobEvent] | None] = {}
    for job_id, newest in wanted.items():
        try:
            found[job_id] = store.events(job_id, after=newest, limit=PAGE)
        except JobNotFoundError:
            found[job_id] = None
    return found
