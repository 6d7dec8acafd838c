"""Stored market data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from onward.server.bodies.data import QualityAnswer, RemovalAnswer
from onward.server.dependencies import Book, Repositories, State, requires
from onward.server.removing import remover_of
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["data"], responses=refusals())

Kind = Literal["candles", "funding", "open_interest", "fear_greed"]
Symbol = Annotated[
    str,
    Path(
        description="A symbol as `GET /data/series` names it; `-` for a series that is for every symbol.",
        examples=["BTC/USDT", "-"],
        max_length=100,
    ),
]
EVERY = "-"


class SeriesAnswer(BaseModel):
    """What is stored: kind, symbol, timeframe, first and last bar, rows, gaps."""

    series: list[dict[str, Any]]


@router.get("/data/series", response_model=SeriesAnswer, dependencies=[requires("read")])
def series(book: Book) -> Response:
    """List what is stored, and how far it reaches."""
    return answer({"series": book.documents()})


@router.get(
    "/data/series/{kind}/{symbol:path}/quality",
    response_model=QualityAnswer,
    responses=refusals(404),
    dependencies=[requires("read")],
)
async def quality(
    kind: Kind,
    symbol: Symbol,
    repositories: Repositories,
    state: State,
    timeframe: Annotated[
        str | None, Query(description="Of the candles; every stored one when left out.", max_length=20)
    ] = None,
) -> Response:
    """Check what is stored: gaps, impossible prices, outliers, zero volume, NaN, stale values."""

    def look() -> dict[str, Any]:
        from onward.server.views.quality import quality_view

        return quality_view(repositories, kind, "" if symbol == EVERY else symbol, timeframe)

    return answer(await anyio.to_thread.run_sync(look, limiter=state.heavy))


@router.delete(
    "/data/series/{kind}/{symbol:path}",
    response_model=RemovalAnswer,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
async def remove(
    kind: Kind,
    symbol: Symbol,
    state: State,
    timeframe: Annotated[
        str | None,
        Query(description="Of candles; needed where the symbol has them in several.", max_length=20),
    ] = None,
    timerange: Annotated[
        str | None,
        Query(
            description="Only these rows: `20200101-20251231`, `20350101-`; UTC, end excluded.",
            examples=["20350101-"],
            max_length=40,
        ),
    ] = None,
    seen: Annotated[
        str | None,
        Query(description="`state` of a dry run: rows go only while it holds (409 else).", max_length=64),
    ] = None,
    dry_run: Annotated[bool, Query(description="Only say what would go.")] = False,
) -> Response:
    """Remove a stored series, or a time range of it, in one step; importing the file again brings it back."""
    part = {"timeframe": timeframe, "timerange": timerange}
    name = "" if symbol == EVERY else symbol

    def act() -> dict[str, Any]:
        remover = remover_of(state.provider)
        removal = (
            remover.look(kind, name, **part) if dry_run else remover.remove(kind, name, seen=seen, **part)
        )
        return removal.to_dict()

    return answer(await anyio.to_thread.run_sync(act, limiter=state.heavy))
