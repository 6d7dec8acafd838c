"""Whether the server lives, whether traffic may come, and what it counted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from onward.errors import OnwardError, StorageError
from onward.server.dependencies import ANONYMOUS, PUBLIC, Caller, State, requires
from onward.server.responses import answer, refusals
from onward.server.state import ServerState

if TYPE_CHECKING:
    from onward.jobs.metrics import JobMetrics

__all__ = ["router"]

router = APIRouter(tags=["health"], responses=refusals())

READY_SECONDS = 2.0
"""How long the database may take to say that it is there: probes wait no longer."""
METRICS_SECONDS = 1.0
"""How long the database may take before it counts as away where metrics are read."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """How the server is."""

    status: str


@router.get("/health/live", response_model=Health, dependencies=[ANONYMOUS])
async def live() -> Response:
    """Say that the process answers, whatever became of its database."""
    return answer({"status": "alive"})


@router.get("/health/ready", response_model=Health, dependencies=[PUBLIC])
async def ready(state: State, caller: Caller) -> Response:
    """Say whether traffic may come: the database answers, and models were warmed up.

    What is amiss is told to those alone who may read.
    """
    try:
        await _look(state)
    except OnwardError as error:
        if caller.may("read"):
            raise
        raise StorageError("the server is not ready", remedy="Ask again in a moment.") from error
    return answer({"status": "ready"})


async def _look(state: ServerState) -> None:
    waiting = state.readiness.waiting()
    if waiting:
        raise StorageError(
            "the server is not ready",
            got="; ".join(f"{name}: {words}" for name, words in waiting.items()),
            remedy="Ask again in a moment.",
        )
    try:
        with anyio.fail_after(READY_SECONDS):
            await anyio.to_thread.run_sync(_ask, state, abandon_on_cancel=True)
    except TimeoutError as error:
        raise StorageError(
            "the server is not ready",
            got=f"the database did not answer within {READY_SECONDS:g} s",
            remedy="Ask again in a moment.",
        ) from error


def _ask(state: ServerState) -> None:
    state.provider.build("job_store").counts()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
    dependencies=[requires("read", enduring=True)],
)
async def metrics(request: Request, state: State) -> Response:  # noqa: ARG001
    """Return what this server counted, in Prometheus' text format.

    While the database is away, that is what is counted without it, for those who were let in before.
    """
    state.metrics.streams.set(state.hub.followers)
    state.metrics.models.set(len(state.shelf))
    answers = await _database_answers(state)
    state.metrics.database_up.set(answers)
    text = state.metrics.text()
    manager = state.provider.built("job_manager")
    if manager is None and answers:
        with suppress(OnwardError):  # it went away just now
            manager = await state.provider.get("job_manager")
    if manager is not None:
        text += await _of_jobs(manager.metrics, counted=answers)
    return Response(text, media_type=METRICS_TYPE)


async def _of_jobs(metrics: JobMetrics, *, counted: bool) -> bytes:
    """Return what is known of jobs; how many there are only if the database says so soon."""
    if counted:
        with suppress(TimeoutError), anyio.fail_after(METRICS_SECONDS):
            return await anyio.to_thread.run_sync(metrics.text, abandon_on_cancel=True)
    return metrics.text(counted=False)


async def _database_answers(state: ServerState) -> bool:
    """Ask the database for next to nothing."""
    try:
        with anyio.fail_after(METRICS_SECONDS):
            await anyio.to_thread.run_sync(_ask_briefly, state, abandon_on_cancel=True)
    except (OnwardError, TimeoutError):
        return False
    return True


def _ask_briefly(state: ServerState) -> None:
    state.provider.build("access").ever_a_key()
