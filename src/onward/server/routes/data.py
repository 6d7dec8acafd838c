"""Stored market data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from onward.server.bodies.data import QualityAnswer
from onward.server.dependencies import Book, Repositories, State, requires
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["data"], dependencies=[requires("read")], responses=refusals())


class SeriesAnswer(BaseModel):
    """What is stored: kind, symbol, timeframe, first and last bar, rows, gaps."""

    series: list[dict[str, Any]]


@router.get("/data/series", response_model=SeriesAnswer)
def series(book: Book) -> Response:
    """List what is stored, and how far it reaches."""
    return answer({"series": book.documents()})


@router.get(
    "/data/series/{kind}/{symbol:path}/quality", response_model=QualityAnswer, responses=refusals(404)
)
async def quality(
    kind: Literal["candles", "funding", "open_interest", "fear_greed"],
    symbol: Annotated[
        str,
        Path(
            description="A symbol as `GET /data/series` names it; `-` for a series that is for every symbol.",
            examples=["BTC/USDT", "-"],
            max_length=100,
        ),
    ],
    repositories: Repositories,
    state: State,
    timeframe: Annotated[
        str | None, Query(description="Of the candles; every stored one when left out.", max_length=20)
    ] = None,
) -> Response:
    """Check what is stored: gaps, impossible prices, outliers, zero volume, NaN, stale values."""

    def look() -> dict[str, Any]:
        from onward.server.views.quality import quality_view

        return quality_view(repositories, kind, "" if symbol == "-" else symbol, timeframe)

    return answer(await anyio.to_thread.run_sync(look, limiter=state.heavy))
