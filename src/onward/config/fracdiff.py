"""The stage of fractional differences."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["FracDiffConfig"]


class FracDiffConfig(Section):
    """The stage ``fracdiff``: series differenced by less than one, over windows of fixed width."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__FRACDIFF__")

    columns: tuple[str, ...] = Field(
        ("log_close", "log_volume"),
        min_length=1,
        description="Series: log_ before a column of the bars or dollar_volume; a side value, with or "
        "without log_.",
    )
    orders: tuple[float, ...] = Field(
        (0.3, 0.5, 0.7), min_length=1, description="Orders of differencing, above 0 and at most 2."
    )
    threshold: float = Field(
        1e-4,
        gt=0.0,
        lt=1.0,
        description="Smallest weight that is kept: smaller = longer windows, more memory of the level.",
    )
    width: int | None = Field(
        None, ge=2, le=20_000, description="Bars of every window instead of a threshold; none = by threshold."
    )
