"""The futures market: funding, open interest, and what they say together.

Side values stand on bars as they were known at each bar's decision time. Windows count bars; a
value that changes every eight hours is seen on every bar until the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.scale import log_change, log_ratio, ratio
from onward.features.manual.technical_oscillators import range_position
from onward.kernels.rolling import (
    difference,
    lag,
    rolling_correlation,
    rolling_mean,
    rolling_std,
    rolling_zscore,
)
from onward.types import FloatArray

__all__ = ["Funding", "Leverage", "OpenInterest"]


@dataclass(frozen=True)
class Funding:
    """Funding rate: level, change, trailing mean, z-score, distance from its extremes.

    The z-score and the position between the trailing extremes (0 lowest, 1 highest) are NaN
    where the rate has been the same throughout the window.

    Attributes
    ----------
    change_windows
        Bars of ``funding_change_n`` (rate now less rate n bars ago).
    windows
        Bars of mean, z-score and position.
    """

    change_windows: tuple[int, ...] = (8, 24)
    windows: tuple[int, ...] = (72, 336)

    def __post_init__(self) -> None:
        check_windows(self.name, 1, change_windows=self.change_windows)
        check_windows(self.name, 2, windows=self.windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "funding"

    @property
    def requires(self) -> tuple[str, ...]:
        """The funding rate."""
        return ("funding_rate",)

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return (
            "funding_rate",
            *(f"funding_change_{n}" for n in self.change_windows),
            *(f"funding_{what}_{n}" for n in self.windows for what in ("mean", "zscore", "position")),
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        changes = (n + 1 for n in self.change_windows)
        return (1, *changes, *(n for n in self.windows for _ in range(3)))

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        rate = bars.series["funding_rate"]
        out = {"funding_rate": rate}
        for n in self.change_windows:
            out[f"funding_change_{n}"] = difference(rate, n)
        for n in self.windows:
            out[f"funding_mean_{n}"] = rolling_mean(rate, n)
            out[f"funding_zscore_{n}"] = rolling_zscore(rate, n)
            out[f"funding_position_{n}"] = range_position(rate, rate, rate, n)
        return out


@dataclass(frozen=True)
class OpenInterest:
    """Open interest: change, z-score, surge, and how it moves with the price.

    Everything is taken from log changes, so its unit does not matter; a published zero (feeds
    have them) is not a value and gives NaN.

    Attributes
    ----------
    change_windows
        Bars of ``open_interest_change_n`` (log change) and ``open_interest_impulse_n``: log
        change times the price's log change, positive when positions are opened into a rise or
        closed into a fall.
    windows
        Bars of z-score, surge (newest change in deviations of the window's changes) and
        correlation of changes with the returns of the price.
    turnover_window
        Bars of the mean volume that is set against open interest (log ratio).
    """

    change_windows: tuple[int, ...] = (1, 6, 24)
    windows: tuple[int, ...] = (48, 168)
    turnover_window: int = 24

    def __post_init__(self) -> None:
        check_windows(self.name, 1, change_windows=self.change_windows, turnover_window=self.turnover_window)
        check_windows(self.name, 2, windows=self.windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "open_interest"

    @property
    def requires(self) -> tuple[str, ...]:
        """The open interest."""
        return ("open_interest",)

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        kinds = ("zscore", "surge", "price_correlation")
        return (
            *(f"open_interest_{what}_{n}" for n in self.change_windows for what in ("change", "impulse")),
            *(f"open_interest_{what}_{n}" for n in self.windows for what in kinds),
            f"open_interest_turnover_{self.turnover_window}",
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        return (
            *(n + 1 for n in self.change_windows for _ in range(2)),
            *(n + 1 for n in self.windows for _ in range(3)),
            self.turnover_window + 1,
        )

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        interest = positive(bars.series["open_interest"])
        level, step, move = np.log(interest), log_change(interest), log_change(bars.close)
        out: dict[str, FloatArray] = {}
        for n in self.change_windows:
            change = log_change(interest, n)
            out[f"open_interest_change_{n}"] = change
            out[f"open_interest_impulse_{n}"] = change * log_change(bars.close, n)
        for n in self.windows:
            out[f"open_interest_zscore_{n}"] = rolling_zscore(level, n)
            out[f"open_interest_surge_{n}"] = ratio(step, rolling_std(step, n))
            out[f"open_interest_price_correlation_{n}"] = rolling_correlation(step, move, n)
        n = self.turnover_window
        out[f"open_interest_turnover_{n}"] = log_ratio(rolling_mean(bars.volume, n), interest)
        return out


@dataclass(frozen=True)
class Leverage:
    """Funding and open interest together: how crowded the market is, and how strained.

    - ``funding_open_interest_n``: z-score of funding times z-score of open interest.
    - ``heat_n``: their mean; high when many positions pay much to be long.
    - ``stress_n``: heat times the ratio of recent to usual volatility: a crowd while the floor
      shakes.
    - ``carry_n``: trailing mean of funding times the log change of open interest; positive when
      new positions come at a cost to longs.

    Attributes
    ----------
    window
        Bars of z-scores and of the usual volatility.
    recent_window
        Bars of the recent volatility and of carry.
    """

    window: int = 168
    recent_window: int = 24

    def __post_init__(self) -> None:
        check_windows(self.name, 2, window=self.window, recent_window=self.recent_window)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "leverage"

    @property
    def requires(self) -> tuple[str, ...]:
        """Funding rate and open interest."""
        return ("funding_rate", "open_interest")

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        crowd = tuple(f"{what}_{self.window}" for what in ("funding_open_interest", "heat", "stress"))
        return (*crowd, f"carry_{self.recent_window}")

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longer window."""
        return max(self.window, self.recent_window) + 1

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        rate, interest = bars.series["funding_rate"], positive(bars.series["open_interest"])
        cost = rolling_zscore(rate, self.window)
        crowd = rolling_zscore(np.log(interest), self.window)
        heat = 0.5 * (cost + crowd)
        returns = log_change(bars.close)
        strain = ratio(rolling_std(returns, self.recent_window), rolling_std(returns, self.window))
        change = log_ratio(interest, lag(interest, self.recent_window))
        return {
            f"funding_open_interest_{self.window}": cost * crowd,
            f"heat_{self.window}": heat,
            f"stress_{self.window}": heat * strain,
            f"carry_{self.recent_window}": rolling_mean(rate, self.recent_window) * change,
        }


def positive(values: FloatArray) -> FloatArray:
    """Return the values, NaN where they are not above zero."""
    return np.where(values > 0.0, values, np.nan)
