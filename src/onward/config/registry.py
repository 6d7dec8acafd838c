"""Where models are kept, and for how long."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["RegistryConfig"]


class RegistryConfig(Section):
    """Where model versions are kept, and for how long; one with an alias is never removed."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_REGISTRY__")

    directory: Path | None = Field(
        None,
        description="Directory of the bundles, also beside an artifact store; none = models/ in the home "
        "directory, or the artifact store where there is one.",
    )
    max_versions: int | None = Field(
        20, ge=1, description="Versions kept of each model by `onward models cleanup`; none = all."
    )
    max_age_days: int | None = Field(
        None, ge=1, description="Days a version is kept by `onward models cleanup`; none = for ever."
    )
