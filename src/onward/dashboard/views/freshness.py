"""How old the data are that a model would predict from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.server.coverage import Reach

__all__ = ["STALE_BARS", "Freshness", "freshness"]

STALE_BARS = 2
"""Bars that may be missing before somebody should look: the newest one closes at this moment."""


@dataclass(frozen=True)
class Freshness:
    """How old the newest stored bar of a model's symbols is.

    Attributes
    ----------
    newest
        End of the newest bar; None when nothing is stored.
    bars_missed
        Bars that have closed since and are not there.
    """

    newest: datetime | None
    bars_missed: int

    @property
    def is_stale(self) -> bool:
        """Whether predictions would look at old bars."""
        return self.newest is None or self.bars_missed >= STALE_BARS


def freshness(coverage: Sequence[Reach | None], now: datetime) -> Freshness:
    """Return the freshness of the symbol that is furthest behind.

    Parameters
    ----------
    coverage
        Of the candles of each symbol; None for one that has none.
    now
        This moment, UTC.
    """
    if not coverage or any(c is None for c in coverage):
        return Freshness(None, 0)
    oldest = min((c for c in coverage if c is not None), key=lambda c: c.last)
    return Freshness(oldest.end, max(0, (now - oldest.end) // oldest.bar))
