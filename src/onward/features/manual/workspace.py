"""What the columns of one family share while they are computed: each intermediate series once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import numpy as np

from onward.features.manual.family import Bars
from onward.features.manual.scale import log_change, log_ratio, ratio, true_range, typical_price
from onward.kernels import rolling
from onward.types import FloatArray

__all__ = ["Workspace", "known"]

T = TypeVar("T")


class Workspace:
    """One symbol's bars with derived series, computed when first asked for and then kept.

    Series are named by attribute, so ``work.mean("volume", 20)`` is the mean of ``work.volume``.
    Lives for one call of a family; arrays must not be written to.
    """

    def __init__(self, bars: Bars) -> None:
        self.open = bars.open
        self.high = bars.high
        self.low = bars.low
        self.close = bars.close
        self.volume = bars.volume
        self._kept: dict[tuple[str, str, int], object] = {}

    def __len__(self) -> int:
        return len(self.close)

    @cached_property
    def previous_close(self) -> FloatArray:
        """Close of the bar before; NaN at the first."""
        return rolling.lag(self.close, 1)

    @cached_property
    def log_close(self) -> FloatArray:
        """Natural logarithm of the close."""
        return log_ratio(self.close, np.ones(len(self)))

    @cached_property
    def log_return(self) -> FloatArray:
        """Log change of the close over one bar."""
        return log_change(self.close, 1)

    @cached_property
    def absolute_return(self) -> FloatArray:
        """Size of the one-bar log return."""
        return np.abs(self.log_return)

    @cached_property
    def squared_return(self) -> FloatArray:
        """Square of the one-bar log return."""
        return np.square(self.log_return)

    @cached_property
    def up(self) -> FloatArray:
        """1.0 where the close rose, else 0.0; NaN where that is unknown."""
        return known(self.close > self.previous_close, self.log_return)

    @cached_property
    def down(self) -> FloatArray:
        """1.0 where the close fell, else 0.0; NaN where that is unknown."""
        return known(self.close < self.previous_close, self.log_return)

    @cached_property
    def range_share(self) -> FloatArray:
        """High minus low, as a share of the open."""
        return ratio(self.high - self.low, self.open)

    @cached_property
    def true_range(self) -> FloatArray:
        """Wilder's true range, in price."""
        return true_range(self.high, self.low, self.close)

    @cached_property
    def typical_price(self) -> FloatArray:
        """(high + low + close) / 3."""
        return typical_price(self.high, self.low, self.close)

    def sum(self, series: str, window: int) -> FloatArray:
        """Return the rolling sum of a series."""
        return self.once("sum", series, window, lambda x: rolling.rolling_sum(x, window))

    def moments(self, series: str, window: int) -> tuple[FloatArray, FloatArray]:
        """Return rolling mean and sample deviation of a series."""
        return self.once("moments", series, window, lambda x: rolling.rolling_moments(x, window))

    def mean(self, series: str, window: int) -> FloatArray:
        """Return the rolling mean of a series."""
        return self.once("mean", series, window, lambda x: rolling.rolling_mean(x, window))

    def std(self, series: str, window: int) -> FloatArray:
        """Return the rolling sample deviation of a series."""
        return self.moments(series, window)[1]

    def regression(self, series: str, window: int) -> rolling.Regression:
        """Return the rolling line of a series against time."""
        return self.once("regression", series, window, lambda x: rolling.rolling_regression(x, window))

    def shape(self, series: str, window: int) -> rolling.Shape:
        """Return the rolling variance, skewness and kurtosis, equal from any start."""
        return self.once("shape", series, window, lambda x: rolling.rolling_shape(x, window))

    def maximum(self, series: str, window: int) -> tuple[FloatArray, FloatArray]:
        """Return the rolling maximum and its position (0 = oldest)."""
        return self.once("maximum", series, window, lambda x: rolling.rolling_maximum(x, window))

    def minimum(self, series: str, window: int) -> tuple[FloatArray, FloatArray]:
        """Return the rolling minimum and its position (0 = oldest)."""
        return self.once("minimum", series, window, lambda x: rolling.rolling_minimum(x, window))

    def once(self, kind: str, series: str, window: int, compute: Callable[[FloatArray], T]) -> T:
        """Return what was computed under this key, computing it the first time."""
        key = (kind, series, window)
        if key not in self._kept:
            self._kept[key] = compute(getattr(self, series))
        return self._kept[key]  # type: ignore[return-value]


def known(condition: np.ndarray, *inputs: FloatArray) -> FloatArray:
    """Return a condition as 1.0 and 0.0, and NaN where an input is NaN.

    A comparison with NaN is False; a feature must say "not known" instead.
    """
    out: FloatArray = np.asarray(condition, dtype=np.float64)
    for values in inputs:
        out[np.isnan(values)] = np.nan
    return out
