"""Cross-asset: each symbol of a panel against the others at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onward.errors import StageError, nearest
from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import log_change, ratio
from onward.kernels.rolling import rolling_beta, rolling_correlation, rolling_mean, rolling_std
from onward.types import FloatArray, IntArray

__all__ = ["CrossAsset"]

Matrix = npt.NDArray[np.float64]
"""Moments by symbols, NaN where a symbol has no bar."""


@dataclass(frozen=True)
class CrossAsset:
    """Relative returns, ranks, and rolling beta and correlation to the panel or a lead symbol.

    Everything is reckoned on the moments at which any symbol of the panel has a bar: a return
    over n moments is known where a symbol has a bar at both ends. So weekends that all symbols
    share are no gap, while a symbol that pauses alone has no return across its pause. The rest
    of the panel is the mean over the *other* symbols that have a value; a symbol that stands
    alone at a moment has nothing to be compared with (NaN).

    - ``relative_return_n``: log return less that of the rest of the panel.
    - ``return_rank_panel_n``: share of other symbols with a smaller return, ties half, 0 to 1.
    - ``volume_rank_panel_n``: the same of the volume over its own mean of n moments; off by default.
    - ``panel_dispersion_n``: deviation of the returns across the panel.
    - ``panel_volatility_ratio_n``: own volatility over the mean of the panel's.
    - ``panel_beta_n``, ``panel_correlation_n``: of one-bar returns with the rest of the panel.
    - ``lead_return_n``, ``lead_beta_n``: with a lead symbol; its own rows are NaN for the beta.

    Attributes
    ----------
    return_windows
        Moments of relative return, rank and dispersion.
    beta_windows
        Moments of beta, correlation and volatility ratio; one missing bar in the window makes
        them NaN.
    volume_windows
        Moments of the mean that a volume is held against before it is ranked: symbols trade in units
        of their own. None by default; from 2 on.
    lead
        A symbol that the others are thought to follow; none by default.
    """

    return_windows: tuple[int, ...] = (1, 24)
    beta_windows: tuple[int, ...] = (96,)
    lead: str | None = None
    volume_windows: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_windows(self.name, 1, return_windows=self.return_windows)
        check_windows(self.name, 2, beta_windows=self.beta_windows, volume_windows=self.volume_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "cross_asset"

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        returns = ("relative_return", "return_rank_panel", "panel_dispersion")
        betas = ("panel_beta", "panel_correlation", "panel_volatility_ratio")
        led = (
            *(f"lead_return_{n}" for n in self.return_windows),
            *(f"lead_beta_{n}" for n in self.beta_windows),
        )
        return (
            *(f"{what}_{n}" for n in self.return_windows for what in returns),
            *(f"{what}_{n}" for n in self.beta_windows for what in betas),
            *(led if self.lead is not None else ()),
            *(f"volume_rank_panel_{n}" for n in self.volume_windows),
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest window."""
        return max((*self.return_windows, *self.beta_windows, *self.volume_windows, 1)) + 1

    def compute(self, panel: Mapping[str, Bars]) -> Mapping[str, Mapping[str, FloatArray]]:
        """Return the columns by name, by symbol."""
        self._check_lead(panel)
        places = _common_places(panel)
        close = np.full((1 + max(int(p[-1]) for p in places.values()), len(panel)), np.nan)
        volume = np.full(close.shape, np.nan)
        for column, (symbol, bars) in enumerate(panel.items()):
            close[places[symbol], column] = bars.close
            volume[places[symbol], column] = bars.volume
        named: dict[str, Matrix] = {}
        for n in self.return_windows:
            moves = _by_column(log_change, close, n)
            named[f"relative_return_{n}"] = moves - _mean_of_others(moves)
            named[f"return_rank_panel_{n}"] = _rank(moves)
            named[f"panel_dispersion_{n}"] = _dispersion(moves)
        step = _by_column(log_change, close, 1)
        for n in self.beta_windows:
            named |= self._betas(step, n)
        if self.lead is not None:
            named |= self._led(close, step, list(panel).index(self.lead))
        for n in self.volume_windows:
            named[f"volume_rank_panel_{n}"] = _rank(ratio(volume, _by_column(rolling_mean, volume, n)))
        return {
            symbol: {name: np.ascontiguousarray(matrix[places[symbol], i]) for name, matrix in named.items()}
            for i, symbol in enumerate(panel)
        }

    def _betas(self, step: Matrix, window: int) -> dict[str, Matrix]:
        rest = _mean_of_others(step)
        columns = range(step.shape[1])
        beta = [rolling_beta(step[:, i], rest[:, i], window) for i in columns]
        correlation = [rolling_correlation(step[:, i], rest[:, i], window) for i in columns]
        volatility = _by_column(rolling_std, step, window)
        known = ~np.isnan(volatility)
        usual = _ordered_sum(np.where(known, volatility, 0.0)) / np.maximum(known.sum(axis=1), 1)
        alone = known.sum(axis=1) < 2
        compared = ratio(volatility, np.where(alone, np.nan, usual)[:, None])
        return {
            f"panel_beta_{window}": np.column_stack(beta),
            f"panel_correlation_{window}": np.column_stack(correlation),
            f"panel_volatility_ratio_{window}": compared,
        }

    def _led(self, close: Matrix, step: Matrix, lead: int) -> dict[str, Matrix]:
        out: dict[str, Matrix] = {}
        for n in self.return_windows:
            move = log_change(np.ascontiguousarray(close[:, lead]), n)
            out[f"lead_return_{n}"] = np.repeat(move[:, None], close.shape[1], axis=1)
        for n in self.beta_windows:
            beta = [rolling_beta(step[:, i], step[:, lead], n) for i in range(step.shape[1])]
            beta[lead] = np.full(len(step), np.nan)
            out[f"lead_beta_{n}"] = np.column_stack(beta)
        return out

    def _check_lead(self, panel: Mapping[str, Bars]) -> None:
        if self.lead is None or self.lead in panel:
            return
        close = nearest(self.lead, panel)
        raise StageError(
            "the lead symbol of the family 'cross_asset' is not in the panel",
            got=repr(self.lead),
            allowed=", ".join(panel),
            remedy=f"Did you mean {close!r}?" if close else "Choose a symbol of the panel.",
        )


