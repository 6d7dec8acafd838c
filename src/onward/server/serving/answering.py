"""One request for predictions, from its bars to its answer. Imports pandas: for threads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from onward.errors import OnwardError, UserError
from onward.prediction.freshness import bars_missed
from onward.server.serving.markets import sent_market, stored_market

if TYPE_CHECKING:
    from collections.abc import Callable

    from onward.data.repositories import DataStore
    from onward.prediction.loaded import LoadedModel
    from onward.server.bodies.predictions import PredictionBody
    from onward.server.serving.market_shelf import MarketShelf
    from onward.types import Market

__all__ = ["predicted"]

MOST_ROWS = 10_000


def predicted(
    model: LoadedModel,
    body: PredictionBody,
    *,
    store: Callable[[], DataStore],
    max_staleness_bars: int | None,
    now: pd.Timestamp,
    shelf: MarketShelf | None = None,
) -> dict[str, Any]:
    """Return what a model says about the bars of a request.

    Parameters
    ----------
    model
        As loaded.
    body
        The request.
    store
        Gives stored market data, when no bars were sent.
    max_staleness_bars
        Bars that may have closed since the newest one; None never refuses. Own bars without a
        moment are taken as of their newest close.
    now
        This moment, UTC.
    shelf
        Keeps stored markets between requests.

    Raises
    ------
    OnwardError
        When bars break a rule, are too few, stale, or not of the model's schema.
    """
    start = _moment(body.start)
    if body.bars is None:
        at = _moment(body.at) or now
        market = stored_market(model, store(), body.symbols, at=at, start=start, shelf=shelf)
        fresh = max_staleness_bars
    else:
        market = sent_market(model, body.bars, body.series)
        at = _moment(body.at) or market.decision_time.max()
        fresh = None if body.at is None else max_staleness_bars
        market = market.known_at(at)
    if start is None:
        prediction = model.latest(market, now=at, max_staleness_bars=fresh)
        frame, warnings = prediction.frame, list(prediction.warnings)
    else:
        _check_rows(market, start)
        warnings = model.cautions(market, start, now=at, max_staleness_bars=fresh)
        frame = model.predict(market, start=start)
    return {
        "model": model.version.ref,
        "as_of": at.isoformat(),
        "predictions": _rows(frame),
        "freshness": _freshness(market, at),
        "warnings": warnings,
    }


def _check_rows(market: Market, start: pd.Timestamp) -> None:
    n_rows = int((market.open_time >= start).sum())
    if n_rows > MOST_ROWS:
        raise UserError(
            "these are too many predictions for one answer",
            got=f"{n_rows:,} bars",
            allowed=f"{MOST_ROWS:,} bars",
            remedy="Begin later, or submit a job: onward jobs submit predict.",
        )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    symbols, opens = frame.index.get_level_values(0), frame.index.get_level_values(1)
    columns = zip(
        symbols,
        opens,
        frame["decision_time"],
        frame["down"].to_numpy(float).tolist(),
        frame["range"].to_numpy(float).tolist(),
        frame["up"].to_numpy(float).tolist(),
        frame["signal"],
        strict=True,
    )
    return [
        {
            "symbol": str(symbol),
            "open_time": opened.isoformat(),
            "decision_time": decided.isoformat(),
            "down": down,
            "range": range_,
            "up": up,
            "signal": int(signal),
        }
        for symbol, opened, decided, down, range_, up, signal in columns
    ]


def _freshness(market: Market, at: pd.Timestamp) -> dict[str, Any]:
    newest = [market.decision_time[rows.stop - 1] for rows in market.rows.values()]
    if not newest:
        raise OnwardError("a market without bars was predicted")
    return {
        "newest_decision_time": max(newest).isoformat(),
        "age_seconds": (at - max(newest)).total_seconds(),
        "bars_missed": bars_missed(market, at),
    }


def _moment(moment: datetime | None) -> pd.Timestamp | None:
    return None if moment is None else pd.Timestamp(moment).tz_convert("UTC").as_unit("ns")
