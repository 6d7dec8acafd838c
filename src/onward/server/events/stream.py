"""Server-sent events as a response that ends with its client."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from onward.errors import JobNotFoundError, OnwardError, UnauthenticatedError
from onward.server.authorisation import STILL
from onward.server.events.channel import is_last
from onward.server.events.hub import EventHub
from onward.server.shown import ShownPaths
from onward.server.views.jobs import event_frame

__all__ = ["EVENT_STREAM", "EventStream"]

EVENT_STREAM = "text/event-stream"
RETRY_MILLISECONDS = 2000
LOOK_AGAIN_SECONDS = 2.0
"""How often it is looked whether the key that opened a stream still counts."""


class EventStream(Response):
    """Events of a job after a number, one frame each, until the job has ended or is deleted.

    The last frame is of kind ``end`` and carries no id; of a deleted job its state is null. A client
    that comes back sends the id of the last frame it saw as ``Last-Event-ID``. A client that vanishes is
    noticed at once and not only by the next event. One whose key or session has ended meanwhile is cut
    off within seconds.

    Parameters
    ----------
    hub
        Whom to follow with.
    job_id, after
        What to follow, and from where.
    shown
        Says paths.
    """

    media_type = EVENT_STREAM

    def __init__(self, hub: EventHub, job_id: str, after: int, shown: ShownPaths) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._job_id, self._after, self._shown = hub, job_id, after, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the job has ended or the client has left."""
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return

        async def leave_with_client(whole: anyio.CancelScope) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            whole.cancel()

        async def leave_with_key(whole: anyio.CancelScope) -> None:
            still = scope.get(STILL)
            while still is not None:
                await anyio.sleep(LOOK_AGAIN_SECONDS)
                try:
                    await still()
                except UnauthenticatedError:
                    whole.cancel()
                    return
                except OnwardError:  # a database that is away has not revoked anything
                    continue

        async with anyio.create_task_group() as group:
            group.start_soon(leave_with_client, group.cancel_scope)
            group.start_soon(leave_with_key, group.cancel_scope)
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            async with aclosing(self._frames()) as frames:
                async for frame in frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        try:
            async with aclosing(self._hub.follow(self._job_id, self._after)) as events:
                async for event in events:
                    if event is None:
                        yield b": still here\n\n"
                    else:
                        yield event_frame(event, self._shown)
                        if is_last(event):
                            yield _end(event.payload.get("state"), event.payload.get("reason"))
        except JobNotFoundError:
            yield _end(None, "deleted")


def _end(state: object, reason: object) -> bytes:
    data = json.dumps({"state": state, "reason": reason})
    return f"event: end\ndata: {data}\n\n".encode()
