"""Taking jobs in. Everything that can be refused is refused before a job exists."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Path
from starlette.responses import Response

from onward.server.bodies.jobs import (
    FeatureJob,
    ImportJob,
    JobBody,
    JobView,
    RetryJob,
    TrainingJob,
    TuningJob,
)
from onward.server.dependencies import Caller, Config, Files, Manager, State, Store, require, requires
from onward.server.ownership import refuse_own_code
from onward.server.paths import output_name
from onward.server.responses import answer, refusals
from onward.server.state import ServerState
from onward.server.views.jobs import job_view

__all__ = ["router"]

router = APIRouter(tags=["jobs"], dependencies=[requires("run")], responses=refusals(404, 409))

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key with the same request is the same job, however often it is sent.",
        examples=["nightly-2026-11-22"],
    ),
]
JobId = Annotated[str, Path(description="Id of a job; its beginning suffices when it is unique.")]
ACCEPTED: dict[str, Any] = {
    "status_code": 202,
    "response_model": JobView,
    "response_description": "The job; `Location` and `links` say where it is found.",
}


@router.post("/training-jobs", **ACCEPTED)
async def train(
    body: TrainingJob,
    state: State,
    manager: Manager,
    config: Config,
    files: Files,
    caller: Caller,
    key: Key = None,
) -> Response:
    """Train, judge, audit and publish a model; to give it an alias needs the scope `admin`."""
    spec = _training(body, config.own_code, files, caller)
    return await _submit(state, manager, "train", body, spec, key)


@router.post("/tuning-jobs", **ACCEPTED)
async def tune(
    body: TuningJob,
    state: State,
    manager: Manager,
    config: Config,
    files: Files,
    caller: Caller,
    key: Key = None,
) -> Response:
    """Search parameters, nested, and train with the best; an alias needs the scope `admin`."""
    spec = _training(body, config.own_code, files, caller)
    return await _submit(state, manager, "tune", body, spec, key)


@router.post("/feature-jobs", **ACCEPTED)
async def features(
    body: FeatureJob, state: State, manager: Manager, config: Config, files: Files, key: Key = None
) -> Response:
    """Compute the features of every bar into a file."""
    refuse_own_code(body.plan, allowed=config.own_code)
    spec = {**_market(body.spec(), files), "out": output_name(body.out)}
    return await _submit(state, manager, "features", body, spec, key)


@router.post("/import-jobs", **ACCEPTED)
async def import_(body: ImportJob, state: State, manager: Manager, files: Files, key: Key = None) -> Response:
    """Import files of market data."""
    spec = {**body.spec(), "files": [files.path(file) for file in body.files]}
    return await _submit(state, manager, "import", body, spec, key)


@router.post("/jobs/{job_id}/retry", **ACCEPTED)
def retry(
    job_id: JobId,
    manager: Manager,
    store: Store,
    state: State,
    caller: Caller,
    body: RetryJob | None = None,
    key: Key = None,
) -> Response:
    """Submit the request of an ended job again, as a new job; an alias needs the scope `admin` again."""
    _refuse_alias(store.get(job_id).request.spec.get("alias"), caller)
    again = manager.retry(job_id, idempotency_key=key, **({} if body is None else body.model_dump()))
    return _accepted(state, again)


async def _submit(
    state: ServerState,
    manager: Any,
    kind: str,
    body: JobBody,
    spec: dict[str, Any],
    key: str | None,
) -> Response:
    def submit() -> Any:
        return manager.submit(kind, spec, idempotency_key=key, **body.conditions())

    # Checks of a plan against its market import training libraries and read files.
    return _accepted(state, await anyio.to_thread.run_sync(submit, limiter=state.heavy))


def _accepted(state: ServerState, submission: Any) -> Response:
    view = job_view(submission.job, state.shown)
    return answer({**view, "created": submission.created}, 202, headers={"Location": view["links"]["self"]})


def _training(body: TrainingJob, own_code: bool, files: Files, caller: Caller) -> dict[str, Any]:
    refuse_own_code(body.plan, allowed=own_code)
    _refuse_alias(body.alias, caller)
    report = output_name(body.report)
    return {**_market(body.spec(), files), "report": report, "actor": caller.acting_as(body.actor)}


def _refuse_alias(alias: str | None, caller: Caller) -> None:
    """Whoever may not move an alias may not let a job do it."""
    if alias is not None:
        require(caller, "admin", what="to give an alias")


def _market(spec: dict[str, Any], files: Files) -> dict[str, Any]:
    data = spec["data"]
    return {
        **spec,
        "data": None if data is None else files.path(data),
        "series": files.paths(spec["series"]),
    }
