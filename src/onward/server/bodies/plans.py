"""Plans to be looked at before they run."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from onward.server.bodies.base import Answer, Body
from onward.server.bodies.jobs import File, Plan

__all__ = ["PlanAnswer", "PlanBody"]


class PlanBody(Body):
    """A plan, and the market that it is for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"plan": {"features.stages": ["manual"], "data": {"symbols": ["BTC/USDT"]}}}]
        }
    )

    plan: Plan = None
    data: File | None = Field(
        None, description="File of candles below an allowed directory; else stored ones."
    )
    series: dict[str, File] = Field(default_factory=dict, description="Files of side series by name.")
    columns: bool = Field(False, description="Whether to name every column.")


class PlanAnswer(Answer):
    """A plan as it would run: values, features and what they cost, and what to be wary of."""

    plan: dict[str, Any]
    plan_hash: str
    symbols: list[str]
    timeframe: str
    rows: int
    columns: int
    lookback_bars: int
    seconds: float = Field(description="CPU time of the causal features, as far as it is known.")
    columns_of_unknown_cost: int
    matrix_bytes: int
    families: list[dict[str, Any]]
    fitted: list[dict[str, Any]]
    features: list[dict[str, Any]] | None = None
    warnings: list[str]
