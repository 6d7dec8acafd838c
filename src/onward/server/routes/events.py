"""Events of a job: as a page, or as a stream of server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from onward.errors import UserError
from onward.jobs.states import TERMINAL
from onward.server.bodies.jobs import EventPage
from onward.server.dependencies import Hub, State, Store, requires
from onward.server.events.stream import EVENT_STREAM, EventStream
from onward.server.responses import answer, refusals
from onward.server.views.jobs import event_view

__all__ = ["router"]

router = APIRouter(tags=["jobs"], dependencies=[requires("read")], responses=refusals(404))

LARGEST_NUMBER = 2**31 - 1

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page as JSON; with `Accept: text/event-stream` a stream that ends with the job, "
        "its frames numbered by `id`, the last one of kind `end` (of a deleted job with a null `state`).",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    },
    204: {"description": "A client that comes back with `Last-Event-ID` has seen everything."},
}


@router.get("/jobs/{job_id}/events", response_model=EventPage, responses=STREAMED)
async def events(
    job_id: Annotated[str, Path(description="Id of a job; its beginning suffices when it is unique.")],
    store: Store,
    hub: Hub,
    state: State,
    after: Annotated[int, Query(ge=0, le=LARGEST_NUMBER, description="Number of the last one seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Of a page.")] = 500,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[
        str | None, Header(description="Number of the last event seen; a browser sends it by itself.")
    ] = None,
) -> Response:
    """Return what happened to a job after a number."""
    job = await anyio.to_thread.run_sync(store.get, job_id)
    after = after if last_event_id is None else _number(last_event_id)
    if EVENT_STREAM in (accept or ""):
        if job.state in TERMINAL and not await anyio.to_thread.run_sync(
            lambda: store.events(job.id, after=after, limit=1)
        ):
            return Response(status_code=204)  # which tells an EventSource not to come back
        hub.admit()
        return EventStream(hub, job.id, after, state.shown)
    found = await anyio.to_thread.run_sync(lambda: store.events(job.id, after=after, limit=limit))
    newest = found[-1].seq if found else after
    # The job was read first: ended, and a page that is not full, means that nothing is left.
    ended = job.state in TERMINAL and len(found) < limit
    told = [event_view(event, state.shown) for event in found]
    return answer({"events": told, "after": newest, "ended": ended})


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return min(int(text), LARGEST_NUMBER)
    raise UserError(
        "Last-Event-ID is not the number of an event", got=ascii(text)[:50], allowed="0, 1, 2 ..."
    )
