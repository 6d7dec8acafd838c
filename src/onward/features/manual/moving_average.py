"""Moving averages, as distances: of the close from an average, of one average from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.scale import log_change, ratio, relative_gap
from onward.features.manual.talib_segments import talib_indicator
from onward.features.manual.workspace import Workspace
from onward.kernels.recursive import ema_lookback
from onward.types import FloatArray

__all__ = ["MovingAverage"]


@dataclass(frozen=True)
class MovingAverage(ColumnFamily):
    """Ratios of the close and of averages to averages.

    Simple and weighted averages come from the rolling kernels (TA-Lib's are running sums, which
    drift), exponential ones from TA-Lib, whose first value is the mean of the first n closes.

    Parameters
    ----------
    simple_windows
        Bars of ``sma_ratio_n``: close by simple average, minus 1.
    exponential_windows
        Bars of ``ema_ratio_n``.
    weighted_windows
        Bars of ``wma_ratio_n`` (weights 1 to n).
    double_windows
        Bars of ``dema_ratio_n`` (Mulloy 1994, "Smoothing data with faster moving averages").
    simple_crosses, exponential_crosses
        Pairs (short, long) of ``sma_cross_s_l`` and ``ema_cross_s_l``: short by long, minus 1.
    slope_windows
        Bars of ``sma_slope_n``: log change of the simple average a bar, taken over n / 4 bars.
    """

    simple_windows: tuple[int, ...] = (10, 20, 50, 200)
    exponential_windows: tuple[int, ...] = (12, 26, 50, 100)
    weighted_windows: tuple[int, ...] = (20,)
    double_windows: tuple[int, ...] = (20,)
    simple_crosses: tuple[tuple[int, int], ...] = ((5, 20), (10, 50), (20, 100), (50, 200))
    exponential_crosses: tuple[tuple[int, int], ...] = ((12, 26), (26, 100))
    slope_windows: tuple[int, ...] = (20, 50, 100)

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            2,
            simple_windows=self.simple_windows,
            exponential_windows=self.exponential_windows,
            weighted_windows=self.weighted_windows,
            double_windows=self.double_windows,
            simple_crosses=self.simple_crosses,
            exponential_crosses=self.exponential_crosses,
            slope_windows=self.slope_windows,
        )

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "moving_average"

    def features(self) -> tuple[Column, ...]:
        """Return the columns."""
        ratios = (
            *(_sma_ratio(window) for window in self.simple_windows),
            *(_ema_ratio(window) for window in self.exponential_windows),
            *(_wma_ratio(window) for window in self.weighted_windows),
            *(_dema_ratio(window) for window in self.double_windows),
        )
        crosses = (
            *(_sma_cross(short, long) for short, long in self.simple_crosses),
            *(_ema_cross(short, long) for short, long in self.exponential_crosses),
        )
        slopes = (_sma_slope(window) for window in self.slope_windows)
        spread = (_sma_spread(self.simple_windows),) if len(self.simple_windows) > 1 else ()
        return (*ratios, *crosses, *slopes, *spread)


def _ema(work: Workspace, window: int) -> FloatArray:
    return work.once("ema", "close", window, lambda x: talib_indicator("EMA", x, timeperiod=window))


def _sma_ratio(window: int) -> Column:
    return Column(f"sma_ratio_{window}", window, lambda w: relative_gap(w.close, w.mean("close", window)))


def _ema_ratio(window: int) -> Column:
    return Column(
        f"ema_ratio_{window}", ema_lookback(window), lambda w: relative_gap(w.close, _ema(w, window))
    )


def _wma_ratio(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        # Weights 1 to n average to the mean, moved along the fitted line by (n - 1) / 6.
        line = work.regression("close", window)
        return relative_gap(work.close, line.mean + line.slope * ((window - 1.0) / 6.0))

    return Column(f"wma_ratio_{window}", window, formula)


def _dema_ratio(window: int) -> Column:
    return Column(
        f"dema_ratio_{window}",
        2 * ema_lookback(window),
        lambda w: relative_gap(w.close, talib_indicator("DEMA", w.close, timeperiod=window)),
    )


def _sma_cross(short: int, long: int) -> Column:
    return Column(
        f"sma_cross_{short}_{long}",
        max(short, long),
        lambda w: relative_gap(w.mean("close", short), w.mean("close", long)),
    )


def _ema_cross(short: int, long: int) -> Column:
    return Column(
        f"ema_cross_{short}_{long}",
        max(ema_lookback(short), ema_lookback(long)),
        lambda w: relative_gap(_ema(w, short), _ema(w, long)),
    )


def _sma_slope(window: int) -> Column:
    bars = max(1, window // 4)
    return Column(
        f"sma_slope_{window}", window + bars, lambda w: log_change(w.mean("close", window), bars) / bars
    )


def _sma_spread(windows: tuple[int, ...]) -> Column:
    def formula(work: Workspace) -> FloatArray:
        """How far the averages lie apart: small when the market goes sideways."""
        averages = [work.mean("close", window) for window in windows]
        highest: FloatArray = np.maximum.reduce(averages)
        lowest: FloatArray = np.minimum.reduce(averages)
        return ratio(highest - lowest, work.close)

    return Column("sma_spread", max(windows), formula)
