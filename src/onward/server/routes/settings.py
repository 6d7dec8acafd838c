"""Settings as they count, secrets masked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from onward.server.dependencies import State, requires
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["settings"], dependencies=[requires("read")], responses=refusals())


class SettingsAnswer(BaseModel):
    """Settings by dotted name, each with ``value`` and ``from``; the home, and the files that were read."""

    home: str
    files: list[str]
    settings: dict[str, dict[str, Any]]


@router.get("/settings", response_model=SettingsAnswer)
def settings(
    state: State,
    changed: Annotated[bool, Query(description="Only what is not a default.")] = False,
) -> Response:
    """Return the settings that count, where each came from, secrets masked."""
    resolved = state.provider.services.resolved
    shown = {
        row.name: {"value": row.value, "from": str(row.origin)}
        for row in resolved.rows()
        if not (changed and row.origin.source == "default")
    }
    return answer(
        {"home": str(resolved.home.root), "files": [str(file) for file in resolved.files], "settings": shown}
    )