def _common_places(panel: Mapping[str, Bars]) -> dict[str, IntArray]:
    """Return, by symbol, the places of its bars among all moments of the panel."""
    moments = np.unique(np.concatenate([bars.open_time for bars in panel.values()]))
    return {s: np.searchsorted(moments, bars.open_time).astype(np.int64) for s, bars in panel.items()}


def _by_column(function: object, values: Matrix, window: int) -> Matrix:
    columns = range(values.shape[1])
    return np.column_stack([function(np.ascontiguousarray(values[:, i]), window) for i in columns])  # type: ignore[operator]


def _ordered_sum(values: Matrix) -> FloatArray:
    """Return the sum of each row, always in symbol order.

    NumPy's own sum groups terms by how many there are; a symbol that a live computation does not
    see must add exactly nothing.
    """
    total = np.zeros(len(values))
    for column in range(values.shape[1]):
        total += values[:, column]
    return total


def _mean_of_others(values: Matrix) -> Matrix:
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    others = known.sum(axis=1)[:, None] - known
    sums = _ordered_sum(filled)[:, None] - filled
    return np.where(known & (others > 0), sums / np.maximum(others, 1), np.nan)


def _rank(values: Matrix) -> Matrix:
    known = ~np.isnan(values)
    others = known.sum(axis=1) - 1
    out = np.full(values.shape, np.nan)
    for i in range(values.shape[1]):
        own = values[:, i : i + 1]
        # The row itself is one of the equals; NaN is neither below nor equal.
        below, equal = (values < own).sum(axis=1), (values == own).sum(axis=1) - 1
        out[:, i] = np.where(
            known[:, i] & (others > 0), (below + 0.5 * equal) / np.maximum(others, 1), np.nan
        )
    return out


def _dispersion(values: Matrix) -> Matrix:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    mean = _ordered_sum(np.where(known, values, 0.0)) / np.maximum(count, 1)
    squares = _ordered_sum(np.where(known, (values - mean[:, None]) ** 2, 0.0))
    spread = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    return np.repeat(spread[:, None], values.shape[1], axis=1)
