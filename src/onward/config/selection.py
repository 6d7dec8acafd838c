"""Which features a fold keeps."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["SelectionConfig"]


class SelectionConfig(Section):
    """Which features a fold keeps, chosen from that fold's training rows alone.

    A feature stays when its rank correlation with the labels beats that of circularly shifted
    labels (DESIGN 9 measures what that gains on wide feature sets).
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_SELECTION__")

    enabled: bool = Field(True, description="Select features inside every fold.")
    max_features: int = Field(30, ge=1, le=10_000, description="Features kept at most.")
    z_threshold: float = Field(
        1.65,
        ge=0.0,
        le=20.0,
        description="Least z-score of a feature's rank correlation against that of shifted labels.",
    )
    n_shifts: int = Field(
        100, ge=20, le=10_000, description="Circular shifts of the labels that the z-score is taken from."
    )
