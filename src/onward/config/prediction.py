"""What a model may be asked."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["PredictionConfig"]


class PredictionConfig(Section):
    """What a model may be asked."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_PREDICTION__")

    max_staleness_bars: int | None = Field(
        2,
        ge=1,
        description="Bars that may have closed since the newest stored one before `--latest` refuses; "
        "none = never refuse.",
    )
