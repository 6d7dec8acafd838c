"""A column is its name, the bars it needs, and its formula, said once and in one place.

A family that is made of such columns needs no second list of names and no separate count of its
lookback, so the three cannot drift apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from onward.errors import StageError
from onward.features.manual.family import Bars
from onward.features.manual.workspace import Workspace
from onward.types import FloatArray

__all__ = ["Column", "ColumnFamily", "check_windows"]


@dataclass(frozen=True)
class Column:
    """One feature.

    Attributes
    ----------
    name
        Column name without stage prefix, generated from the parameters.
    lookback
        Bars needed, the newest included, the warm-up of recursions counted in.
    formula
        From the workspace of one symbol to float64, shape (n,).
    """

    name: str
    lookback: int
    formula: Callable[[Workspace], FloatArray]


class ColumnFamily(ABC):
    """A family of manual features that is a list of columns."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the switch."""

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series are needed."""
        return ()

    def workspace(self, bars: Bars) -> Workspace:
        """Return what the formulas are given."""
        return Workspace(bars)

    @abstractmethod
    def features(self) -> tuple[Column, ...]:
        """Return the columns that follow from the parameters."""

    def columns(self) -> tuple[str, ...]:
        """Return the column names, without prefix."""
        return tuple(column.name for column in self.features())

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002  (windows count bars on any timeframe)
        """Return the bars needed, the newest included; windows count bars on any timeframe."""
        return max((column.lookback for column in self.features()), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        return tuple(column.lookback for column in self.features())

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return float64 arrays of the length of ``bars`` by column name; NaN = not known yet."""
        return self.compute_columns(bars, self.columns())

    def compute_columns(self, bars: Bars, names: Collection[str]) -> Mapping[str, FloatArray]:
        """Return some of the columns, as `compute` gives them, without computing the others."""
        work, wanted = self.workspace(bars), set(names)
        return {column.name: column.formula(work) for column in self.features() if column.name in wanted}


def check_windows(family: str, smallest: int = 1, **windows: object) -> None:
    """Refuse windows that are not distinct whole numbers of bars.

    Parameters
    ----------
    family
        Name of the family, for the message.
    smallest
        Shortest window that the formula allows.
    windows
        By parameter name: a number of bars, or a tuple of distinct ones; inside it, pairs
        (short, long) are allowed.

    Raises
    ------
    StageError
        If one is not a whole number, is too short, or stands twice (two columns would bear one
        name).
    """
    for option, value in windows.items():
        items = value if isinstance(value, tuple) else (value,)
        flat = [one for item in items for one in (item if isinstance(item, tuple) else (item,))]
        lawful = all(isinstance(one, int) and not isinstance(one, bool) and one >= smallest for one in flat)
        if lawful and len(set(items)) == len(items):
            continue
        raise StageError(
            f"the parameter {option!r} of the family {family!r} has windows that it cannot have",
            got=repr(value),
            allowed=f"distinct whole numbers of bars from {smallest} up",
            remedy="Correct it or leave it out.",
        )
