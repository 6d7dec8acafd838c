"""Alpha158: the 158 published price-volume formulas, on full windows.

The formulas are those of Microsoft's Qlib (``Alpha158DL.get_feature_config``, MIT licence; Yang
et al. 2020, "Qlib: An AI-oriented Quantitative Investment Platform"), column for column. Three
things differ, on purpose:

- a window that is not full yet gives NaN, where Qlib computes on what there is;
- the volume-weighted average price, which candles do not carry, is (high + low + close) / 3;
- a correlation or determination of a flat window is NaN when the window is exactly flat; Qlib
  also drops it when the deviation is below 2e-5.

The formulas' own ``1e-12`` is kept: after a bar without volume ``VMA`` and ``VSTD`` are huge, as
published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from onward.features.manual.columns import Column, ColumnFamily, check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import ratio
from onward.features.manual.workspace import Workspace, known
from onward.kernels import rolling
from onward.types import FloatArray

__all__ = ["Alpha158"]

TINY = 1e-12
PIECE = 16_384
"""Rows computed at a time: 128 kB a series."""


@dataclass(frozen=True)
class Alpha158(ColumnFamily):
    """The published formulas, names included.

    Parameters
    ----------
    windows
        Bars of the rolling formulas; the published set is 5, 10, 20, 30, 60.
    """

    windows: tuple[int, ...] = (5, 10, 20, 30, 60)

    def __post_init__(self) -> None:
        check_windows(self.name, 2, windows=self.windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "alpha158"

    def features(self) -> tuple[Column, ...]:
        """Return the columns in the published order."""
        fixed = (Column(name, 1, _on_alpha(formula)) for name, formula in _CANDLE.items())
        moving = (
            Column(f"{name}{window}", window + extra, _on_window(formula, window))
            for name, (extra, formula) in _ROLLING.items()
            for window in self.windows
        )
        return (*fixed, *moving)

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return float64 arrays by column name, computed in pieces that stay in the cache.

        All formulas see a window and nothing before it, so a piece needs the rows of one window
        in front of it, and memory for intermediate series does not grow with the history.
        """
        n, names = len(bars), self.columns()
        out = np.empty((len(names), n))
        margin = self.lookback(bars.timeframe) - 1
        for start in range(0, n, PIECE):
            first, stop = max(0, start - margin), min(n, start + PIECE)
            for column, values in zip(out, super().compute(_cut(bars, first, stop)).values(), strict=True):
                column[start:stop] = values[start - first :]
        return dict(zip(names, out, strict=True))

    def workspace(self, bars: Bars) -> Workspace:
        """Return the workspace with the series that these formulas share."""
        return _AlphaWorkspace(bars)


def _cut(bars: Bars, first: int, stop: int) -> Bars:
    rows = slice(first, stop)
    prices = (bars.open[rows], bars.high[rows], bars.low[rows], bars.close[rows])
    return Bars(*prices, bars.volume[rows], bars.open_time[rows], bars.timeframe, {})


class _AlphaWorkspace(Workspace):
    """The intermediate series of the formulas."""

    @cached_property
    def span(self) -> FloatArray:
        return self.high - self.low + TINY

    @cached_property
    def top(self) -> FloatArray:
        return np.maximum(self.open, self.close)

    @cached_property
    def bottom(self) -> FloatArray:
        return np.minimum(self.open, self.close)

    @cached_property
    def volume_or_tiny(self) -> FloatArray:
        return self.volume + TINY

    @cached_property
    def previous_volume(self) -> FloatArray:
        return rolling.lag(self.volume, 1)

    @cached_property
    def log_volume(self) -> FloatArray:
        return np.log(self.volume + 1.0)

    @cached_property
    def close_ratio(self) -> FloatArray:
        return ratio(self.close, self.previous_close)

    @cached_property
    def log_volume_ratio(self) -> FloatArray:
        return np.log(ratio(self.volume, self.previous_volume) + 1.0)

    @cached_property
    def rises(self) -> FloatArray:
        return known(self.close > self.previous_close, self.close, self.previous_close)

    @cached_property
    def falls(self) -> FloatArray:
        return known(self.close < self.previous_close, self.close, self.previous_close)

    @cached_property
    def gains(self) -> FloatArray:
        return np.maximum(self.close - self.previous_close, 0.0)

    @cached_property
    def losses(self) -> FloatArray:
        return np.maximum(self.previous_close - self.close, 0.0)

    @cached_property
    def moves(self) -> FloatArray:
        return np.abs(self.close - self.previous_close)

    @cached_property
    def volume_gains(self) -> FloatArray:
        return np.maximum(self.volume - self.previous_volume, 0.0)

    @cached_property
    def volume_losses(self) -> FloatArray:
        return np.maximum(self.previous_volume - self.volume, 0.0)

    @cached_property
    def volume_moves(self) -> FloatArray:
        return np.abs(self.volume - self.previous_volume)

    @cached_property
    def weighted_moves(self) -> FloatArray:
        return np.abs(self.close_ratio - 1.0) * self.volume

    def order(self, window: int) -> tuple[FloatArray, FloatArray]:
        """Return rank of the newest close, and the 0.8 and 0.2 quantiles of the closes."""
        return self.once(
            "order", "close", window, lambda x: rolling.rolling_rank_and_quantiles(x, window, (0.8, 0.2))
        )

    def deviation(self, window: int) -> FloatArray:
        """Return the sample deviation of the close, from the sums that the fitted line needs too."""
        return np.sqrt(self.regression("close", window).spread / (window - 1.0))

    def highest(self, window: int) -> FloatArray:
        return self.maximum("high", window)[0]

    def lowest(self, window: int) -> FloatArray:
        return self.minimum("low", window)[0]

    def highest_at(self, window: int) -> FloatArray:
        """Return the position of the highest high, counted from 1 (the oldest bar)."""
        return self.maximum("high", window)[1] + 1.0

    def lowest_at(self, window: int) -> FloatArray:
        """Return the position of the lowest low, counted from 1 (the oldest bar)."""
        return self.minimum("low", window)[1] + 1.0


