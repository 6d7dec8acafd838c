"""Stored market data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from onward.server.dependencies import Repositories, requires
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["data"], dependencies=[requires("read")], responses=refusals())


class SeriesAnswer(BaseModel):
    """What is stored: kind, symbol, timeframe, first and last bar, rows, gaps."""

    series: list[dict[str, Any]]


@router.get("/data/series", response_model=SeriesAnswer)
def series(repositories: Repositories) -> Response:
    """List what is stored, and how far it reaches."""
    from onward.registry.plain import plain

    return answer({"series": [plain(one.to_dict()) for one in repositories.coverage()]})
