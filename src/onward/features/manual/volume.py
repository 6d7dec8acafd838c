"""Volume: its size against its own past, its direction, and the price at which it traded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.scale import log_ratio, ratio, relative_gap
from onward.features.manual.workspace import Workspace
from onward.kernels.rolling import (
    lag,
    rolling_correlation,
    rolling_median,
    rolling_rank,
    rolling_sum,
    rolling_zscore,
)
from onward.types import FloatArray

__all__ = ["Volume"]


@dataclass(frozen=True)
class Volume(ColumnFamily):
    """Volume features, all relative to the symbol's own volume.

    On-balance volume, accumulation/distribution and the price-volume trend are running totals
    since the first bar, a number without meaning. Their change over a window is the sum of the
    window's own terms; divided by the window's volume it lies between -1 and 1 (for the
    price-volume trend: the volume-weighted mean return a bar).

    Parameters
    ----------
    windows
        Bars of ``volume_ratio_n`` (volume by its mean), ``volume_spike_n`` (volume by the median
        of the n bars before), ``volume_zscore_n`` and ``volume_rank_n``.
    trend_windows
        Bars of ``volume_trend_n`` (rise of the fitted line over the window, by the mean) and
        ``volume_dispersion_n`` (deviation by mean).
    crosses
        Pairs (short, long) of ``volume_cross_s_l``: mean by mean, minus 1, and of
        ``illiquidity_ratio_s_l``: log of the two windows' price move per traded value (Amihud
        2002).
    flow_windows
        Bars of ``vwap_deviation_n`` (close by the volume-weighted typical price, minus 1),
        ``price_volume_trend_n``, ``obv_change_n``, ``accumulation_change_n`` (Chaikin's money
        flow), ``up_volume_share_n``, ``volume_return_correlation_n`` and
        ``volume_move_correlation_n`` (volume with return, and with its size).
    """

    windows: tuple[int, ...] = (20, 168)
    trend_windows: tuple[int, ...] = (24, 72)
    crosses: tuple[tuple[int, int], ...] = ((5, 20), (24, 168))
    flow_windows: tuple[int, ...] = (24, 72)

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            2,
            windows=self.windows,
            trend_windows=self.trend_windows,
            crosses=self.crosses,
            flow_windows=self.flow_windows,
        )

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "volume"

    def features(self) -> tuple[Column, ...]:
        """Return the columns."""
        sizes = (_volume_ratio, _volume_spike, _volume_zscore, _volume_rank)
        trends = (_volume_trend, _volume_dispersion)
        crosses = (_volume_cross, _illiquidity_ratio)
        flows = (
            _vwap_deviation,
            _price_volume_trend,
            _obv_change,
            _accumulation_change,
            _up_volume_share,
            _return_correlation,
            _move_correlation,
        )
        return (
            *(column(window) for column in sizes for window in self.windows),
            *(column(window) for column in trends for window in self.trend_windows),
            *(column(short, long) for column in crosses for short, long in self.crosses),
            *(column(window) for column in flows for window in self.flow_windows),
        )


def _volume_ratio(window: int) -> Column:
    return Column(f"volume_ratio_{window}", window, lambda w: ratio(w.volume, w.mean("volume", window)))


def _volume_spike(window: int) -> Column:
    return Column(
        f"volume_spike_{window}",
        window + 1,
        lambda w: ratio(w.volume, lag(rolling_median(w.volume, window), 1)),
    )


def _volume_zscore(window: int) -> Column:
    return Column(f"volume_zscore_{window}", window, lambda w: rolling_zscore(w.volume, window))


def _volume_rank(window: int) -> Column:
    return Column(f"volume_rank_{window}", window, lambda w: rolling_rank(w.volume, window))


def _volume_trend(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        line = work.regression("volume", window)
        return ratio(line.slope * window, line.mean)

    return Column(f"volume_trend_{window}", window, formula)


def _volume_dispersion(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        mean, deviation = work.moments("volume", window)
        return ratio(deviation, mean)

    return Column(f"volume_dispersion_{window}", window, formula)


def _volume_cross(short: int, long: int) -> Column:
    return Column(
        f"volume_cross_{short}_{long}",
        max(short, long),
        lambda w: relative_gap(w.mean("volume", short), w.mean("volume", long)),
    )


def _illiquidity_ratio(short: int, long: int) -> Column:
    def move_per_value(work: Workspace, window: int) -> FloatArray:
        value = rolling_sum(work.typical_price * work.volume, window)
        return ratio(work.sum("absolute_return", window), value)

    return Column(
        f"illiquidity_ratio_{short}_{long}",
        max(short, long) + 1,
        lambda w: log_ratio(move_per_value(w, short), move_per_value(w, long)),
    )


def _vwap_deviation(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        traded = rolling_sum(work.typical_price * work.volume, window)
        return relative_gap(work.close, ratio(traded, work.sum("volume", window)))

    return Column(f"vwap_deviation_{window}", window, formula)


def _by_volume(work: Workspace, terms: FloatArray, window: int) -> FloatArray:
    return ratio(rolling_sum(terms, window), work.sum("volume", window))


def _price_volume_trend(window: int) -> Column:
    return Column(
        f"price_volume_trend_{window}",
        window + 1,
        lambda w: _by_volume(w, relative_gap(w.close, w.previous_close) * w.volume, window),
    )


def _obv_change(window: int) -> Column:
    return Column(
        f"obv_change_{window}", window + 1, lambda w: _by_volume(w, (w.up - w.down) * w.volume, window)
    )


def _accumulation_change(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        span = work.high - work.low
        # A bar without range says nothing about direction: it adds volume and no flow.
        location = np.where(span == 0.0, 0.0, ratio(2.0 * work.close - work.high - work.low, span))
        return _by_volume(work, location * work.volume, window)

    return Column(f"accumulation_change_{window}", window, formula)


def _up_volume_share(window: int) -> Column:
    return Column(f"up_volume_share_{window}", window + 1, lambda w: _by_volume(w, w.up * w.volume, window))


def _return_correlation(window: int) -> Column:
    return Column(
        f"volume_return_correlation_{window}",
        window + 1,
        lambda w: rolling_correlation(w.log_return, w.volume, window),
    )


def _move_correlation(window: int) -> Column:
    return Column(
        f"volume_move_correlation_{window}",
        window + 1,
        lambda w: rolling_correlation(w.absolute_return, w.volume, window),
    )
