"""What the model sees."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section, section

__all__ = ["FeatureEngineeringConfig", "ManualFeaturesConfig"]


class ManualFeaturesConfig(Section):
    """The manual stage: families of hand-written indicators, each with its own switch."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__MANUAL__")

    families: tuple[str, ...] | None = Field(
        None, description="Families to switch on (see `onward features list`); none = every family."
    )
    without: tuple[str, ...] = Field((), description="Families to switch off again.")
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Parameters by family, such as [features.manual.options.volatility] windows = [24, 96].",
    )


class FeatureEngineeringConfig(Section):
    """What the model sees: the stages that make features, in order."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__")

    stages: tuple[str, ...] = Field(
        ("manual",),
        min_length=1,
        description="Stages in order: manual, alpha158, or module:Name of your own stage.",
    )
    manual: ManualFeaturesConfig = section(ManualFeaturesConfig)

    @field_validator("stages")
    @classmethod
    def _no_stage_twice(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({s for s in stages if stages.count(s) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} more than once")
        return stages
