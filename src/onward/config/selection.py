"""Which features a fold keeps."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["SelectionConfig"]


class SelectionConfig(Section):
    """Which features a fold keeps, chosen from that fold's training rows alone.

    A feature stays when its rank correlation with the labels, in direction or for the range class,
    beats that of circularly shifted labels (DESIGN 9 measures what that gains on wide feature
    sets).
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_SELECTION__")

    enabled: bool = Field(True, description="Select features inside every fold.")
    max_features: int = Field(30, ge=1, le=10_000, description="Features kept at most.")
    z: float = Field(
        1.65,
        ge=0.0,
        le=20.0,
        description="Least z-score of a feature's rank correlation against that of shifted labels.",
    )
    n_shifts: int = Field(
        200, ge=20, le=10_000, description="Circular shifts of the labels that the z-score is taken from."
    )
    min_features: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Features kept when none passes, so that a model can be fitted and judged at all; "
        "never more than max_features.",
    )
    false_discovery_rate: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="Share of wrong features tolerated among those that pass; 1 leaves it at the z-score.",
    )
    range_share: float = Field(
        1.0 / 3.0,
        ge=0.0,
        le=1.0,
        description="Share of the places reserved for what tells the range class; places left free go to "
        "the direction.",
    )
    max_correlation: float = Field(
        0.95,
        gt=0.0,
        le=1.0,
        description="Rank correlation with a better feature above which one is dropped as its twin; 1 keeps "
        "twins.",
    )
