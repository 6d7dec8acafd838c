"""Which features a fold keeps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["SelectionConfig"]


class SelectionConfig(Section):
    """Which features a fold keeps, chosen from that fold's training rows alone.

    The steps of `onward.features.selection.AdvancedFeatureSelector`, in their order: constants,
    duplicates, correlation clusters, relevance, null importance, places. Each can be switched off
    by itself; ``enabled = false`` lets every column go on to the model. docs/explanation/feature-selection.md
    says what each step does and what the defaults were measured to gain.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_SELECTION__")

    enabled: bool = Field(True, description="Select features inside every fold.")
    max_features: int = Field(30, ge=1, le=10_000, description="Features kept at most.")
    min_features: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Features kept when none passes, so that a model can be fitted and judged at all; "
        "never more than max_features.",
    )
    constant: bool = Field(True, description="Drop features that hardly vary or are hardly ever known.")
    quasi_constant: float = Field(
        0.995,
        gt=0.0,
        le=1.0,
        description="A feature hardly varies when one value makes up this share of its known rows.",
    )
    min_known: float = Field(
        0.05, ge=0.0, le=1.0, description="A feature is hardly ever known when it is in less than this share."
    )
    duplicates: bool = Field(
        True, description="Drop features that equal another, or are a rising or falling function of it."
    )
    near_duplicate: float = Field(
        0.999,
        gt=0.0,
        le=1.0,
        description="Rank correlation above which two features count as duplicates; 1 leaves it at exact "
        "ones.",
    )
    correlation: float = Field(
        0.95,
        gt=0.0,
        le=1.0,
        description="Correlation above which one feature stands for another, the steadier for the less "
        "steady; 1 switches the step off.",
    )
    correlation_method: Literal["spearman", "pearson"] = Field(
        "spearman", description="Correlation of ranks or of values."
    )
    n_blocks: int = Field(
        8,
        ge=3,
        le=1_000,
        description="Stretches of time over which a feature's relation to the labels must be steady.",
    )
    costs: dict[str, float] = Field(
        default_factory=dict,
        description="Cost of computing a feature, manual = 1, by leading part of its name, such as "
        "tsfresh=4, tsfresh__volume=6; of features that say the same the cheaper stays.",
    )
    relevance: bool = Field(
        True,
        description="Ask for a rank correlation with direction or range class above that of shifted labels.",
    )
    mutual_information: bool = Field(
        True,
        description="Let mutual information with the classes speak for a feature too, above shifted labels.",
    )
    z: float = Field(
        1.65,
        ge=0.0,
        le=20.0,
        description="Least distance from shifted labels, in their deviations.",
    )
    false_discovery_rate: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="Share of wrong features tolerated among those that pass; 1 leaves it at the z-score.",
    )
    n_shifts: int = Field(
        200, ge=20, le=10_000, description="Circular shifts of the labels that rank correlations face."
    )
    n_information_shifts: int = Field(
        50, ge=10, le=10_000, description="Shifts, of those, that mutual information faces."
    )
    n_bins: int = Field(8, ge=2, le=64, description="Bins that mutual information is counted in.")
    null_importance: bool = Field(
        True,
        description="Ask for an importance in a small boosted model above that under shifted labels.",
    )
    n_null: int = Field(20, ge=5, le=1_000, description="Shifted labels that the boosted model is fitted to.")
    null_share: float = Field(
        0.8,
        ge=0.0,
        lt=1.0,
        description="Share of the importances under shifted labels that a feature's own must exceed.",
    )
    importance_rows: int = Field(
        10_000, ge=100, description="Rows that the boosted model sees at most, thinned evenly in time."
    )
    importance_columns: int = Field(
        100, ge=2, le=10_000, description="Features that the boosted model sees at most, the strongest ones."
    )
    range_share: float = Field(
        1.0 / 3.0,
        ge=0.0,
        le=1.0,
        description="Share of the places reserved for what tells the range class; places left free go to "
        "the direction.",
    )
