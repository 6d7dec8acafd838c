"""Oscillators: where the price stands in its recent swing, on a bounded scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import ratio, typical_price
from onward.features.manual.talib_segments import talib_indicator
from onward.kernels.recursive import wilder_lookback
from onward.kernels.rolling import lag, rolling_max, rolling_mean, rolling_min, rolling_sum
from onward.types import BoolArray, FloatArray

__all__ = ["Oscillators", "money_flow_index", "relative_strength"]

LIFT = 2.0**40
"""TA-Lib takes averages below 1e-14 for zero. Multiplying prices by a power of two moves cheap
coins out of its reach and changes no bit of a ratio."""


@dataclass(frozen=True)
class Oscillators:
    """RSI, stochastic, Williams %R, CCI, rate of change, money flow index.

    Scales are the published ones: 0 to 100, Williams -100 to 0, CCI about -200 to 200, rate of
    change in percent. An oscillator has no value (NaN) where the window it measures is flat: a
    price that does not move stands nowhere in its range, not at the bottom of it.

    Attributes
    ----------
    rsi_windows
        Wilder (1978), *New Concepts in Technical Trading Systems*.
    stochastic_window
        Bars of the range (Lane); %K is smoothed over 3 bars, %D over 3 more.
    williams_window, cci_window
        Williams (1979); Lambert (1980), "Commodity Channel Index".
    roc_windows
        Bars of the rate of change.
    mfi_window
        Quong and Soudack (1989), "Volume-weighted RSI: money flow".
    """

    rsi_windows: tuple[int, ...] = (7, 14, 21)
    stochastic_window: int = 14
    williams_window: int = 28
    cci_window: int = 20
    roc_windows: tuple[int, ...] = (10, 40)
    mfi_window: int = 14

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            2,
            rsi_windows=self.rsi_windows,
            stochastic_window=self.stochastic_window,
            williams_window=self.williams_window,
            cci_window=self.cci_window,
            mfi_window=self.mfi_window,
        )
        check_windows(self.name, 1, roc_windows=self.roc_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "oscillators"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return (
            *(f"rsi_{n}" for n in self.rsi_windows),
            f"stochastic_k_{self.stochastic_window}",
            f"stochastic_d_{self.stochastic_window}",
            f"williams_{self.williams_window}",
            f"cci_{self.cci_window}",
            *(f"roc_{n}" for n in self.roc_windows),
            f"mfi_{self.mfi_window}",
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        return (
            *(wilder_lookback(n) + 1 for n in self.rsi_windows),
            *(self.stochastic_window + 4,) * 2,
            self.williams_window,
            self.cci_window,
            *(n + 1 for n in self.roc_windows),
            self.mfi_window + 1,
        )

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        high, low, close = bars.high, bars.low, bars.close
        fast = range_position(close, high, low, self.stochastic_window) * 100.0
        slow_k = rolling_mean(fast, 3)
        williams = (range_position(close, high, low, self.williams_window) - 1.0) * 100.0
        cci = talib_indicator("CCI", high, low, close, timeperiod=self.cci_window)
        typical = typical_price(high, low, close)
        return {
            **{f"rsi_{n}": relative_strength(close, n) for n in self.rsi_windows},
            f"stochastic_k_{self.stochastic_window}": slow_k,
            f"stochastic_d_{self.stochastic_window}": rolling_mean(slow_k, 3),
            f"williams_{self.williams_window}": williams,
            f"cci_{self.cci_window}": np.where(flat(typical, self.cci_window), np.nan, cci),
            **{f"roc_{n}": talib_indicator("ROC", close, timeperiod=n) for n in self.roc_windows},
            f"mfi_{self.mfi_window}": money_flow_index(bars, self.mfi_window),
        }


def flat(values: FloatArray, window: int) -> BoolArray:
    """Return where a window holds one value only; false where it is not known."""
    return np.equal(rolling_max(values, window), rolling_min(values, window))


def range_position(value: FloatArray, high: FloatArray, low: FloatArray, window: int) -> FloatArray:
    """Return where a value lies in the trailing range, 0 at its bottom, 1 at its top; NaN if flat."""
    bottom = rolling_min(low, window)
    return ratio(value - bottom, rolling_max(high, window) - bottom)


def relative_strength(close: FloatArray, window: int) -> FloatArray:
    """Return Wilder's RSI, 0 to 100; NaN where the price has not moved for ``window`` bars.

    The rule also keeps long histories and short ones equal: in a market that stands still, the
    averages of a long history never quite reach zero, those of a short one are zero at once.
    """
    value = talib_indicator("RSI", close * LIFT, timeperiod=window)
    return np.where(flat(close, window + 1), np.nan, value)


def money_flow_index(bars: Bars, window: int) -> FloatArray:
    """Return the share of money flow on rising typical prices, 0 to 100; NaN without any flow.

    Not TA-Lib's: that keeps running sums, which remember what has left the window, and answers 0
    whenever the flow is below 1.0, whatever the unit of the volume.
    """
    typical = typical_price(bars.high, bars.low, bars.close)
    flow = typical * bars.volume
    change = typical - lag(typical, 1)
    rising = rolling_sum(np.where(np.isnan(change), np.nan, np.where(change > 0.0, flow, 0.0)), window)
    falling = rolling_sum(np.where(np.isnan(change), np.nan, np.where(change < 0.0, flow, 0.0)), window)
    return 100.0 * ratio(rising, rising + falling)
