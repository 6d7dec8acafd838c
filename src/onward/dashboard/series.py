"""Stored rows as a chart needs them: no more of them than it has points for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from onward.dashboard.stored import values_of
from onward.errors import SeriesError
from onward.server.authorisation import requires
from onward.server.dependencies import Repositories, State
from onward.server.responses import answer

__all__ = ["router"]

router = APIRouter(dependencies=[requires("read")])

LATEST_SECONDS = 7_258_118_400
"""The year 2200; what lies beyond is no moment of a candle."""

Side = Literal["funding", "open_interest", "fear_greed"]
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
    side: Annotated[list[Side], Query(max_length=3, description="Side series beside them.")] = [],  # noqa: B006
) -> Response:
    """Return candles of a stretch of time, several in one where there are more than points.

    Values of side series are those that were known when a candle closed.
    """

    def look() -> dict[str, Any]:
        import pandas as pd

        from onward.dashboard.views.candles import buckets

        def moment(seconds: int | None) -> pd.Timestamp | None:
            return None if seconds is None else pd.Timestamp(datetime.fromtimestamp(seconds, UTC))

        stored = repositories.candles(timeframe)
        frame = stored.read(symbol, start=moment(from_), end=moment(to))
        known = _known(repositories, symbol, timeframe, frame, side) if side and len(frame) else {}
        return buckets(
            frame.assign(**known),
            bar_seconds=int(stored.timeframe.total_seconds()),
            points=points,
            last_of=tuple(known),
        )

    return answer(
        await anyio.to_thread.run_sync(look, limiter=state.predicting), headers={"Cache-Control": "no-cache"}
    )


@router.get("/ui/series/values")
async def values(
    repositories: Repositories,
    state: State,
    kind: Side,
    symbol: Annotated[str, Query(max_length=100, description="Empty: the series of every symbol.")] = "",
) -> Response:
    """Return the values of a side series as a line that looks the same with fewer points."""
    told = await anyio.to_thread.run_sync(values_of, repositories, kind, symbol, limiter=state.predicting)
    return answer(told, headers={"Cache-Control": "no-cache"})


def _known(repositories: Any, symbol: str, timeframe: str, bars: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the values of side series that were known at the close of each bar, by series.

    NaN where a series is late by its own rhythm: a line that is drawn on after its end looks current.
    This is for charts alone: models go on with the last value, and their predictions say that it is late.
    """
    import numpy as np

    from onward.data.availability import as_of
    from onward.data.timeframe import TimeRange, parse_timeframe
    from onward.prediction.freshness import late_at
    from onward.types import to_ns

    times = bars["timestamp"]
    held = [name for name in dict.fromkeys(names) if name in repositories.series_beside(symbol)]
    stretch = TimeRange(times.iloc[0], times.iloc[-1] + parse_timeframe(timeframe))
    found: dict[str, Any] = {}
    for name in held:
        try:
            market = repositories.market((symbol,), timeframe=timeframe, timerange=stretch, series=(name,))
        except SeriesError:  # it begins later than these bars
            found[name] = np.full(len(bars), np.nan)
            continue
        if len(market) == len(bars):  # else somebody has just stored more
            # Of several values of a series the first is the one that a person means by its name.
            told = as_of(market, name).iloc[:, 0].to_numpy()
            known = np.unique(to_ns(market.series[name].frame["available_at"]))
            late = late_at(known, market.decision_time_ns, market.timeframe_ns)
            found[name] = np.where(late, np.nan, told)
    return found
