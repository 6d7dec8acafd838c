"""Interactions: a few products of basic ingredients that shallow trees would need many splits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.errors import StageError
from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import log_change, log_ratio, ratio
from onward.features.manual.technical_oscillators import range_position, relative_strength
from onward.features.manual.technical_trend import directional_lookback, directional_movement
from onward.kernels.recursive import wilder_lookback
from onward.kernels.rolling import rolling_mean, rolling_std, rolling_zscore
from onward.types import FloatArray

__all__ = ["Interaction"]


@dataclass(frozen=True)
class Interaction:
    """Momentum under different volume, volatility and trend.

    With *momentum* the return over the short window in units of its risk, and *surges* the log
    ratios of short to long means:

    - ``momentum_x_volume``: momentum times volume surge.
    - ``momentum_x_volatility``: momentum times volatility surge.
    - ``momentum_x_position``: momentum times the position of the close in the long range, -1 to
      1: continuation at the edge against a bounce from the middle.
    - ``rsi_x_adx``: RSI (-1 to 1) times ADX (0 to 1), 14 bars: overbought in a trend is not
      overbought in a range.
    - ``shock_x_volume``: newest return in deviations times newest volume in deviations.

    Attributes
    ----------
    short_window, long_window
        Bars of the two horizons.
    oscillator_window
        Bars of RSI and ADX.
    """

    short_window: int = 24
    long_window: int = 120
    oscillator_window: int = 14

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            2,
            short_window=self.short_window,
            long_window=self.long_window,
            oscillator_window=self.oscillator_window,
        )
        if self.short_window >= self.long_window:
            raise StageError(
                f"the short window of the family {self.name!r} is not shorter than the long one",
                got=f"short_window={self.short_window}, long_window={self.long_window}",
                allowed="short_window < long_window",
                remedy="Correct one of them.",
            )

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "interaction"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return (
            "momentum_x_volume",
            "momentum_x_volatility",
            "momentum_x_position",
            "rsi_x_adx",
            "shock_x_volume",
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        n = self.oscillator_window
        windowed, recursive = self.long_window + 1, max(wilder_lookback(n) + 1, directional_lookback(n))
        return tuple(recursive if name == "rsi_x_adx" else windowed for name in self.columns())

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        short, long, n = self.short_window, self.long_window, self.oscillator_window
        close, volume = bars.close, bars.volume
        returns = log_change(close)
        recent, usual = rolling_std(returns, short), rolling_std(returns, long)
        momentum = ratio(log_change(close, short), recent * np.sqrt(short))
        position = 2.0 * range_position(close, bars.high, bars.low, long) - 1.0
        adx = directional_movement(bars, n)[0]
        return {
            "momentum_x_volume": momentum
            * log_ratio(rolling_mean(volume, short), rolling_mean(volume, long)),
            "momentum_x_volatility": momentum * log_ratio(recent, usual),
            "momentum_x_position": momentum * position,
            "rsi_x_adx": (relative_strength(close, n) / 50.0 - 1.0) * adx / 100.0,
            "shock_x_volume": ratio(returns, usual) * rolling_zscore(volume, long),
        }
