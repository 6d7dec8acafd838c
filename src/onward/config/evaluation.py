"""How a run is judged."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["EvaluationConfig"]


class EvaluationConfig(Section):
    """How a run is judged: costs of the equity curve, size of the null band."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_EVALUATION__")

    fee_bps: float = Field(
        5.0, ge=0.0, le=1_000.0, description="Fee of a trade, basis points of its value, each side."
    )
    slippage_bps: float = Field(
        2.0, ge=0.0, le=1_000.0, description="Slippage of a trade, basis points of its value, each side."
    )
    n_shifts: int = Field(
        1_000, ge=100, le=100_000, description="Circular shifts of the outcomes that make the null band."
    )
