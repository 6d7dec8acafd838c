"""The terms of a backtest: when orders are filled, what they cost, how large positions are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import get_args

from onward.config.evaluation import Capital, EvaluationConfig, Fill, Sides, Sizing
from onward.errors import ConfigError

__all__ = ["BacktestSettings"]

FILLS: Mapping[str, str] = {
    "next_open": "filled at the next bar's open",
    "next_close": "filled at the next bar's close",
    "same_close": "filled at that very close, which no order reaches in time",
}
SIZES: Mapping[str, str] = {
    "fixed": "positions of a fixed size",
    "probability": "positions as large as up minus down",
    "bet_size": "positions by the certainty of the class",
    "volatility_target": "positions by trailing volatility",
    "kelly": "positions by fractional Kelly",
}


@dataclass(frozen=True)
class BacktestSettings:
    """Terms of a backtest. Sizes are shares of the equity: 1 is all of it, -1 as much short.

    Attributes
    ----------
    fee_bps, slippage_bps
        Cost of a trade, basis points of the value traded, each side.
    fill
        Price of the fill of a decision made at the close of a bar: ``next_open``, ``next_close``,
        or ``same_close`` (optimistic: nobody trades at the price he decides by).
    pay_funding
        Whether positions pay and receive the funding series of the market.
    sides
        ``both``, ``long`` or ``short``: targets on the other side become 0.
    sizing
        ``fixed``: the signal. ``probability``: p_up - p_down. ``bet_size``: by the certainty of the
        class. ``volatility_target``: the signal x target over trailing volatility. ``kelly``:
        fractional Kelly of p_up, p_down and the typical move over ``horizon_bars``. See
        `onward.evaluation.backtest.sizing`.
    position_size
        What sizes are multiplied with.
    max_position
        Cap of the absolute position, whatever made it. A fixed signal beyond it is refused.
    size_step
        Step to which sizes are rounded; 0 for none.
    min_change
        Distance between a changed target and the exposure below which nothing is traded (going
        flat always is).
    max_drift
        Distance by which prices and funding may move the exposure from its target before it is
        brought back, and paid for: a short that loses grows, a long that pays funding becomes a
        loan. 0 brings it back in every bar, None never does.
    target_volatility
        Volatility wanted by ``volatility_target``, a year.
    volatility_window_bars
        Returns in the trailing window of the volatility.
    kelly_fraction
        Share of the growth-optimal position taken by ``kelly``.
    horizon_bars
        Bars over which probabilities speak, for ``kelly``.
    capital
        ``apart``: each symbol trades its own share of the starting capital, and nothing moves
        between them. ``restored``: symbols get back their shares of the capital in every bar, and
        what moves with it is paid for.
    weights
        Share of the capital of each symbol (scaled to sum 1); default: equal.
    periods_per_year
        Bars a year for annualised figures; default: as many as the simulated bars have in a
        calendar year, which is the timeframe's own number for a market that never closes.
    regime_window_bars
        Window of the volatility and trend regimes by which results are told apart.
    act_above
        Models of meta-labels: probability that following the primary signal pays above which it is
        followed; None where paying is the most probable outcome. See
        `onward.evaluation.backtest.meta`.

    Raises
    ------
    ConfigError
        When a value is unknown or out of range.
    """

    fee_bps: float = 5.0
    slippage_bps: float = 2.0
    fill: Fill = "next_open"
    pay_funding: bool = True
    sides: Sides = "both"
    sizing: Sizing = "fixed"
    position_size: float = 1.0
    max_position: float = 1.0
    size_step: float = 0.0
    min_change: float = 0.0
    max_drift: float | None = 0.1
    target_volatility: float = 0.2
    volatility_window_bars: int = 168
    kelly_fraction: float = 0.5
    horizon_bars: int = 24
    capital: Capital = "apart"
    weights: Mapping[str, float] | None = None
    periods_per_year: float | None = None
    regime_window_bars: int = 168
    act_above: float | None = None

    def __post_init__(self) -> None:
        self._check_costs()
        for name, kind in (("fill", Fill), ("sides", Sides), ("sizing", Sizing), ("capital", Capital)):
            if getattr(self, name) not in get_args(kind):
                raise ConfigError(
                    f"Unknown {name} of a backtest",
                    got=repr(getattr(self, name)),
                    allowed=", ".join(get_args(kind)),
                )
        for name in ("position_size", "max_position", "target_volatility", "kelly_fraction"):
            self._check(name, getattr(self, name) > 0.0, "a number above 0")
        for name in ("size_step", "min_change"):
            self._check(name, 0.0 <= getattr(self, name) <= 1.0, "0 to 1")
        for name, least in (("volatility_window_bars", 2), ("horizon_bars", 1), ("regime_window_bars", 2)):
            value = getattr(self, name)
            self._check(name, isinstance(value, int) and value >= least, f"a whole number from {least}")
        if self.act_above is not None:
            self._check("act_above", 0.0 <= self.act_above < 1.0, "0 to below 1, or None")
        if self.max_drift is not None:
            self._check("max_drift", self.max_drift >= 0.0, "0 or more, or None")
        if self.periods_per_year is not None:
            self._check("periods_per_year", self.periods_per_year > 0.0, "a number above 0, or None")
        if self.weights is not None:
            self._check_weights(self.weights)

    @classmethod
    def from_config(cls, config: EvaluationConfig, *, horizon_bars: int | None = None) -> BacktestSettings:
        """Return the terms that the settings of a run ask for.

        Parameters
        ----------
        config
            The evaluation section.
        horizon_bars
            Horizon of the labels, for sizing by Kelly.
        """
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in config.model_dump().items() if name in known}
        return cls(**values) if horizon_bars is None else cls(**values, horizon_bars=horizon_bars)

    @property
    def cost(self) -> float:
        """Fee and slippage as a share of the value traded."""
        return (self.fee_bps + self.slippage_bps) / 1e4

    @property
    def sentence(self) -> str:
        """The terms in words, as the caption of a result."""
        parts = [f"decided at a bar's close, {FILLS[self.fill]}", SIZES[self.sizing]]
        parts.append(f"{self.fee_bps:g} bps fee and {self.slippage_bps:g} bps slippage of the value traded")
        if self.sides != "both":
            parts.append(f"{self.sides} only")
        return "; ".join(parts)

    def _check_costs(self) -> None:
        if not (self.fee_bps >= 0.0 and self.slippage_bps >= 0.0 and self.fee_bps + self.slippage_bps < 5e3):
            raise ConfigError(
                "The costs of a trade are out of range",
                got=f"fee_bps = {self.fee_bps}, slippage_bps = {self.slippage_bps}",
                allowed="0 or more each, below 5000 together (turning a position trades it twice)",
                remedy="Give costs in basis points: 5 means 0.05 % of the value traded.",
            )

    def _check(self, name: str, fine: bool, allowed: str) -> None:
        value = getattr(self, name)
        if not fine or not math.isfinite(value):
            raise ConfigError(f"{name} of a backtest is out of range", got=value, allowed=allowed)

    def _check_weights(self, weights: Mapping[str, float]) -> None:
        values = list(weights.values())
        if not values or not all(math.isfinite(v) and v >= 0.0 for v in values) or sum(values) <= 0.0:
            raise ConfigError(
                "The weights of the symbols are out of range",
                got=dict(weights),
                allowed="numbers that are not negative, one of them above 0",
            )
