"""Divergence: the price at the edge of its range while its momentum is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.technical_oscillators import range_position, relative_strength
from onward.features.manual.technical_trend import check_macd, macd_lookback, moving_average_convergence
from onward.kernels.recursive import wilder_lookback
from onward.types import FloatArray

__all__ = ["Divergence"]


@dataclass(frozen=True)
class Divergence:
    """Position of the close in its trailing range less that of an indicator in its own.

    Between -1 and 1. Near 1: the price is at its high and momentum is not (bearish divergence);
    near -1 the reverse. A continuous measure instead of matched peaks: those are only known bars
    later, and flip with a rounding error. NaN where either range is zero.

    Attributes
    ----------
    windows
        Bars of the ranges.
    rsi_window
        Bars of the RSI.
    macd
        Bars of fast average, slow average and signal; the histogram is compared.
    """

    windows: tuple[int, ...] = (24, 72)
    rsi_window: int = 14
    macd: tuple[int, int, int] = (12, 26, 9)

    def __post_init__(self) -> None:
        check_windows(self.name, 2, windows=self.windows, rsi_window=self.rsi_window)
        check_macd(self.name, self.macd)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "divergence"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return tuple(f"divergence_{what}_{n}" for n in self.windows for what in ("rsi", "macd"))

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        warm_ups = wilder_lookback(self.rsi_window) + 1, macd_lookback(self.macd)
        return tuple(warm_up + n for n in self.windows for warm_up in warm_ups)

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        close = bars.close
        momentum = {
            "rsi": relative_strength(close, self.rsi_window),
            "macd": moving_average_convergence(close, self.macd)[2],
        }
        out = {}
        for n in self.windows:
            price = range_position(close, close, close, n)
            for what, values in momentum.items():
                out[f"divergence_{what}_{n}"] = price - range_position(values, values, values, n)
        return out
