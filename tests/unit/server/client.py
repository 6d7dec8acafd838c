"""A client of an application in this process, its lifespan included."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio.from_thread
import httpx
from fastapi import FastAPI

__all__ = ["Client"]


class Client:
    """Sends requests to an application, one after the other; answers are read whole."""

    def __init__(self, app: FastAPI, *, lifespan: bool = True, host: str = "localhost") -> None:
        self.app = app
        self._lifespan = lifespan
        self._host = host

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
            if self._lifespan:
                context = self.app.router.lifespan_context(self.app)
                stack.enter_context(self._portal.wrap_async_context_manager(context))
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            self._client = stack.enter_context(
                self._portal.wrap_async_context_manager(
                    httpx.AsyncClient(transport=transport, base_url=f"http://{self._host}")
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **arguments))

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def get_together(self, path: str, headers: Sequence[dict[str, str]]) -> list[int]:
        """Send one request a set of headers, all at once, and return the statuses."""

        async def all_of_them() -> list[int]:
            found = await asyncio.gather(*(self._client.get(path, headers=one) for one in headers))
            return [response.status_code for response in found]

        return self._portal.call(all_of_them)
