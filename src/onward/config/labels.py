"""What is to be predicted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["LabelConfig"]


class LabelConfig(Section):
    """What is to be predicted: whether the price goes up, down or stays in range.

    `method` says how outcomes become classes; a setting that the method has no use for must keep
    its default. The horizon is the longest that a label may last. `events` chooses the bars that
    carry labels, `weights` and `time_decay` how much each counts in every fit.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_LABELS__")

    method: Literal["threshold", "triple_barrier", "trend_scanning", "meta"] = Field(
        "threshold",
        description="How outcomes become classes: the return over the horizon against a border "
        "(threshold), the first of three barriers (triple_barrier), the clearest line ahead "
        "(trend_scanning), or whether following a primary signal pays (meta).",
    )
    mode: Literal["fixed", "quantile", "volatility", "adaptive"] = Field(
        "volatility",
        description="Where the border lies: at a fixed return, at a quantile of the training rows' "
        "absolute returns, at trailing volatility x multiplier, or at a trailing quantile of the "
        "absolute returns already known. Methods triple_barrier and meta: the unit of the barriers, "
        "fixed or volatility.",
    )
    horizon_bars: int = Field(
        24,
        ge=1,
        le=100_000,
        description="Bars from the decision to the outcome; to the vertical barrier; of the longest trend.",
    )
    threshold: float = Field(
        0.01,
        gt=0.0,
        lt=1.0,
        description="Mode fixed: border, or unit of the barriers, as a return (0.01 = 1 %).",
    )
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
        description="Method threshold, mode volatility: border in trailing standard deviations of the "
        "horizon return (0.43 puts a third of a Gaussian in each class).",
    )
    window_bars: int = Field(
        168,
        ge=2,
        le=1_000_000,
        description="Modes volatility and adaptive, and event sampling: bars of the trailing window.",
    )
    profit: float = Field(
        0.85,
        ge=0.0,
        le=1_000.0,
        description="Methods triple_barrier and meta: distance of the profit barrier in units; 0 = none "
        "(0.85 on both sides puts a third of 24-bar random walks in each class).",
    )
    stop: float | None = Field(
        None,
        ge=0.0,
        le=1_000.0,
        description="Methods triple_barrier and meta: distance of the stop in units; 0 = no stop, "
        "none = as far away as the profit barrier.",
    )
    side: Literal["both", "long", "short"] = Field(
        "both",
        description="Method triple_barrier: the position that barriers are laid for. both: none is "
        "assumed, barriers are symmetric. The class says where the price went, whatever the side.",
    )
    unit: Literal["horizon", "bar"] = Field(
        "horizon",
        description="Methods triple_barrier and meta, mode volatility: barriers count deviations of the "
        "return over the horizon, or of one bar.",
    )
    estimator: Literal["rolling", "ewm"] = Field(
        "rolling",
        description="Methods triple_barrier and meta, mode volatility: deviation of the last window_bars "
        "returns alike, or exponentially weighted with that span.",
    )
    min_return: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Methods triple_barrier and meta: bars whose unit is a smaller return carry no label.",
    )
    price: Literal["close", "high_low"] = Field(
        "close",
        description="Methods triple_barrier and meta: what crosses a barrier, closes or the range of bars.",
    )
    tie: Literal["stop", "profit", "nearest", "drop"] = Field(
        "stop",
        description="Price high_low: what counts when one bar crosses both barriers: the stop (cautious; "
        "range when side is both), the profit, the barrier nearer to the bar's open, or no label.",
    )
    vertical: Literal["range", "sign"] = Field(
        "range",
        description="Methods triple_barrier and meta: class when no barrier is crossed within the horizon: "
        "range, or the sign of the return.",
    )
    shortest_bars: int = Field(
        6, ge=2, le=100_000, description="Method trend_scanning: bars of the shortest trend."
    )
    step_bars: int = Field(
        1,
        ge=1,
        le=100_000,
        description="Method trend_scanning: bars between one length of trend and the next.",
    )
    min_t_value: float = Field(
        5.5,
        ge=0.0,
        le=1_000_000.0,
        description="Method trend_scanning: t-value below which a trend counts as range (a third of "
        "24-bar random walks stay below 5.5).",
    )
    signal: str = Field(
        "momentum",
        min_length=1,
        description="Method meta: the primary signal: momentum, mean_reversion, breakout, series:NAME, "
        "series:NAME.COLUMN (values 1, -1, 0) or module:function.",
    )
    signal_bars: int = Field(
        24, ge=1, le=1_000_000, description="Method meta: bars that a named signal looks back."
    )
    events: Literal["all", "cusum"] = Field(
        "all",
        description="Bars that carry labels: all, or those at which a CUSUM filter of the log price fires.",
    )
    cusum_mode: Literal["volatility", "fixed"] = Field(
        "volatility",
        description="Events cusum: the threshold counts trailing deviations of one bar, or is a log return.",
    )
    cusum_threshold: float = Field(
        2.0, gt=0.0, le=1_000.0, description="Events cusum: size of the move that makes an event."
    )
    weights: Literal["none", "uniqueness", "return"] = Field(
        "none",
        description="How much a training row counts in every fit: all alike, by how little other labels "
        "overlap it, or by the return that it does not share. Computed from each fold's training rows.",
    )
    time_decay: float = Field(
        1.0,
        gt=-1.0,
        le=1.0,
        description="Weight of the oldest training row, the newest having 1; 1 = no decay, a negative value "
        "gives that share of the oldest rows no weight. Age is counted in uniqueness.",
    )
