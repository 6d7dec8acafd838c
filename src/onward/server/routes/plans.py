"""Plans: what would run, what it costs, what would be refused."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from starlette.responses import Response

from onward.server.bodies.plans import PlanAnswer, PlanBody
from onward.server.dependencies import Config, Files, Repositories, State, Training, requires
from onward.server.ownership import refuse_own_code
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["plans"], dependencies=[requires("run")], responses=refusals())


@router.post("/plans/validate", response_model=PlanAnswer)
async def validate(
    body: PlanBody,
    state: State,
    config: Config,
    files: Files,
    repositories: Repositories,
    training: Training,
) -> Response:
    """Check a plan against a market; nothing is written or computed."""
    refuse_own_code(body.plan, allowed=config.own_code)
    source = {
        "data": None if body.data is None else files.path(body.data),
        "series": files.paths(body.series),
    }

    def look() -> dict[str, Any]:
        from onward.server.views.plans import plan_view

        return plan_view(
            body.plan,
            source,
            settings=state.provider.services.settings,
            repositories=repositories,
            training=training,
            columns=body.columns,
        )

    return answer(await anyio.to_thread.run_sync(look, limiter=state.heavy))
