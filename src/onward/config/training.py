"""How a run is carried out."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["TrainingConfig"]


class TrainingConfig(Section):
    """How a run is carried out."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_TRAINING__")

    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything random.")
    n_threads: int | None = Field(
        None,
        ge=1,
        le=1_024,
        description="Threads a fit may use; none = all cores. Not part of a plan's identity.",
        json_schema_extra={"identity": False},
    )
