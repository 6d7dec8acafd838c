"""Looking at jobs, stopping and deleting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import PlainTextResponse, Response

from onward.errors import JobStateError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, JobState
from onward.server.bodies.jobs import JobPage, JobResult, JobView, StopAnswer
from onward.server.dependencies import Manager, State, Store, requires
from onward.server.logs import log_text
from onward.server.quick import quick
from onward.server.responses import answer, refusals
from onward.server.state import ServerState, state_of
from onward.server.views.jobs import job_links, job_view
from onward.tasks.promised import is_promised, published

__all__ = ["router"]

router = APIRouter(tags=["jobs"], responses=refusals(404))

JobId = Annotated[str, Path(description="Id of a job; its beginning suffices when it is unique.")]


@router.get("/jobs", response_model=JobPage, dependencies=[requires("read")])
def find(
    store: Store,
    server: State,
    state: Annotated[list[JobState] | None, Query(description="Only jobs in these states.")] = None,
    kind: Annotated[list[str] | None, Query(description="Only jobs of these kinds.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(description="Of the page before.")] = None,
) -> Response:
    """List jobs, newest first."""
    page = store.find(states=state or None, kinds=kind or None, limit=limit, cursor=cursor)
    shown = server.shown
    jobs = [job_view(published(job, _runs(server)), shown) for job in page.jobs]
    return answer({"jobs": jobs, "cursor": page.cursor})


async def _plainly(request: Request) -> Response:
    """Show where a job stands: `show` without a query."""
    state = state_of(request)
    store: JobStore = await state.provider.get("job_store")
    return await _standing(state, await state.looks.get(store, request.path_params["job_id"]))


async def show(
    job_id: JobId,
    store: Store,
    state: State,
    spec: Annotated[bool, Query(description="What it was asked to do as well.")] = False,
) -> Response:
    """Show where a job stands."""
    if spec:
        return await _standing(state, await anyio.to_thread.run_sync(store.get, job_id), spec=True)
    return await _standing(state, await state.looks.get(store, job_id))


async def _standing(state: ServerState, job: Job, *, spec: bool = False) -> Response:
    if is_promised(job):
        job = await anyio.to_thread.run_sync(published, job, _runs(state))
    return answer(job_view(job, state.shown, spec=spec))


def _runs(state: ServerState) -> Callable[[], Any]:
    return lambda: state.provider.services.runs


router.add_api_route(
    "/jobs/{job_id}",
    show,
    methods=["GET"],
    response_model=JobView,
    dependencies=[requires("read")],
    route_class_override=quick(_plainly),  # whoever waits for a job asks again and again
)


@router.get(
    "/jobs/{job_id}/result",
    response_model=JobResult,
    responses=refusals(404, 409),
    dependencies=[requires("read")],
)
def result(job_id: JobId, store: Store, state: State) -> Response:
    """Return what a job came to; a conflict while it has not succeeded."""
    job = published(store.get(job_id), _runs(state))
    if job.state != "succeeded":
        ended = job.finished_at is not None
        what = "" if not job.error else f": {state.shown.text(str(job.error.get('what', '')))}"
        raise JobStateError(
            "the job has no result" if ended else "the job has not ended",
            got=f"{job.id} is {job.state}{f' ({job.reason})' if job.reason else ''}{what}",
            allowed="succeeded",
            remedy=f"POST {job_links(job.id)['retry']} tries it again." if ended else "Wait for it.",
        )
    told = state.shown.job({"result": job.result})
    return answer({"id": job.id, "state": job.state, **told})


@router.get(
    "/jobs/{job_id}/logs",
    response_class=PlainTextResponse,
    responses={200: {"description": "Lines of the log.", "content": {"text/plain": {}}}},
    dependencies=[requires("read")],
)
def logs(
    job_id: JobId,
    store: Store,
    state: State,
    attempt: Annotated[int | None, Query(ge=1, le=1_000_000, description="Else all attempts.")] = None,
    tail: Annotated[int, Query(ge=1, le=100_000, description="Newest lines, at most.")] = 1000,
) -> Response:
    """Return what the worker wrote; where its files are on another machine, what the database keeps."""
    job = store.get(job_id)
    directory = state.provider.services.home.jobs / job.id
    text = log_text(store, job.id, directory, attempt=attempt, tail=tail)
    return PlainTextResponse(state.shown.text(text))


@router.post(
    "/jobs/{job_id}/stop", status_code=202, response_model=StopAnswer, dependencies=[requires("run")]
)
def stop(job_id: JobId, manager: Manager, state: State) -> Response:
    """Ask for a stop, wherever the job runs; it is over when the state says ``cancelled``."""
    reply = manager.request_stop(job_id)
    return answer({**job_view(reply.job, state.shown), "accepted": reply.accepted}, 202)


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    response_class=Response,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
def delete(job_id: JobId, manager: Manager) -> Response:
    """Forget an ended job and its files; what it published stays."""
    manager.delete(job_id)
    return Response(status_code=204)
