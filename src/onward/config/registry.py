"""How long models are kept."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["RegistryConfig"]


class RegistryConfig(Section):
    """How long model versions are kept; one with an alias is never removed."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_REGISTRY__")

    max_versions: int | None = Field(
        20, ge=1, description="Versions kept of each model by `onward models cleanup`; none = all."
    )
    max_age_days: int | None = Field(
        None, ge=1, description="Days a version is kept by `onward models cleanup`; none = for ever."
    )
