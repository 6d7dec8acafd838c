"""Stored candles as a chart needs them: no more of them than it has points for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from onward.server.authorisation import requires
from onward.server.dependencies import Repositories, State
from onward.server.responses import answer

__all__ = ["router"]

router = APIRouter(dependencies=[requires("read")])

LATEST_SECONDS = 7_258_118_400
"""The year 2200; what lies beyond is no moment of a candle."""

Moment = Annotated[int | None, Query(ge=0, le=LATEST_SECONDS)]


@router.get("/ui/series/candles")
async def candles(
    repositories: Repositories,
    state: State,
    symbol: Annotated[str, Query(min_length=1, max_length=100)],
    timeframe: Annotated[str, Query(min_length=1, max_length=20)],
    from_: Annotated[Moment, Query(alias="from", description="Unix seconds.")] = None,
    to: Annotated[Moment, Query(description="Unix seconds, exclusive.")] = None,
    points: Annotated[int, Query(ge=10, le=5000)] = 1500,
) -> Response:
    """Return candles of a stretch of time, several in one where there are more than points."""

    def look() -> dict[str, Any]:
        import pandas as pd

        from onward.dashboard.views.candles import buckets

        def moment(seconds: int | None) -> pd.Timestamp | None:
            return None if seconds is None else pd.Timestamp(datetime.fromtimestamp(seconds, UTC))

        stored = repositories.candles(timeframe)
        frame = stored.read(symbol, start=moment(from_), end=moment(to))
        return buckets(frame, bar_seconds=int(stored.timeframe.total_seconds()), points=points)

    return answer(
        await anyio.to_thread.run_sync(look, limiter=state.predicting), headers={"Cache-Control": "no-cache"}
    )
