"""Down, range or up: the return over a fixed horizon against a border."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from onward.errors import LabelError, NotEnoughDataError
from onward.labels.arguments import as_choice, as_count, as_number, as_positions
from onward.labels.horizon import (
    NEVER,
    outcome_time,
    outcomes,
    trailing_absolute_quantile,
    trailing_volatility,
)
from onward.labels.state import known_values, state_of
from onward.types import FloatArray, IntArray, Labels, Market, Spans

__all__ = ["MODES", "ThresholdLabeler"]

Mode = Literal["fixed", "quantile", "volatility", "adaptive"]
MODES: tuple[str, ...] = get_args(Mode)


@dataclass(frozen=True)
class ThresholdLabeler:
    """Three classes from the log return over the next ``horizon_bars`` bars.

    A row is ``up`` (1) when its outcome is above its border, ``down`` (-1) when it is below minus
    its border, else ``range`` (0); a move that only just reaches the border stays in range. The
    border is symmetric, so the sign of a class is the sign of the move. It comes from one of

    ``fixed``
        ``threshold``, the same for every row.
    ``quantile``
        the ``quantile`` of the absolute outcomes of the rows given to `fit`, and of no others.
    ``volatility``
        sample deviation of the last ``window_bars`` one-bar log returns x sqrt(``horizon_bars``)
        x ``multiplier``, known at the row's decision time.
    ``adaptive``
        the ``quantile`` of the last ``window_bars`` absolute horizon returns whose outcome was
        already known at the row's decision time.

    A span runs from the decision time of a row to the decision time of the bar ``horizon_bars``
    bars later of the same symbol: bars are counted, so a gap makes a span longer. Left out of
    `spans` are rows whose outcome lies beyond the data or rests on a close that is NaN, and, in
    the modes ``volatility`` and ``adaptive``, rows whose window is not complete yet. Both follow
    from the market and the constructor's arguments alone, so fitting moves no span.

    Parameters
    ----------
    horizon_bars
        Bars from the decision to the outcome, at least 1.
    mode
        Where the border comes from; only the arguments that a mode names are used by it.
    threshold
        Border as a log return, positive (0.01 is about 1 %).
    quantile
        Share of absolute returns that fall in the range class, between 0 and 1 (a third balances
        the classes of a series without drift).
    multiplier
        Border in deviations of the horizon return, positive. Two thirds of a Gaussian lie beyond
        0.43.
    window_bars
        Bars in the trailing window, at least 2.
    fitted_threshold
        What `fit` found in mode ``quantile``; ``None`` before.

    Raises
    ------
    LabelError
        When an argument is out of range, or labels of mode ``quantile`` are asked for before
        `fit`.
    NotEnoughDataError
        When no row has an outcome inside the data.

    Examples
    --------
    >>> from onward.testing.markets import random_walk
    >>> labels = ThresholdLabeler(horizon_bars=24).label(random_walk(400))
    >>> len(labels)
    208
    >>> labels.spans.longest // 3_600_000_000_000
    24
    """

    horizon_bars: int = 24
    mode: Mode = "volatility"
    threshold: float = 0.01
    quantile: float = 1.0 / 3.0
    multiplier: float = 0.43
    window_bars: int = 168
    fitted_threshold: float | None = None

    kind: ClassVar[Literal["classes", "target"]] = "classes"
    name: ClassVar[str] = "threshold"

    def __post_init__(self) -> None:
        as_choice("mode", "ThresholdLabeler", self.mode, MODES)
        object.__setattr__(self, "horizon_bars", as_count("horizon_bars", self.horizon_bars, 1))
        object.__setattr__(self, "window_bars", as_count("window_bars", self.window_bars, 2))
        object.__setattr__(self, "threshold", as_number("threshold", self.threshold))
        object.__setattr__(self, "quantile", as_number("quantile", self.quantile, below=1.0))
        object.__setattr__(self, "multiplier", as_number("multiplier", self.multiplier))
        if self.fitted_threshold is not None:
            fitted = as_number("fitted_threshold", self.fitted_threshold, zero=True)
            object.__setattr__(self, "fitted_threshold", fitted)

    def spans(self, market: Market) -> Spans:
        """Return the span of every row that has an outcome and a border, in the market's order."""
        return self._spans(market, self._labelled(market))

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Return a labeler whose border comes from these rows only.

        Modes other than ``quantile`` take nothing from the rows and return themselves.

        Parameters
        ----------
        market
            The market that ``rows`` point into.
        rows
            Positions into ``spans(market)``, or a mask over it.
        """
        labelled = self._labelled(market)
        chosen = as_positions(rows, len(labelled))
        if self.mode != "quantile":
            return self
        known = np.abs(outcomes(market, self.horizon_bars)[labelled[chosen]])
        return replace(self, fitted_threshold=float(np.quantile(known, self.quantile)))

    def thresholds(self, market: Market) -> FloatArray:
        """Return the border of each row of ``spans(market)``: a log return, positive or 0.

        In the modes ``volatility`` and ``adaptive`` it was known at the row's decision time.
        """
        return self._borders(market)[self._labelled(market)]

    def label(self, market: Market) -> Labels:
        """Return the class of each row of ``spans(market)``, each with weight 1."""
        labelled = self._labelled(market)
        border = self._borders(market)[labelled]
        outcome = outcomes(market, self.horizon_bars)[labelled]
        y = (outcome > border).astype(np.int64) - (outcome < -border).astype(np.int64)
        return Labels(y, self._spans(market, labelled), np.ones(len(y)))

    def to_json(self) -> dict[str, Any]:
        """Return the parameters and what was fitted as plain JSON values."""
        return state_of(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a labeler from what `to_json` gave.

        Raises
        ------
        LabelError
            When the state belongs to another labeler or holds an unknown field.
        """
        return cls(**known_values(cls, state))

    def _labelled(self, market: Market) -> IntArray:
        known = np.isfinite(outcomes(market, self.horizon_bars))
        known &= outcome_time(market, self.horizon_bars) != NEVER
        if self.mode in ("volatility", "adaptive"):
            known &= np.isfinite(self._trailing(market))
        rows = np.flatnonzero(known).astype(np.int64)
        if len(rows) == 0:
            raise self._too_short(market)
        return rows

    def _spans(self, market: Market, labelled: IntArray) -> Spans:
        end = outcome_time(market, self.horizon_bars)
        return Spans(market.index[labelled], market.decision_time_ns[labelled], end[labelled])

    def _borders(self, market: Market) -> FloatArray:
        if self.mode == "fixed":
            return np.full(len(market), self.threshold)
        if self.mode != "quantile":
            return self._trailing(market)
        if self.fitted_threshold is None:
            raise LabelError(
                "a ThresholdLabeler of mode 'quantile' has no border before it is fitted",
                got="fitted_threshold = None",
                allowed="a labeler returned by fit",
                remedy="Call fit(market, rows) with the positions of the training rows first.",
            )
        return np.full(len(market), self.fitted_threshold)

    def _trailing(self, market: Market) -> FloatArray:
        if self.mode == "adaptive":
            return trailing_absolute_quantile(market, self.horizon_bars, self.window_bars, self.quantile)
        deviation = trailing_volatility(market, self.window_bars)
        return deviation * (math.sqrt(self.horizon_bars) * self.multiplier)

    def _too_short(self, market: Market) -> NotEnoughDataError:
        warm_up = {"volatility": self.window_bars, "adaptive": self.window_bars + self.horizon_bars - 1}
        needed = self.horizon_bars + warm_up.get(self.mode, 0) + 1
        longest = max((rows.stop - rows.start for rows in market.rows.values()), default=0)
        return NotEnoughDataError(
            f"no row has an outcome {self.horizon_bars:,} bars later (mode {self.mode!r})",
            got=f"at most {longest:,} bars a symbol",
            allowed=f"at least {needed:,} bars of one symbol, with closes that are not NaN",
            remedy="Use more bars, a shorter horizon_bars or a shorter window_bars.",
            settings=("horizon_bars", "window_bars") if self.mode in warm_up else ("horizon_bars",),
        )
