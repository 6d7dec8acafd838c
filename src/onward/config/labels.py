"""What is to be predicted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["LabelConfig"]


class LabelConfig(Section):
    """What is to be predicted: whether the price ends up, down or in range after a horizon.

    The horizon fixes the span of a label; everything else moves the border between the classes
    and never the span.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_LABELS__")

    method: Literal["threshold"] = Field(
        "threshold", description="How outcomes become classes: the return over the horizon against a border."
    )
    mode: Literal["fixed", "quantile", "volatility", "adaptive"] = Field(
        "volatility",
        description="Where the border lies: at a fixed return, at a quantile of the training rows' "
        "absolute returns, at trailing volatility x multiplier, or at a trailing quantile of the "
        "absolute returns already known.",
    )
    horizon_bars: int = Field(24, ge=1, le=100_000, description="Bars from the decision to the outcome.")
    threshold: float = Field(0.01, gt=0.0, lt=1.0, description="Mode fixed: border as a return (0.01 = 1 %).")
    quantile: float = Field(
        1.0 / 3.0,
        gt=0.0,
        lt=1.0,
        description="Modes quantile and adaptive: share of absolute returns that fall in the range class.",
    )
    multiplier: float = Field(
        0.43,
        gt=0.0,
        le=100.0,
        description="Mode volatility: border in trailing standard deviations of the horizon return "
        "(0.43 puts a third of a Gaussian in each class).",
    )
    window_bars: int = Field(
        168, ge=2, le=1_000_000, description="Modes volatility and adaptive: bars of the trailing window."
    )
