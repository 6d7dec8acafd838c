"""How old the data are that a model would predict from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.server.coverage import Reach

__all__ = ["Freshness", "freshness", "is_late"]

USUAL_LATE = 2
"""Bars that may be missing where `prediction.max_staleness_bars` is none: as many as it allows by itself."""


@dataclass(frozen=True)
class Freshness:
    """How old the newest stored bar of a model's symbols is.

    Attributes
    ----------
    newest
        End of the newest bar; None when nothing is stored.
    bars_missed
        Bars that have closed since and are not there.
    most_missed
        How many may be missing (`prediction.max_staleness_bars`); None: the setting refuses nothing.
    """

    newest: datetime | None
    bars_missed: int
    most_missed: int | None = None

    @property
    def is_stale(self) -> bool:
        """Whether predictions would look at old bars."""
        return self.newest is None or is_late(self.bars_missed, self.most_missed)


def is_late(bars_missed: int, most_missed: int | None) -> bool:
    """Return whether data are called stale anywhere on the pages: when predictions from them are refused.

    Parameters
    ----------
    bars_missed
        Bars that have closed since the newest stored one.
    most_missed
        How many may be missing (`prediction.max_staleness_bars`). None refuses nothing: what more than
        the usual number are missing of is called stale all the same.
    """
    return bars_missed > (USUAL_LATE if most_missed is None else most_missed)


def freshness(coverage: Sequence[Reach | None], now: datetime, most_missed: int | None = None) -> Freshness:
    """Return the freshness of the symbol that is furthest behind.

    Parameters
    ----------
    coverage
        Of the candles of each symbol; None for one that has none.
    now
        This moment, UTC.
    most_missed
        As of `is_late`.
    """
    if not coverage or any(c is None for c in coverage):
        return Freshness(None, 0, most_missed)
    oldest = min((c for c in coverage if c is not None), key=lambda c: c.last)
    return Freshness(oldest.end, max(0, (now - oldest.end) // oldest.bar), most_missed)
