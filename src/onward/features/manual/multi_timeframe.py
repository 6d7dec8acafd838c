"""Multi-timeframe: the same few indicators on the closed bars of higher timeframes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.higher_bars import HigherBars, higher_lookback, higher_timeframes, label
from onward.features.manual.scale import log_change, log_ratio, ratio, relative_gap, true_range
from onward.features.manual.technical_levels import band_position
from onward.features.manual.technical_oscillators import range_position
from onward.kernels.rolling import difference, rolling_mean, rolling_std, rolling_sum
from onward.types import FloatArray

__all__ = ["MultiTimeframe"]


@dataclass(frozen=True)
class MultiTimeframe:
    """Return, trend, RSI, bands, range, volatility and volume of 4-hour and daily bars (for hours).

    Every row sees the newest *closed* higher bar. All indicators are windowed: Wilder's RSI of
    daily bars would need a year of hours before it forgets its seed, the form with simple means
    (Cutler's) needs its window. Columns are ``<timeframe>_<indicator>_<window>``.

    Attributes
    ----------
    window
        Higher bars of the moving average, bands, range, volatility and volume.
    return_windows
        Higher bars of the log returns.
    rsi_window
        Higher bars of Cutler's RSI, 0 to 100.
    timeframe
        Length of a base bar, ns; filled in by the stage and decides the higher timeframes: the
        first usual ones of at least 4 and 24 bars. Weeks begin on Monday.
    """

    window: int = 14
    return_windows: tuple[int, ...] = (1, 5)
    rsi_window: int = 10
    timeframe: int = 3_600_000_000_000

    def __post_init__(self) -> None:
        check_windows(self.name, 2, window=self.window, rsi_window=self.rsi_window)
        check_windows(self.name, 1, return_windows=self.return_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "multi_timeframe"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return tuple(
            f"{label(higher)}_{what}"
            for higher in higher_timeframes(self.timeframe)
            for what in ("close_distance", f"sma_ratio_{self.window}", *self._indicators())
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        n_bars = max(self.window, *self.return_windows, self.rsi_window) + 1
        n_columns = 2 + len(self._indicators())
        return tuple(
            higher_lookback(n_bars, higher, self.timeframe)
            for higher in higher_timeframes(self.timeframe)
            for _ in range(n_columns)
        )

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        out: dict[str, FloatArray] = {}
        for timeframe in higher_timeframes(bars.timeframe):
            higher, prefix = HigherBars.of(bars, timeframe), label(timeframe)
            mean = rolling_mean(higher.close, self.window)
            seen = higher.on_base({"close": higher.close, "mean": mean, **self._compute(higher)})
            out[f"{prefix}_close_distance"] = relative_gap(bars.close, seen.pop("close"))
            out[f"{prefix}_sma_ratio_{self.window}"] = relative_gap(bars.close, seen.pop("mean"))
            out |= {f"{prefix}_{what}": values for what, values in seen.items()}
        return out

    def _indicators(self) -> tuple[str, ...]:
        n = self.window
        return (
            *(f"return_{bars}" for bars in self.return_windows),
            f"rsi_{self.rsi_window}",
            f"bollinger_position_{n}",
            f"range_position_{n}",
            f"volatility_{n}",
            f"true_range_{n}",
            f"volume_ratio_{n}",
        )

    def _compute(self, higher: HigherBars) -> dict[str, FloatArray]:
        close, n = higher.close, self.window
        reach = true_range(higher.high, higher.low, close)
        values = (
            *(log_change(close, bars) for bars in self.return_windows),
            simple_strength(close, self.rsi_window),
            band_position(close, n, 2.0)[0],
            range_position(close, higher.high, higher.low, n),
            rolling_std(log_change(close), n),
            ratio(rolling_mean(reach, n), close),
            log_ratio(higher.volume, rolling_mean(higher.volume, n)),
        )
        return dict(zip(self._indicators(), values, strict=True))


def simple_strength(close: FloatArray, window: int) -> FloatArray:
    """Return Cutler's RSI: share of gains in all moves of the window, 0 to 100; NaN if none moved."""
    change = difference(close, 1)
    moves = rolling_sum(np.abs(change), window)
    return 50.0 * (1.0 + ratio(rolling_sum(change, window), moves))
