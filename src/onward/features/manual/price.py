"""Shape of the newest candle, and where the close stands in its recent range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.scale import log_ratio, ratio, relative_gap
from onward.features.manual.workspace import Workspace, known
from onward.kernels.rolling import lag
from onward.types import FloatArray

__all__ = ["Price"]


@dataclass(frozen=True)
class Price(ColumnFamily):
    """Candle shape and position in the range.

    A candle without range (high = low) has shares of 0, and a flat window puts the close in its
    middle, 0.5: such bars are real and must not hide the rows around them.

    TA-Lib's candlestick patterns compare a body with a running average, and a rounding error of
    that average can flip them; the continuous shares carry the same information. Engulfing
    compares prices with prices and is kept.

    Parameters
    ----------
    windows
        Bars of the ranges in which the close is placed.
    size_windows
        Bars whose mean candle the newest is compared with.
    """

    windows: tuple[int, ...] = (20, 50, 200)
    size_windows: tuple[int, ...] = (20, 100)

    def __post_init__(self) -> None:
        check_windows(self.name, 2, windows=self.windows, size_windows=self.size_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "price"

    def features(self) -> tuple[Column, ...]:
        """Return the columns."""
        candle = (
            Column("body", 1, lambda work: relative_gap(work.close, work.open)),
            Column("range", 1, lambda work: work.range_share),
            Column("body_share", 1, lambda work: _share(work, work.close - work.open)),
            Column("upper_shadow_share", 1, _upper_shadow),
            Column("lower_shadow_share", 1, _lower_shadow),
            Column("close_location", 1, lambda work: _share(work, 2.0 * work.close - work.high - work.low)),
            Column("gap", 2, lambda work: log_ratio(work.open, work.previous_close)),
            Column("inside_bar", 2, _inside_bar),
            Column("outside_bar", 2, _outside_bar),
            Column("engulfing", 2, _engulfing),
        )
        sizes = (column(window) for column in (_range_to_mean, _body_to_mean) for window in self.size_windows)
        places = (
            column(window)
            for column in (_range_position, _high_distance, _low_distance, _high_age, _low_age)
            for window in self.windows
        )
        return (*candle, *sizes, *places)


def _share(work: Workspace, part: FloatArray) -> FloatArray:
    return _unless_flat(part, work.high - work.low, 0.0)


def _unless_flat(part: FloatArray, whole: FloatArray, neutral: float) -> FloatArray:
    """Return part / whole, and a neutral value where the whole is exactly zero."""
    return np.where(whole == 0.0, neutral, ratio(part, whole))


def _upper_shadow(work: Workspace) -> FloatArray:
    return _share(work, work.high - np.maximum(work.open, work.close))


def _lower_shadow(work: Workspace) -> FloatArray:
    return _share(work, np.minimum(work.open, work.close) - work.low)


def _inside_bar(work: Workspace) -> FloatArray:
    high, low = lag(work.high, 1), lag(work.low, 1)
    return known((work.high <= high) & (work.low >= low), work.high, work.low, high, low)


def _outside_bar(work: Workspace) -> FloatArray:
    high, low = lag(work.high, 1), lag(work.low, 1)
    return known((work.high > high) & (work.low < low), work.high, work.low, high, low)


def _engulfing(work: Workspace) -> FloatArray:
    """Return 1 when a rising body covers the falling one before it, -1 the other way round.

    TA-Lib's rule: one end of the two bodies may coincide, as it always does where trading never
    pauses and a bar opens at the last close.
    """
    opened, closed = lag(work.open, 1), work.previous_close
    above, below = work.close - opened, closed - work.open
    rising = (closed < opened) & (above >= 0.0) & (below >= 0.0) & (above + below > 0.0)
    falling = (closed > opened) & (above <= 0.0) & (below <= 0.0) & (above + below < 0.0)
    return known(rising, work.open, work.close, opened, closed) - falling


def _range_to_mean(window: int) -> Column:
    return Column(
        f"range_to_mean_{window}", window, lambda w: ratio(w.range_share, w.mean("range_share", window))
    )


def _body_to_mean(window: int) -> Column:
    return Column(
        f"body_to_mean_{window}",
        window,
        lambda w: ratio(relative_gap(w.close, w.open), w.mean("range_share", window)),
    )


def _range_position(window: int) -> Column:
    def formula(work: Workspace) -> FloatArray:
        high, low = work.maximum("high", window)[0], work.minimum("low", window)[0]
        return _unless_flat(work.close - low, high - low, 0.5)

    return Column(f"range_position_{window}", window, formula)


def _high_distance(window: int) -> Column:
    return Column(
        f"high_distance_{window}", window, lambda w: relative_gap(w.close, w.maximum("high", window)[0])
    )


def _low_distance(window: int) -> Column:
    return Column(
        f"low_distance_{window}", window, lambda w: relative_gap(w.close, w.minimum("low", window)[0])
    )


def _high_age(window: int) -> Column:
    return Column(f"high_age_{window}", window, lambda w: 1.0 - w.maximum("high", window)[1] / (window - 1.0))


def _low_age(window: int) -> Column:
    return Column(f"low_age_{window}", window, lambda w: 1.0 - w.minimum("low", window)[1] / (window - 1.0))
