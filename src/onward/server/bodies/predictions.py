"""Bars to predict, and what a model says about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from onward.server.bodies.base import Answer, Body, Number, Part, Whole
from onward.server.bodies.jobs import Moment

__all__ = ["Bars", "PredictionAnswer", "PredictionBody", "PredictionRow"]

Millisecond = Annotated[Whole, Field(ge=0, le=7_258_118_400_000)]
Price = Annotated[Number, Field(gt=0, le=1e15)]
Row = tuple[Millisecond, Price, Price, Price, Price, Annotated[Number, Field(ge=0, le=1e18)] | None]

EXAMPLE: dict[str, Any] = {
    "bars": [
        {
            "symbol": "BTC/USDT",
            "rows": [
                [1767225600000, 88000.0, 88420.5, 87910.0, 88300.0, 412.5],
                [1767229200000, 88300.0, 88350.0, 88010.0, 88100.0, 288.1],
            ],
        }
    ]
}


class Bars(Part):
    """Closed bars of one symbol, in order of time."""

    symbol: str = Field(min_length=1, max_length=100)
    rows: list[Row] = Field(
        min_length=1,
        max_length=100_000,
        description="[open time in Unix milliseconds UTC, open, high, low, close, volume], as exchanges and "
        "ccxt give them.",
    )


class PredictionBody(Body):
    """Bars of the client's own, or symbols whose bars are stored; one or several."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE, {"symbols": ["BTC/USDT"]}]})

    bars: list[Bars] | None = Field(None, min_length=1, max_length=500)
    series: dict[str, list[dict[str, float | str | None]]] = Field(
        default_factory=dict,
        description="Side series beside own bars, by name: rows with `timestamp` (Unix milliseconds UTC), "
        "values, and for series of your own `available_at`.",
    )
    symbols: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        None, min_length=1, max_length=500, description="Stored symbols; else those of training."
    )
    at: Moment | None = Field(
        None,
        description="Moment as of which to predict. Left out: now for stored bars; for own bars the close of "
        "the newest one.",
    )
    start: Moment | None = Field(
        None, description="Batch form: every bar that opens from here on, not only the newest one."
    )

    @model_validator(mode="after")
    def _one_source(self) -> PredictionBody:
        if self.bars is not None and self.symbols is not None:
            raise ValueError("names both bars and symbols: give one of them")
        if self.bars is None and self.series:
            raise ValueError("names series without bars: stored bars have stored series beside them")
        return self


class PredictionRow(Answer):
    """What the model says about one bar."""

    symbol: str
    open_time: datetime
    decision_time: datetime
    down: float
    range: float
    up: float
    signal: Literal[-1, 0, 1]


class PredictionAnswer(Answer):
    """Probabilities, signal and decision time; how fresh they are; what to be wary of."""

    model: str
    as_of: datetime
    predictions: list[PredictionRow]
    freshness: dict[str, Any] = Field(
        description="`newest_decision_time`, `age_seconds` at `as_of`, and `bars_missed`: bars that closed "
        "since for the symbol that is most behind."
    )
    warnings: list[str]
