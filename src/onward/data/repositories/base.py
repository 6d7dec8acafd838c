"""What repositories of market data offer, and what they report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import pandas as pd

from onward.data.importers.base import Kind
from onward.data.repositories.removal import RemovalReport

__all__ = [
    "CandleRepository",
    "Conflict",
    "Coverage",
    "FearGreedRepository",
    "FundingRateRepository",
    "OpenInterestRepository",
    "UpsertReport",
]


@dataclass(frozen=True)
class Conflict:
    """One moment about which the stored and the offered row disagree.

    Attributes
    ----------
    timestamp
        The moment, UTC.
    stored, offered
        The two rows.
    kept
        Which of them is in the store now.
    """

    timestamp: pd.Timestamp
    stored: Mapping[str, float]
    offered: Mapping[str, float]
    kept: Literal["stored", "offered"]


@dataclass(frozen=True)
class UpsertReport:
    """What a write changed.

    Attributes
    ----------
    kind, symbol
        What was written to.
    added
        Rows that were new.
    unchanged
        Rows that were stored already, value for value.
    replaced
        Conflicts in which the offered row was taken.
    refused
        Conflicts in which the stored row stayed, and moments about which the offered rows disagreed
        among themselves.
    still_open
        Candles that were not closed yet, hence not stored.
    conflicts
        The first conflicts, twenty at most.
    """

    kind: Kind
    symbol: str
    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    refused: int = 0
    still_open: int = 0
    conflicts: tuple[Conflict, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the store is another one than before."""
        return self.added + self.replaced > 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        content = asdict(self)
        for conflict in content["conflicts"]:
            conflict["timestamp"] = conflict["timestamp"].isoformat()
        return content


@dataclass(frozen=True)
class Coverage:
    """How far stored rows reach.

    Attributes
    ----------
    kind, symbol
        What is stored, of which symbol (empty: of every one).
    timeframe
        Bar length of candles, else empty.
    first, last
        First and last timestamp, UTC.
    rows
        Rows stored.
    gaps, missing
        Interruptions of the usual spacing, and the rows that fell into them.
    longest_gap
        Distance across the longest interruption; zero without one, as a check of the rows says it.
    """

    kind: Kind
    symbol: str
    timeframe: str
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    gaps: int
    missing: int
    longest_gap: pd.Timedelta

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values (durations in seconds)."""
        content = asdict(self)
        content.update(first=self.first.isoformat(), last=self.last.isoformat())
        content["longest_gap"] = self.longest_gap.total_seconds()
        return content


class _Repository(Protocol):
    """Stored rows of symbols: `onward.protocols.SeriesRepository` with its report spelt out."""

    def read(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> pd.DataFrame:
        """Return ``timestamp`` (UTC) and float64 values with ``start <= timestamp < end``, sorted."""

    def upsert(self, symbol: str, rows: pd.DataFrame) -> UpsertReport:
        """Merge rows into the store, all or nothing."""

    def removal(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> RemovalReport:
        """Return what `remove` would take away."""

    def remove(
        self,
        symbol: str,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        seen: str | None = None,
    ) -> RemovalReport:
        """Take away rows with ``start <= timestamp < end``, or the whole series, all or nothing."""

    def symbols(self) -> list[str]:
        """Return the stored symbols, sorted."""

    def coverage(self, symbol: str) -> Coverage:
        """Return how far the rows of a symbol reach."""


@runtime_checkable
class CandleRepository(_Repository, Protocol):
    """Closed candles of one timeframe; of two that disagree the larger volume wins, then the later."""

    timeframe: pd.Timedelta


@runtime_checkable
class FundingRateRepository(_Repository, Protocol):
    """Funding rates by settlement; the first print stays."""


@runtime_checkable
class OpenInterestRepository(_Repository, Protocol):
    """Open interest by the publisher's stamp; the first print stays."""


@runtime_checkable
class FearGreedRepository(_Repository, Protocol):
    """Fear & greed by the day it is dated with; the first print stays."""
