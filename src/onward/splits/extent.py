"""A length along the timeline, given in bars or as a length of time."""

from __future__ import annotations

import datetime
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import SplitError

__all__ = ["Extent", "told_length"]


@dataclass(frozen=True)
class Extent:
    """A number of bars or a length of time.

    Attributes
    ----------
    bars
        Number of bars, or ``None`` when a length of time was given.
    nanoseconds
        Length of time; 0 when bars were given.
    """

    bars: int | None
    nanoseconds: int = 0

    @classmethod
    def parse(cls, value: Any, name: str, *, smallest: int = 0) -> Extent:
        """Read an integer (bars), a timedelta, or text such as ``"36h"``.

        Parameters
        ----------
        value
            What the user gave.
        name
            Name of the argument, for the message.
        smallest
            0 or 1: whether nothing is allowed.

        Raises
        ------
        SplitError
            When it is none of these, or is too small.
        """
        found = _read(value)
        if found is None or max(found.bars or 0, found.nanoseconds) < smallest:
            raise SplitError(
                f"{name} is not a length along the timeline",
                got=repr(value),
                allowed=f"a number of bars of at least {smallest}, or a "
                f"{'positive ' if smallest else ''}length of time such as '36h'",
                remedy=f"Change {name}.",
                settings=(name,),
            )
        return found

    def in_time(self, bar: int) -> int:
        """Return the length in nanoseconds, given the length of one bar."""
        return self.nanoseconds if self.bars is None else self.bars * bar


def _read(value: Any) -> Extent | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, str | datetime.timedelta | np.timedelta64):
        try:
            length = pd.Timedelta(value)
        except ValueError:
            return None
        # NaT compares false
        return Extent(None, int(length.as_unit("ns").value)) if length >= pd.Timedelta(0) else None
    try:
        bars = operator.index(value)
    except TypeError:
        return None
    return Extent(bars) if bars >= 0 else None


def told_length(nanoseconds: int) -> str:
    """Return a length of time by its two largest units: ``4 d``, ``1 d 5 h``, ``1 h 30 min``."""
    left, parts = max(1, round(nanoseconds / 1_000_000_000)), []
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        n, left = divmod(left, seconds)
        if n:
            parts.append(f"{n:,} {unit}")
    return " ".join(parts[:2])
