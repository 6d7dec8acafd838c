"""Custom series: every value of a side series that no other family reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.kernels.rolling import difference, rolling_zscore
from onward.types import FloatArray

__all__ = ["CustomSeries"]


@dataclass(frozen=True)
class CustomSeries:
    """Level, change and trailing z-score of a value about which nothing is known.

    Columns are named after the value column: ``driver``, ``driver_change_24``,
    ``driver_zscore_168``; characters other than letters, digits and ``_`` become ``_``. The level
    stands as it was published: put it on a scale that lasts before you bring it in. The z-score
    is NaN where the value has not moved within the window.

    Attributes
    ----------
    values
        Value columns; filled in by the stage.
    change_windows
        Bars of the differences.
    zscore_windows
        Bars of the z-scores.
    """

    values: tuple[str, ...] = ()
    change_windows: tuple[int, ...] = (1, 24)
    zscore_windows: tuple[int, ...] = (168,)

    def __post_init__(self) -> None:
        check_windows(self.name, 1, change_windows=self.change_windows)
        check_windows(self.name, 2, zscore_windows=self.zscore_windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "custom_series"

    @property
    def requires(self) -> tuple[str, ...]:
        """The value columns it was given."""
        return self.values

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        return tuple(
            name
            for value in self.values
            for name in (
                plain_name(value),
                *(f"{plain_name(value)}_change_{n}" for n in self.change_windows),
                *(f"{plain_name(value)}_zscore_{n}" for n in self.zscore_windows),
            )
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        own = (1, *(n + 1 for n in self.change_windows), *self.zscore_windows)
        return own * len(self.values)

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        out: dict[str, FloatArray] = {}
        for value in self.values:
            name, level = plain_name(value), bars.series[value]
            out[name] = level
            out |= {f"{name}_change_{n}": difference(level, n) for n in self.change_windows}
            out |= {f"{name}_zscore_{n}": rolling_zscore(level, n) for n in self.zscore_windows}
        return out


def plain_name(value: str) -> str:
    """Return a value column's name in letters, digits and underscores (boosters accept no others)."""
    return re.sub(r"\W+", "_", str(value), flags=re.ASCII).strip("_") or "value"
