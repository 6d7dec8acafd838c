"""Returns and momentum: how far, how steadily and how unusually the close has moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.scale import log_change, ratio, relative_gap
from onward.features.manual.workspace import Workspace
from onward.kernels.rolling import (
    lag,
    rolling_correlation,
    rolling_rank,
    rolling_zscore,
    streak,
)
from onward.types import FloatArray

__all__ = ["Returns"]


@dataclass(frozen=True)
class Returns(ColumnFamily):
    """Log returns, momentum in units of risk, and the shape of the recent returns.

    Parameters
    ----------
    windows
        Bars over which ``return_n`` is taken.
    lags
        Ages of the one-bar returns given as ``return_1_lag_n``.
    momentum_windows
        Bars of ``momentum_n`` (return over n bars by the deviation that independent returns of
        this size would give it), of ``trend_slope_n`` and ``trend_rsquared_n`` (a line through
        the log closes).
    acceleration_windows
        Bars of ``acceleration_n``: return of the last n bars minus that of the n before.
    shape_windows
        Bars of skewness, kurtosis, first autocorrelation, share of rising bars, gain share (sum
        of gains by sum of moves), z-score and rank of the newest return.
    drawdown_windows
        Bars of ``drawdown_n`` and ``runup_n``: distance of the close from its extreme closes.
    streak_bars
        Cap of ``up_streak_n`` and ``down_streak_n``.
    """

    windows: tuple[int, ...] = (1, 3, 6, 12, 24, 48, 168)
    lags: tuple[int, ...] = (1, 2, 3)
    momentum_windows: tuple[int, ...] = (24, 72, 168)
    acceleration_windows: tuple[int, ...] = (6, 24)
    shape_windows: tuple[int, ...] = (72,)
    drawdown_windows: tuple[int, ...] = (72, 168)
    streak_bars: int = 10

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            1,
            windows=self.windows,
            lags=self.lags,
            acceleration_windows=self.acceleration_windows,
            drawdown_windows=self.drawdown_windows,
            streak_bars=self.streak_bars,
        )
        check_windows(self.name, 3, momentum_windows=self.momentum_windows, shape_windows=self.shape_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "returns"

    def features(self) -> tuple[Column, ...]:
        """Return the columns."""
        kinds = (
            ((_return,), self.windows),
            ((_lagged_return,), self.lags),
            ((_momentum, _trend_slope, _trend_rsquared), self.momentum_windows),
            ((_acceleration,), self.acceleration_windows),
            (
                (_skewness, _kurtosis, _autocorrelation, _up_share, _gain_share, _zscore, _rank),
                self.shape_windows,
            ),
            ((_drawdown, _runup), self.drawdown_windows),
            ((_up_streak, _down_streak), (self.streak_bars,)),
        )
        return tuple(column(window) for columns, windows in kinds for column in columns for window in windows)


def _return(window: int) -> Column:
    return Column(f"return_{window}", window + 1, lambda w: log_change(w.close, window))


def _lagged_return(bars: int) -> Column:
    return Column(f"return_1_lag_{bars}", bars + 2, lambda w: lag(w.log_return, bars))


def _momentum(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        risk = work.std("log_return", window) * np.sqrt(window)
        return ratio(log_change(work.close, window), risk)

    return Column(f"momentum_{window}", window + 1, formula)


def _trend_slope(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        """Rise of the fitted line over the window, in units of risk."""
        risk = work.std("log_return", window) * np.sqrt(window)
        return ratio(work.regression("log_close", window).slope * window, risk)

    return Column(f"trend_slope_{window}", window + 1, formula)


def _trend_rsquared(window: int) -> Column:
    return Column(f"trend_rsquared_{window}", window, lambda w: w.regression("log_close", window).rsquared)


def _acceleration(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        change = log_change(work.close, window)
        out: FloatArray = change - lag(change, window)
        return out

    return Column(f"acceleration_{window}", 2 * window + 1, formula)


def _skewness(window: int) -> Column:
    return Column(f"return_skewness_{window}", window + 1, lambda w: w.shape("log_return", window).skewness)


def _kurtosis(window: int) -> Column:
    return Column(f"return_kurtosis_{window}", window + 1, lambda w: w.shape("log_return", window).kurtosis)


def _autocorrelation(window: int) -> Column:
    return Column(
        f"return_autocorrelation_{window}",
        window + 2,
        lambda w: rolling_correlation(w.log_return, lag(w.log_return, 1), window),
    )


def _up_share(window: int) -> Column:
    return Column(f"up_share_{window}", window + 1, lambda w: w.mean("up", window))


def _gain_share(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        """Sum of gains by sum of moves, from their difference, which is the return itself."""
        moves = work.sum("absolute_return", window)
        return ratio(0.5 * (work.sum("log_return", window) + moves), moves)

    return Column(f"gain_share_{window}", window + 1, formula)


def _zscore(window: int) -> Column:
    return Column(f"return_zscore_{window}", window + 1, lambda w: rolling_zscore(w.log_return, window))


def _rank(window: int) -> Column:
    return Column(f"return_rank_{window}", window + 1, lambda w: rolling_rank(w.log_return, window))


def _drawdown(window: int) -> Column:
    return Column(
        f"drawdown_{window}", window, lambda w: relative_gap(w.close, w.maximum("close", window)[0])
    )


def _runup(window: int) -> Column:
    return Column(f"runup_{window}", window, lambda w: relative_gap(w.close, w.minimum("close", window)[0]))


def _up_streak(bars: int) -> Column:
    return Column(f"up_streak_{bars}", bars + 1, lambda w: streak(w.up, bars))


def _down_streak(bars: int) -> Column:
    return Column(f"down_streak_{bars}", bars + 1, lambda w: streak(w.down, bars))
