"""Trend: how directed the price moves, and which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.errors import StageError
from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import ratio
from onward.features.manual.talib_segments import talib_indicator, talib_indicators
from onward.features.manual.technical_oscillators import LIFT, flat
from onward.kernels.recursive import ema_lookback, wilder_lookback
from onward.kernels.rolling import difference, rolling_sum
from onward.types import FloatArray

__all__ = ["Trend", "directional_lookback", "directional_movement", "efficiency_ratio", "macd_lookback"]


@dataclass(frozen=True)
class Trend:
    """MACD relative to price, directional movement, Aroon, efficiency ratio.

    Attributes
    ----------
    macd
        Bars of the fast average, the slow one and the signal (Appel); line, signal and histogram
        are fractions of the close.
    adx_windows
        Wilder (1978): ADX, +DI and -DI, 0 to 100; NaN where the price has not moved.
    aroon_window
        Chande (1995): bars since the high less bars since the low, -100 to 100.
    efficiency_windows
        Kaufman (1995), *Smarter Trading*: net change over the sum of absolute changes, here with
        its sign, -1 to 1; NaN where the price has not moved.
    """

    macd: tuple[int, int, int] = (12, 26, 9)
    adx_windows: tuple[int, ...] = (14,)
    aroon_window: int = 25
    efficiency_windows: tuple[int, ...] = (10, 40)

    def __post_init__(self) -> None:
        check_macd(self.name, self.macd)
        check_windows(self.name, 2, adx_windows=self.adx_windows, aroon_window=self.aroon_window)
        check_windows(self.name, 1, efficiency_windows=self.efficiency_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "trend"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return (
            "macd_line",
            "macd_signal",
            "macd_histogram",
            *(f"{what}_{n}" for n in self.adx_windows for what in ("adx", "plus_di", "minus_di")),
            f"aroon_{self.aroon_window}",
            *(f"efficiency_{n}" for n in self.efficiency_windows),
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        return (
            *(macd_lookback(self.macd),) * 3,
            *(directional_lookback(n) for n in self.adx_windows for _ in range(3)),
            self.aroon_window + 1,
            *(n + 1 for n in self.efficiency_windows),
        )

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        close = bars.close
        line, signal, histogram = moving_average_convergence(close, self.macd)
        directional: dict[str, FloatArray] = {}
        for n in self.adx_windows:
            adx, plus, minus = directional_movement(bars, n)
            directional |= {f"adx_{n}": adx, f"plus_di_{n}": plus, f"minus_di_{n}": minus}
        return {
            "macd_line": ratio(line, close),
            "macd_signal": ratio(signal, close),
            "macd_histogram": ratio(histogram, close),
            **directional,
            f"aroon_{self.aroon_window}": talib_indicator(
                "AROONOSC", bars.high, bars.low, timeperiod=self.aroon_window
            ),
            **{f"efficiency_{n}": efficiency_ratio(close, n) for n in self.efficiency_windows},
        }


def check_macd(family: str, macd: tuple[int, ...]) -> None:
    """Refuse anything but three whole numbers of bars, the fast one below the slow one."""
    if len(macd) == 3 and 2 <= macd[0] < macd[1] and macd[2] >= 1:
        return
    raise StageError(
        f"the parameter 'macd' of the family {family!r} is not a fast, a slow and a signal window",
        got=repr(macd),
        allowed="three whole numbers of bars, 2 <= fast < slow, signal >= 1",
        remedy="The usual choice is (12, 26, 9).",
    )


def moving_average_convergence(
    close: FloatArray, macd: tuple[int, int, int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return MACD line, signal and histogram in units of price."""
    fast, slow, signal = macd
    line, smooth, histogram = talib_indicators(
        "MACD", close, fastperiod=fast, slowperiod=slow, signalperiod=signal
    )
    return line, smooth, histogram


def macd_lookback(macd: tuple[int, int, int]) -> int:
    """Return the bars after which MACD and its signal have forgotten their seeds."""
    return ema_lookback(macd[1]) + ema_lookback(macd[2])


def directional_movement(bars: Bars, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ADX, +DI and -DI; NaN where neither high, low nor close has moved for two windows."""
    prices = bars.high * LIFT, bars.low * LIFT, bars.close * LIFT
    wide = 2 * window
    still = flat(bars.close, wide) & flat(bars.high, wide) & flat(bars.low, wide)
    adx, plus, minus = (
        np.where(still, np.nan, talib_indicator(name, *prices, timeperiod=window))
        for name in ("ADX", "PLUS_DI", "MINUS_DI")
    )
    return adx, plus, minus


def directional_lookback(window: int) -> int:
    """Return the bars after which ADX has forgotten its seeds.

    It is one Wilder average behind another of the same length. What is left of a seed after k
    bars is (1 + k / n) exp(-k / n); six more windows than one average needs cover the factor.
    """
    return wilder_lookback(window) + 7 * window + 1


def efficiency_ratio(close: FloatArray, window: int) -> FloatArray:
    """Return net change over the sum of absolute changes, with its sign; NaN if nothing moved."""
    path = rolling_sum(np.abs(difference(close, 1)), window)
    return ratio(difference(close, window), path)
