"""Market data that clients send."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from onward.jobs.states import TERMINAL
from onward.server.bodies.data import UPLOAD, DryAnswer, UploadAnswer, UploadFields
from onward.server.dependencies import Config, Manager, State, Store, requires
from onward.server.responses import answer, refusals
from onward.server.routes.submissions import Key
from onward.server.uploads.desk import Uploads, sweeping
from onward.server.uploads.receiving import receive
from onward.server.views.jobs import job_view

__all__ = ["router"]

router = APIRouter(
    tags=["data"],
    dependencies=[requires("run", stream=True)],
    responses=refusals(409, 415),
    lifespan=sweeping,
)

WAIT_SECONDS = 30.0
LOOK_SECONDS = 0.1


@router.post(
    "/data/import",
    status_code=202,
    response_model=UploadAnswer,
    response_description="The job that stores the file; `Location` and `links` say where it is found.",
    responses={200: {"description": "What the file holds, with `dry_run`.", "model": DryAnswer}},
    openapi_extra=UPLOAD,
)
async def upload(
    request: Request,
    state: State,
    manager: Manager,
    store: Store,
    config: Config,
    uploads: Uploads,
    key: Key = None,
) -> Response:
    """Send a file of market data: it is read by a guarded process, then stored by a job of kind `import`.

    Whatever an import would be refused for is said before a job exists.
    """
    with uploads.staging.arriving(int(request.headers.get("content-length", "0"))) as arriving:
        fields = _fields(dict(await receive(request, arriving)))

        def look() -> dict[str, Any]:
            from onward.server.uploads.reading import read_guarded

            return read_guarded(
                arriving.path,
                {"symbol": fields.symbol, "timeframe": fields.timeframe, "format": fields.format},
                seconds=config.upload_seconds,
                memory_bytes=config.upload_memory_mb * 10**6,
                name=arriving.name,
            )

        read = await anyio.to_thread.run_sync(look, limiter=state.heavy)
        if fields.dry_run:
            return answer({"read": read})

        # The format that the child found: this process reads nothing of a file that a stranger sent.
        spec = {"symbol": fields.symbol, "timeframe": fields.timeframe, "format": read["format"]}

        submission = await anyio.to_thread.run_sync(
            uploads.submit,
            manager,
            arriving.path,
            partial(uploads.staging.place, arriving),
            spec,
            key,
            limiter=state.heavy,
        )
    uploads.sweeper.wake()
    job = submission.job
    ends = time.monotonic() + (WAIT_SECONDS if fields.wait else 0.0)
    while job.state not in TERMINAL and time.monotonic() < ends:
        await anyio.sleep(LOOK_SECONDS)
        job = await anyio.to_thread.run_sync(store.get, job.id)
    view = job_view(job, state.shown)
    content = {**view, "created": submission.created, "read": read}
    return answer(content, 202, headers={"Location": view["links"]["self"]})


def _fields(told: dict[str, str]) -> UploadFields:
    try:
        return UploadFields.model_validate(told)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(found) from error
