"""The stages that generate features: tsfresh, featuretools, autofeat."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section, section
from onward.config.text import DURATION

__all__ = ["AutoFeatConfig", "AutoMLConfig", "FeaturetoolsConfig", "TSFreshConfig"]


class TSFreshConfig(Section):
    """The stage ``tsfresh``: calculators on rolling windows, then a relevance test in the fold."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__TSFRESH__")

    set: Literal["minimal", "financial", "efficient", "comprehensive"] = Field(
        "financial", description="Calculators: 10, about 70, 777, or all of tsfresh's."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="A dictionary in tsfresh's form instead of a set; empty = the set."
    )
    columns: tuple[str, ...] = Field(
        ("close_logret", "volume"), min_length=1, description="Series that the windows run over."
    )
    windows: tuple[int, ...] = Field((24, 96), min_length=1, description="Lengths of the windows, bars.")
    relevance: bool = Field(
        True, description="Drop, in every fold, the columns that tsfresh's relevance test does not pass."
    )
    fdr_level: float = Field(
        0.05, gt=0.0, lt=1.0, description="Share of irrelevant columns tolerated among those that pass."
    )
    hypotheses_independent: bool = Field(
        False, description="Benjamini-Hochberg instead of Benjamini-Yekutieli, which allows any dependence."
    )
    feature_count_limit: int | None = Field(
        None, ge=1, description="Columns that pass at most, the most relevant first; none = all."
    )
    timeout: float = Field(
        300.0,
        gt=0.0,
        le=86_400.0,
        description="Seconds that tsfresh itself may take for 128 windows of calculators without a kernel.",
    )


class FeaturetoolsConfig(Section):
    """The stage ``featuretools``: aggregates of the calendar around a bar, by deep feature synthesis."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__FEATURETOOLS__")

    aggregations: tuple[str, ...] = Field(
        ("mean", "std", "min", "max", "skew", "trend", "sum", "percent_true", "count"),
        min_length=1,
        description="Aggregation primitives, over the bars of a day, session or week so far.",
    )
    transforms: tuple[str, ...] = Field(
        ("subtract_numeric", "divide_numeric"),
        description="Transform primitives, on the values and aggregates of a row.",
    )
    ranks: tuple[str, ...] = Field(
        ("percentile",), description="Transform primitives that rank the symbols of one moment."
    )
    parents: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="What bars are grouped by: day, session, week, moment; none = what the market offers.",
    )
    columns: tuple[str, ...] | None = Field(
        None, min_length=1, description="Values of a bar that are aggregated; none = what the market offers."
    )
    max_depth: int = Field(3, ge=1, le=6, description="Primitives on top of each other.")
    max_features: int | None = Field(None, ge=1, description="Definitions at most; none = all.")
    comparable_only: bool = Field(
        True, description="Leave out what compares different things, such as a volume minus a return."
    )
    training_window: str = Field("7d", pattern=DURATION, description="How far back an aggregation may look.")
    check_rows: int = Field(
        8,
        ge=0,
        le=1_000,
        description="Rows that each build compares with featuretools, where it is installed; 0 = none.",
    )
    timeout_seconds: float = Field(
        600.0, gt=0.0, le=86_400.0, description="Time of featuretools' child process."
    )
    max_gb: float = Field(4.0, gt=0.0, le=4_096.0, description="Memory of featuretools' child process, GB.")


class AutoFeatConfig(Section):
    """The stage ``autofeat``: formulas over the columns of the other stages, found in the fold.

    autofeat runs in a child process on a sample of the fold's training rows; what it proposes is
    kept only if rows that it did not see confirm it.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__AUTOFEAT__")

    feateng_steps: int = Field(
        2,
        ge=1,
        le=5,
        description="1 transforms columns, 2 multiplies pairs as well, 3 transforms again.",
    )
    transformations: tuple[str, ...] = Field(
        ("1/", "exp", "log", "abs", "sqrt", "^2", "^3"),
        min_length=1,
        description="Some of 1/ exp log abs sqrt ^2 ^3 1+ 1- sin cos exp- 2^.",
    )
    featsel_runs: int = Field(3, ge=1, le=100, description="Selection runs, for each of two targets.")
    max_inputs: int = Field(
        12, ge=2, le=999, description="Columns that may be combined: the most relevant ones."
    )
    max_rows: int = Field(2_000, ge=50, le=1_000_000, description="Training rows that autofeat is shown.")
    max_candidates: int | None = Field(
        200, ge=10, description="Candidates that go into its selection, a target; none = all."
    )
    max_generated: int = Field(
        20_000, ge=10, le=10_000_000, description="Upper bound of the candidates that it may generate."
    )
    max_formulas: int = Field(20, ge=1, le=10_000, description="Formulas that are kept at most.")
    confirm_share: float = Field(
        0.4,
        gt=0.0,
        le=0.8,
        description="Share of the training time, its latest part, kept back to confirm formulas.",
    )
    min_z: float | None = Field(
        1.65,
        ge=0.0,
        le=20.0,
        description="Deviations that a formula must stand above shifted labels there; none = keep all.",
    )
    max_correlation: float = Field(
        0.98,
        gt=0.0,
        le=1.0,
        description="Rank correlation with an input or a better formula above which one is dropped.",
    )
    n_shifts: int = Field(
        200, ge=20, le=100_000, description="Circular shifts of the labels to compare with."
    )
    max_gb: float = Field(
        2.0,
        gt=0.0,
        le=4_096.0,
        description="Memory of the child in GB; inputs, then rows are given up.",
    )
    timeout_seconds: float = Field(300.0, gt=0.0, le=86_400.0, description="Time of the child, a fit.")
    threads: int = Field(
        1, ge=1, le=1_024, description="Threads of the child; another number may choose other formulas."
    )
    on_failure: Literal["raise", "skip"] = Field(
        "raise", description="When it fails or exceeds a limit: stop, or report it and go on without."
    )


class AutoMLConfig(Section):
    """The generated features, a section each; ``features.stages`` says which of them take part."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_FEATURES__")

    tsfresh: TSFreshConfig = section(TSFreshConfig)
    featuretools: FeaturetoolsConfig = section(FeaturetoolsConfig)
    autofeat: AutoFeatConfig = section(AutoFeatConfig)
