"""Levels: how far the price is from bands, trailing extremes and pivots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.higher_bars import HigherBars, higher_lookback, session_timeframe
from onward.features.manual.scale import ratio, relative_gap, true_range
from onward.kernels.rolling import lag, rolling_max, rolling_mean, rolling_min, rolling_moments
from onward.types import FloatArray

__all__ = ["Levels", "band_position"]

PIVOTS = ("pivot", "resistance_1", "support_1", "resistance_2", "support_2")


@dataclass(frozen=True)
class Levels:
    """Bollinger bands, distance to support and resistance, breakout strength, classic pivots.

    Distances are fractions of the level (``close / level - 1``). Support and resistance are the
    extremes of the ``window`` bars *before* the row, so that a new high stands above its
    resistance.

    Attributes
    ----------
    bollinger_window, bollinger_deviations
        Bollinger (2001): %b is 0 at the lower band and 1 at the upper; width is a fraction of
        the middle. Population deviation, as TA-Lib. NaN where the window is flat.
    windows
        Bars of the extremes. Breakout strength: how far the close is beyond the extreme, in mean
        true ranges of the same window; 0 inside the range, negative below it.
    timeframe
        Length of a bar, ns; filled in by the stage. Pivots are taken from the last closed UTC
        day (for daily bars the last closed week); without either there are none.
    """

    bollinger_window: int = 20
    bollinger_deviations: float = 2.0
    windows: tuple[int, ...] = (24, 96)
    timeframe: int = 3_600_000_000_000

    def __post_init__(self) -> None:
        check_windows(self.name, 2, bollinger_window=self.bollinger_window, windows=self.windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "levels"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        levels = ("resistance_distance", "support_distance", "breakout")
        return (
            f"bollinger_position_{self.bollinger_window}",
            f"bollinger_width_{self.bollinger_window}",
            *(f"{what}_{n}" for n in self.windows for what in levels),
            *(f"{what}_distance" for what in PIVOTS if session_timeframe(self.timeframe)),
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        session = session_timeframe(self.timeframe)
        return (
            *(self.bollinger_window,) * 2,
            *(n + 1 for n in self.windows for _ in range(3)),
            *((higher_lookback(1, session, self.timeframe),) * len(PIVOTS) if session else ()),
        )

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        n = self.bollinger_window
        position, width = band_position(bars.close, n, self.bollinger_deviations)
        out = {f"bollinger_position_{n}": position, f"bollinger_width_{n}": width}
        for window in self.windows:
            out |= self._extremes(bars, window)
        if session := session_timeframe(bars.timeframe):
            out |= _pivots(bars, session)
        return out

    def _extremes(self, bars: Bars, window: int) -> dict[str, FloatArray]:
        close = bars.close
        top, bottom = lag(rolling_max(bars.high, window), 1), lag(rolling_min(bars.low, window), 1)
        reach = rolling_mean(true_range(bars.high, bars.low, close), window)
        beyond = np.maximum(close - top, 0.0) - np.maximum(bottom - close, 0.0)
        return {
            f"resistance_distance_{window}": relative_gap(close, top),
            f"support_distance_{window}": relative_gap(close, bottom),
            f"breakout_{window}": ratio(beyond, reach),
        }


def band_position(close: FloatArray, window: int, deviations: float) -> tuple[FloatArray, FloatArray]:
    """Return Bollinger's %b and band width (fraction of the middle)."""
    middle, deviation = rolling_moments(close, window, ddof=0)
    width = 2.0 * deviations * deviation
    return ratio(close - middle, width) + 0.5, ratio(width, middle)


def _pivots(bars: Bars, session: int) -> dict[str, FloatArray]:
    before = HigherBars.of(bars, session)
    pivot = (before.high + before.low + before.close) / 3.0
    reach = before.high - before.low
    levels = before.on_base(
        {
            "pivot": pivot,
            "resistance_1": 2.0 * pivot - before.low,
            "support_1": 2.0 * pivot - before.high,
            "resistance_2": pivot + reach,
            "support_2": pivot - reach,
        }
    )
    return {f"{what}_distance": relative_gap(bars.close, level) for what, level in levels.items()}
