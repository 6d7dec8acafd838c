"""Volatility: range estimators, realized volatility, its regime and its own unrest.

All are deviations of log returns a bar (not annualized): they need no calendar and mean the same
at any price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.scale import log_change, log_ratio, ratio
from onward.features.manual.talib_segments import talib_indicator
from onward.features.manual.workspace import Workspace, known
from onward.kernels.recursive import ema, ema_lookback, wilder_lookback
from onward.kernels.rolling import (
    lag,
    rolling_correlation,
    rolling_moments,
    rolling_rank,
    rolling_sum,
)
from onward.types import FloatArray

__all__ = ["Volatility"]


@dataclass(frozen=True)
class Volatility(ColumnFamily):
    """Volatility of one symbol.

    Parameters
    ----------
    atr_windows
        Bars of ``atr_ratio_n``: Wilder's average true range (TA-Lib) by the close.
    realized_windows
        Bars of ``realized_volatility_n``: sample deviation of one-bar log returns.
    range_windows
        Bars of the estimators from ranges: ``parkinson_n`` (Parkinson 1980), ``garman_klass_n``
        (Garman and Klass 1980), ``rogers_satchell_n`` (Rogers and Satchell 1991, free of drift)
        and ``yang_zhang_n`` (Yang and Zhang 2000, free of drift, sees gaps); and of
        ``downside_share_n`` (squared falls by squared moves), ``jump_share_n`` (1 - bipower
        variation by realized variance, Barndorff-Nielsen and Shephard 2004) and
        ``absolute_return_autocorrelation_n`` (clustering).
    ratios
        Pairs (short, long) of ``volatility_ratio_s_l``: log of the two realized volatilities'
        ratio.
    regimes
        Pairs (bars, history) of ``volatility_rank_b_h``, the trailing percentile rank in
        (0, 1] of volatility among its last ``history`` values; ``volatility_regime_b_h``, that
        rank in thirds (-1 calm, 0 normal, 1 wild); and ``volatility_of_volatility_b_h``, the
        deviation of volatility by its mean over the same history.
    change_windows
        Bars of ``volatility_change_n``: log of volatility over its value n bars ago.
    exponential_windows
        Bars of ``ewma_volatility_n``: root of the exponential average of squared returns.
    """

    atr_windows: tuple[int, ...] = (14, 48)
    realized_windows: tuple[int, ...] = (6, 24, 72, 168)
    range_windows: tuple[int, ...] = (24, 72)
    ratios: tuple[tuple[int, int], ...] = ((6, 24), (24, 72), (24, 168))
    regimes: tuple[tuple[int, int], ...] = ((24, 168), (24, 720))
    change_windows: tuple[int, ...] = (24,)
    exponential_windows: tuple[int, ...] = (24,)

    def __post_init__(self) -> None:
        check_windows(
            self.name, 1, atr_windows=self.atr_windows, exponential_windows=self.exponential_windows
        )
        check_windows(
            self.name,
            2,
            realized_windows=self.realized_windows,
            range_windows=self.range_windows,
            ratios=self.ratios,
            regimes=self.regimes,
            change_windows=self.change_windows,
        )

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "volatility"

    def features(self) -> tuple[Column, ...]:
        """Return the columns."""
        ranges = (
            _parkinson,
            _garman_klass,
            _rogers_satchell,
            _yang_zhang,
            _downside_share,
            _jump_share,
            _clustering,
        )
        regimes = (_volatility_rank, _volatility_regime, _volatility_of_volatility)
        return (
            Column("true_range", 2, lambda w: ratio(w.true_range, w.close)),
            *(_atr_ratio(window) for window in self.atr_windows),
            *(_realized(window) for window in self.realized_windows),
            *(column(window) for column in ranges for window in self.range_windows),
            *(_volatility_ratio(short, long) for short, long in self.ratios),
            *(column(bars, history) for column in regimes for bars, history in self.regimes),
            *(_volatility_change(window) for window in self.change_windows),
            *(_ewma_volatility(window) for window in self.exponential_windows),
        )


def _atr_ratio(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        average = talib_indicator("ATR", work.high, work.low, work.close, timeperiod=window)
        return ratio(average, work.close)

    return Column(f"atr_ratio_{window}", 1 + wilder_lookback(window), formula)


def _realized(window: int) -> Column:
    return Column(f"realized_volatility_{window}", window + 1, lambda w: w.std("log_return", window))


def _root_mean(squares: FloatArray, window: int) -> FloatArray:
    return np.sqrt(rolling_sum(squares, window) / window)


def _parkinson(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        reach = log_ratio(work.high, work.low)
        return _root_mean(reach**2 / (4.0 * np.log(2.0)), window)

    return Column(f"parkinson_{window}", window, formula)


def _garman_klass(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        reach, body = log_ratio(work.high, work.low), log_ratio(work.close, work.open)
        squares = 0.5 * reach**2 - (2.0 * np.log(2.0) - 1.0) * body**2
        return _root_mean(np.maximum(squares, 0.0), window)

    return Column(f"garman_klass_{window}", window, formula)


def _rogers_satchell_squares(work: Workspace) -> FloatArray:
    rise, fall = log_ratio(work.high, work.open), log_ratio(work.low, work.open)
    body = log_ratio(work.close, work.open)
    squares: FloatArray = rise * (rise - body) + fall * (fall - body)
    return np.maximum(squares, 0.0)


def _rogers_satchell(window: int) -> Column:
    return Column(
        f"rogers_satchell_{window}", window, lambda w: _root_mean(_rogers_satchell_squares(w), window)
    )


def _yang_zhang(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        gap, body = log_ratio(work.open, work.previous_close), log_ratio(work.close, work.open)
        weight = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
        inside = rolling_sum(_rogers_satchell_squares(work), window) / window
        gaps, bodies = rolling_moments(gap, window)[1] ** 2, rolling_moments(body, window)[1] ** 2
        return np.sqrt(gaps + weight * bodies + (1.0 - weight) * inside)

    return Column(f"yang_zhang_{window}", window + 1, formula)


def _downside_share(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        falls = rolling_sum(np.minimum(work.log_return, 0.0) ** 2, window)
        return ratio(falls, work.sum("squared_return", window))

    return Column(f"downside_share_{window}", window + 1, formula)


def _jump_share(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        products = work.absolute_return * lag(work.absolute_return, 1)
        bipower = 0.5 * np.pi * rolling_sum(products, window)
        return 1.0 - ratio(bipower, work.sum("squared_return", window))

    return Column(f"jump_share_{window}", window + 2, formula)


def _clustering(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        return rolling_correlation(work.absolute_return, lag(work.absolute_return, 1), window)

    return Column(f"absolute_return_autocorrelation_{window}", window + 2, formula)


def _volatility_ratio(short: int, long: int) -> Column:
    return Column(
        f"volatility_ratio_{short}_{long}",
        max(short, long) + 1,
        lambda w: log_ratio(w.std("log_return", short), w.std("log_return", long)),
    )


def _rank(work: Workspace, bars: int, history: int) -> FloatArray:
    # Where prices repeat, windows hold the same returns in another order, and their deviations
    # differ by a rounding or not at all. A rank would make a difference of it: so it sees float32,
    # of an estimator that is equal to the last bit wherever the history begins.
    def rank(_: FloatArray) -> FloatArray:
        deviation = np.sqrt(work.shape("log_return", bars).variance)
        return rolling_rank(deviation.astype(np.float32), history)

    return work.once(f"volatility_rank_{bars}", "log_return", history, rank)


def _volatility_rank(bars: int, history: int) -> Column:
    return Column(f"volatility_rank_{bars}_{history}", bars + history, lambda w: _rank(w, bars, history))


def _volatility_regime(bars: int, history: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        rank = _rank(work, bars, history)
        return known(rank > 2.0 / 3.0, rank) - known(rank <= 1.0 / 3.0, rank)

    return Column(f"volatility_regime_{bars}_{history}", bars + history, formula)


def _volatility_of_volatility(bars: int, history: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        mean, deviation = rolling_moments(work.std("log_return", bars), history)
        return ratio(deviation, mean)

    return Column(f"volatility_of_volatility_{bars}_{history}", bars + history, formula)


def _volatility_change(window: int) -> Column:
    return Column(
        f"volatility_change_{window}",
        2 * window + 1,
        lambda w: log_change(w.std("log_return", window), window),
    )


def _ewma_volatility(window: int) -> Column:
    return Column(
        f"ewma_volatility_{window}",
        1 + ema_lookback(window),
        lambda w: np.sqrt(ema(w.squared_return, window)),
    )
