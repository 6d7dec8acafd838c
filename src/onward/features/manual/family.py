"""What a family of manual features is: its inputs, its columns, its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from onward.types import FloatArray, IntArray

__all__ = ["Bars", "Family", "PanelFamily", "column_lookbacks"]


@dataclass(frozen=True, eq=False)
class Bars:
    """One symbol's bars and as-of joined side values as read-only arrays of equal length.

    Attributes
    ----------
    open, high, low, close, volume
        float64, shape (n,).
    open_time
        ns UTC, shape (n,).
    timeframe
        Length of a bar in ns.
    series
        Side values known at each row's decision time, by value-column name
        (``funding_rate``, ``open_interest``, ``fear_greed``); NaN before the first.
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    open_time: IntArray
    timeframe: int
    series: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.close)


class Family(Protocol):
    """Features of one symbol that belong together and are switched together.

    A family is a frozen dataclass whose fields are its parameters (windows and the like); its
    column names are generated from them and carry no stage prefix.
    """

    @property
    def name(self) -> str:
        """Name of the switch."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Value columns of side series without which the family is off."""

    def columns(self) -> tuple[str, ...]:
        """Return the column names, without prefix."""

    def lookback(self, timeframe: int) -> int:
        """Return the bars needed on a timeframe (ns), the newest included, warm-up counted in."""

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return float64 arrays of the length of ``bars`` by column name; NaN = not known yet."""


class PanelFamily(Protocol):
    """Features that compare symbols at the same moment."""

    @property
    def name(self) -> str:
        """Name of the switch."""

    def columns(self) -> tuple[str, ...]:
        """Return the column names, without prefix."""

    def lookback(self, timeframe: int) -> int:
        """Return the bars needed on a timeframe (ns), the newest included."""

    def compute(self, panel: Mapping[str, Bars]) -> Mapping[str, Mapping[str, FloatArray]]:
        """Return, by symbol, float64 arrays by column name."""


@runtime_checkable
class _TellsColumnsApart(Protocol):
    def lookbacks(self) -> tuple[int, ...]: ...


def column_lookbacks(family: Family | PanelFamily, timeframe: int) -> dict[str, int]:
    """Return the bars that each column of a family needs by itself.

    A family whose columns reach back differently says so in ``lookbacks()``, in the order of its
    ``columns()``; the columns of one that does not need what the family needs.
    """
    names = family.columns()
    if isinstance(family, _TellsColumnsApart):
        return dict(zip(names, family.lookbacks(), strict=True))
    return dict.fromkeys(names, family.lookback(timeframe))
