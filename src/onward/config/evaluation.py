"""How a run is judged."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["Capital", "EvaluationConfig", "Fill", "Sides", "Sizing"]

Fill: TypeAlias = Literal["next_open", "next_close", "same_close"]
Sizing: TypeAlias = Literal["fixed", "probability", "bet_size", "volatility_target", "kelly"]
Sides: TypeAlias = Literal["both", "long", "short"]
Capital: TypeAlias = Literal["apart", "restored"]

EXPLAINS: JsonDict = {"identity": False}
"""Marks what explains a run and changes neither its model nor its verdict."""


class EvaluationConfig(Section):
    """How a run is judged: terms of the equity curve, size of the null band."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_EVALUATION__")

    fee_bps: float = Field(
        5.0, ge=0.0, le=1_000.0, description="Fee of a trade, basis points of its value, each side."
    )
    slippage_bps: float = Field(
        2.0, ge=0.0, le=1_000.0, description="Slippage of a trade, basis points of its value, each side."
    )
    fill: Fill = Field(
        "next_open",
        description="Price at which a decision made at a bar's close is filled: open or close of the next "
        "bar, or that very close (which no order reaches in time).",
    )
    pay_funding: bool = Field(
        True,
        description="Whether positions pay and receive the market's funding series at its settlements "
        "(switch off for spot markets whose funding series is a feature only).",
    )
    sides: Sides = Field("both", description="Positions taken: both sides, long or short only.")
    sizing: Sizing = Field(
        "fixed",
        description="Size of a position: fixed; probability (up minus down); bet_size (by the certainty of "
        "the class); volatility_target (by trailing volatility); kelly (by both).",
    )
    position_size: float = Field(
        1.0, gt=0.0, le=10.0, description="Share of the equity that sizes are multiplied with."
    )
    max_position: float = Field(
        1.0, gt=0.0, le=10.0, description="Cap of every position, a share of the equity."
    )
    size_step: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Step to which sizes are rounded, 0 for none: small changes then trade nothing.",
    )
    min_change: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Distance from the target, a share of the equity, below which nothing is traded.",
    )
    target_volatility: float = Field(
        0.2, gt=0.0, le=10.0, description="Sizing volatility_target: volatility wanted, a year (0.2 = 20 %)."
    )
    volatility_window_bars: int = Field(
        168, ge=2, le=1_000_000, description="Bars of the trailing volatility by which positions are sized."
    )
    kelly_fraction: float = Field(
        0.5, gt=0.0, le=1.0, description="Sizing kelly: share of the growth-optimal position."
    )
    max_drift: float | None = Field(
        0.1,
        ge=0.0,
        le=10.0,
        description="Distance, a share of the equity, by which prices and funding may move a position from "
        "its target before it is brought back, at a cost; 0 in every bar, none never.",
    )
    capital: Capital = Field(
        "apart",
        description="Several symbols: apart gives each its share of the starting capital; restored gives "
        "the shares back in every bar, at a cost.",
    )
    act_above: float | None = Field(
        None,
        ge=0.0,
        lt=1.0,
        description="Labels of method meta: probability that following the primary signal pays above which "
        "the backtest follows it; none = where paying is the most probable outcome.",
    )
    n_shifts: int = Field(
        1_000, ge=100, le=100_000, description="Circular shifts of the outcomes that make the null band."
    )
    explained_folds: int = Field(
        5,
        ge=1,
        le=1_000,
        description="Folds that importance, drift and adversarial validation look at, evenly spread over the "
        "run. What explains a run changes neither model nor verdict: none of these settings is part of a "
        "plan's identity.",
        json_schema_extra=EXPLAINS,
    )
    importance: bool = Field(
        True,
        description="Whether to measure what scores on test rows lose when a column, or a cluster of columns "
        "that resemble each other, is moved elsewhere in time.",
        json_schema_extra=EXPLAINS,
    )
    importance_columns: int = Field(
        20,
        ge=1,
        le=10_000,
        description="Columns to measure, those with the largest share of the gain; as many clusters.",
        json_schema_extra=EXPLAINS,
    )
    importance_rows: int = Field(
        500,
        ge=100,
        le=10_000_000,
        description="Test rows of a fold that importance is measured on; moments are thinned out evenly.",
        json_schema_extra=EXPLAINS,
    )
    importance_repeats: int = Field(
        3,
        ge=2,
        le=1_000,
        description="Times that each column is displaced.",
        json_schema_extra=EXPLAINS,
    )
    cluster_correlation: float = Field(
        0.5,
        gt=0.0,
        lt=1.0,
        description="Mean absolute rank correlation above which columns are displaced together.",
        json_schema_extra=EXPLAINS,
    )
    drift: bool = Field(
        True,
        description="Whether to compare each column's test rows with its training rows (population stability "
        "index, Kolmogorov-Smirnov).",
        json_schema_extra=EXPLAINS,
    )
    drift_columns: int = Field(
        40,
        ge=1,
        le=10_000,
        description="Columns to compare, those with the largest share of the gain.",
        json_schema_extra=EXPLAINS,
    )
    adversarial: bool = Field(
        True,
        description="Whether a model is to tell test rows from training rows by the columns that the run's "
        "model sees, calendar columns left out.",
        json_schema_extra=EXPLAINS,
    )
    adversarial_rows: int = Field(
        2_000,
        ge=80,
        le=10_000_000,
        description="Rows of a fold, training and test, that it works on; moments are thinned out evenly.",
        json_schema_extra=EXPLAINS,
    )
    adversarial_placebos: int = Field(
        1,
        ge=0,
        le=100,
        description="Windows of training rows that are told from the other training rows in the same way: "
        "what the figure is without drift.",
        json_schema_extra=EXPLAINS,
    )