Formula = Callable[[_AlphaWorkspace], FloatArray]
RollingFormula = Callable[[_AlphaWorkspace, int], FloatArray]


def _on_alpha(formula: Formula) -> Callable[[Workspace], FloatArray]:
    def on_workspace(work: Workspace) -> FloatArray:
        assert isinstance(work, _AlphaWorkspace)
        return formula(work)

    return on_workspace


def _on_window(formula: RollingFormula, window: int) -> Callable[[Workspace], FloatArray]:
    return _on_alpha(lambda work: formula(work, window))


def _share(part: str, whole: str) -> RollingFormula:
    """Return Sum(part, d) / (Sum(whole, d) + 1e-12)."""
    return lambda a, d: a.sum(part, d) / (a.sum(whole, d) + TINY)


def _balance(part: str, other: str, whole: str) -> RollingFormula:
    """Return (Sum(part, d) - Sum(other, d)) / (Sum(whole, d) + 1e-12)."""
    return lambda a, d: (a.sum(part, d) - a.sum(other, d)) / (a.sum(whole, d) + TINY)


_CANDLE: dict[str, Formula] = {
    "KMID": lambda a: (a.close - a.open) / a.open,
    "KLEN": lambda a: (a.high - a.low) / a.open,
    "KMID2": lambda a: (a.close - a.open) / a.span,
    "KUP": lambda a: (a.high - a.top) / a.open,
    "KUP2": lambda a: (a.high - a.top) / a.span,
    "KLOW": lambda a: (a.bottom - a.low) / a.open,
    "KLOW2": lambda a: (a.bottom - a.low) / a.span,
    "KSFT": lambda a: (2.0 * a.close - a.high - a.low) / a.open,
    "KSFT2": lambda a: (2.0 * a.close - a.high - a.low) / a.span,
    "OPEN0": lambda a: a.open / a.close,
    "HIGH0": lambda a: a.high / a.close,
    "LOW0": lambda a: a.low / a.close,
    "VWAP0": lambda a: a.typical_price / a.close,
}

_ROLLING: dict[str, tuple[int, RollingFormula]] = {
    # name: (bars needed beyond the window, formula)
    "ROC": (1, lambda a, d: rolling.lag(a.close, d) / a.close),
    "MA": (0, lambda a, d: a.regression("close", d).mean / a.close),
    "STD": (0, lambda a, d: a.deviation(d) / a.close),
    "BETA": (0, lambda a, d: a.regression("close", d).slope / a.close),
    "RSQR": (0, lambda a, d: a.regression("close", d).rsquared),
    "RESI": (0, lambda a, d: a.regression("close", d).residual / a.close),
    "MAX": (0, lambda a, d: a.highest(d) / a.close),
    "MIN": (0, lambda a, d: a.lowest(d) / a.close),
    "QTLU": (0, lambda a, d: a.order(d)[1][0] / a.close),
    "QTLD": (0, lambda a, d: a.order(d)[1][1] / a.close),
    "RANK": (0, lambda a, d: a.order(d)[0]),
    "RSV": (0, lambda a, d: (a.close - a.lowest(d)) / (a.highest(d) - a.lowest(d) + TINY)),
    "IMAX": (0, lambda a, d: a.highest_at(d) / d),
    "IMIN": (0, lambda a, d: a.lowest_at(d) / d),
    "IMXD": (0, lambda a, d: (a.highest_at(d) - a.lowest_at(d)) / d),
    "CORR": (0, lambda a, d: rolling.rolling_correlation(a.close, a.log_volume, d)),
    "CORD": (1, lambda a, d: rolling.rolling_correlation(a.close_ratio, a.log_volume_ratio, d)),
    "CNTP": (1, lambda a, d: a.sum("rises", d) / d),
    "CNTN": (1, lambda a, d: a.sum("falls", d) / d),
    "CNTD": (1, lambda a, d: a.sum("rises", d) / d - a.sum("falls", d) / d),
    "SUMP": (1, _share("gains", "moves")),
    "SUMN": (1, _share("losses", "moves")),
    "SUMD": (1, _balance("gains", "losses", "moves")),
    "VMA": (0, lambda a, d: a.moments("volume", d)[0] / a.volume_or_tiny),
    "VSTD": (0, lambda a, d: a.moments("volume", d)[1] / a.volume_or_tiny),
    "WVMA": (
        1,
        lambda a, d: a.moments("weighted_moves", d)[1] / (a.moments("weighted_moves", d)[0] + TINY),
    ),
    "VSUMP": (1, _share("volume_gains", "volume_moves")),
    "VSUMN": (1, _share("volume_losses", "volume_moves")),
    "VSUMD": (1, _balance("volume_gains", "volume_losses", "volume_moves")),
}
