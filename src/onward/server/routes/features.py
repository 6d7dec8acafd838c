"""Which feature stages and plan presets there are."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from onward.server.dependencies import State, requires
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["features"], dependencies=[requires("read")], responses=refusals())


class StageView(BaseModel):
    """A stage that a plan may name in ``features.stages``."""

    name: str
    kind: Literal["causal", "fitted"]


class StagesAnswer(BaseModel):
    """Every stage that a plan may name."""

    stages: list[StageView]


class PresetsAnswer(BaseModel):
    """What each prepared plan sets, by dotted name."""

    presets: dict[str, dict[str, Any]]


@router.get("/features/stages", response_model=StagesAnswer)
def stages() -> Response:
    """List the stages that a plan may name."""
    from onward.features.catalog import FITTED, stage_kind, stage_names

    causal = [{"name": name, "kind": stage_kind(name)} for name in stage_names()]
    return answer({"stages": causal + [{"name": name, "kind": "fitted"} for name in FITTED]})


@router.get("/features/presets", response_model=PresetsAnswer)
def presets(state: State) -> Response:  # noqa: ARG001
    """List the prepared plans."""
    from onward.registry.plain import plain
    from onward.training.plan import PRESETS, preset_values

    return answer({"presets": {name: plain(preset_values(name)) for name in PRESETS}})
