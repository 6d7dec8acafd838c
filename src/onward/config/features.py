"""What the model sees."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from onward.config.automl import AutoMLConfig
from onward.config.base import Section, section
from onward.config.fracdiff import FracDiffConfig

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
        description="Parameters by family, such as [features.manual.options.volatility] "
        "realized_windows = [24, 96].",
    )


class FeatureEngineeringConfig(AutoMLConfig):
    """What the model sees: the stages that make features, in order.

    Everything that needs no fitting runs first, once over the history; what is fitted (the
    relevance test of tsfresh, autofeat) follows inside the fold, in the order of ``stages``; the
    selection of section ``[selection]`` is always last, over the columns of all stages together.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__")

    stages: tuple[str, ...] = Field(
        ("manual", "tsfresh", "featuretools"),
        min_length=1,
        description="Stages in order: manual, alpha158, fracdiff, tsfresh, featuretools, autofeat, the name "
        "of an installed package's stage, or module:Name of your own.",
    )
    manual: ManualFeaturesConfig = section(ManualFeaturesConfig)
    fracdiff: FracDiffConfig = section(FracDiffConfig)
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Options of stages that have no section here, by stage, such as "
        "[features.options.sessions] windows = [24].",
    )

    @field_validator("stages")
    @classmethod
    def _no_stage_twice(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({s for s in stages if stages.count(s) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} more than once")
        return stages
