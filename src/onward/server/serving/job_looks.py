"""Looking at jobs for many requests at once: whoever asks while somebody looks shares the next look."""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeAlias

import anyio.to_thread

from onward.jobs.protocol import JobStore
from onward.jobs.values import Job

__all__ = ["JobLooks"]

SLOW_SECONDS = 0.1
"""Time after which a look counts as stuck, and another may begin beside it."""
AT_ONCE = 4

_Key: TypeAlias = tuple[JobStore, str]


class JobLooks:
    """Reads jobs as they stand, in one thread and one query for all who wait.

    Under load most of a small read is the way into a thread and back and the transaction around
    it. Every read begins after the request came, so an answer is never older than its question;
    nothing is kept. For one event loop.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[_Key, asyncio.Future[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: list[float] = []
        self._starting = False

    async def get(self, store: JobStore, job_id: str) -> Job:
        """Return a job without its ``spec``; the beginning of an id suffices when it is unique.

        Raises
        ------
        OnwardError
            As of `JobStore.get`.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin_anew(loop)
        future = self._waiting.get((store, job_id))
        if future is None:
            future = self._waiting[store, job_id] = loop.create_future()
            future.add_done_callback(_seen)
        if not self._starting and self._may_look():
            self._starting = True
            task = loop.create_task(self._look())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # A client that vanishes must not take the answer from the others.
        return await asyncio.shield(future)

    def _begin_anew(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget what a loop that has ended left behind."""
        self._loop, self._starting = loop, False
        self._waiting, self._tasks, self._under_way = {}, set(), []

    def _may_look(self) -> bool:
        if not self._under_way:
            return True
        stuck = time.monotonic() - max(self._under_way) > SLOW_SECONDS
        return stuck and len(self._under_way) < AT_ONCE

    async def _look(self) -> None:
        """Look until nobody waits."""
        self._starting = False
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            began = time.monotonic()
            self._under_way.append(began)
            try:
                found = await anyio.to_thread.run_sync(_looked, list(asked))
            except BaseException:
                for future in asked.values():
                    future.cancel()
                raise
            finally:
                self._under_way.remove(began)
            for key, future in asked.items():
                told = found[key]
                if isinstance(told, Exception):
                    future.set_exception(told)
                else:
                    future.set_result(told)


def _looked(asked: list[_Key]) -> dict[_Key, Job | Exception]:
    found: dict[_Key, Job | Exception] = {}
    by_store: dict[JobStore, list[str]] = {}
    for store, job_id in asked:
        by_store.setdefault(store, []).append(job_id)
    for store, ids in by_store.items():
        glances = getattr(store, "glances", None)
        if glances is not None:
            try:
                found |= {(store, job_id): job for job_id, job in glances(ids).items()}
            except Exception as error:
                found |= {(store, job_id): error for job_id in ids}
        for job_id in ids:
            if (store, job_id) not in found:
                try:
                    found[store, job_id] = store.get(job_id)
                except Exception as error:
                    found[store, job_id] = error
    return found


def _seen(future: asyncio.Future[Any]) -> None:
    """Keep asyncio from complaining about an error whose only reader has left."""
    if not future.cancelled():
        future.exception()
