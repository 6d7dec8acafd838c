"""What a check of market data finds, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

__all__ = ["Problem", "QualityReport", "SeriesQuality", "SymbolQuality", "quality_value"]


@dataclass(frozen=True)
class Problem:
    """One thing worth a person's attention.

    Attributes
    ----------
    severity
        ``error``: breaks a rule of the price model; ``warning``: lawful but suspicious;
        ``note``: good to know.
    subject
        Symbol or series.
    name
        ``gaps``, ``duplicates``, ``zero_volume``, ``ohlc``, ``nan``, ``outliers``, ``stale``, ``zeros``,
        ``off_grid``, ``range``, ``uncovered`` or ``repaired``.
    count
        Rows that it concerns.
    text
        One sentence.
    """

    severity: Literal["error", "warning", "note"]
    subject: str
    name: str
    count: int
    text: str


@dataclass(frozen=True)
class SymbolQuality:
    """Figures about the bars of one symbol.

    Attributes
    ----------
    first, last
        First and last open time, UTC.
    rows
        Bars.
    gaps, missing
        Interruptions, and the bars that fell into them.
    longest_gap, longest_gap_start
        Longest distance between the open times of neighbouring bars, and the bar before it.
    duplicates, zero_volume, ohlc_violations, nan
        Bars with that property; ``nan`` counts cells.
    outliers, largest_z
        Returns whose robust z-score exceeds the limit, and the largest score.
    longest_stale
        Longest run of bars with one and the same open, high, low and close.
    """

    symbol: str
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    gaps: int
    missing: int
    longest_gap: pd.Timedelta
    longest_gap_start: pd.Timestamp | None
    duplicates: int
    zero_volume: int
    ohlc_violations: int
    nan: int
    outliers: int
    largest_z: float
    longest_stale: int


@dataclass(frozen=True)
class SeriesQuality:
    """Figures about one side series.

    Attributes
    ----------
    first, last
        First and last timestamp, UTC.
    rows
        Prints.
    nan, zeros
        Cells that are NaN, and cells that are zero where zero means a fault.
    off_grid
        Stamps that are off the settlement grid (funding: full hours).
    out_of_range
        Values that cannot be (fear & greed outside 0 to 100, negative open interest).
    gaps, longest_gap
        Distances of more than 1.5 usual steps, and the longest of them; zero without any.
    covered
        Share of the market's bars that see a value, 0 to 1.
    stale
        Share of the market's bars whose newest value is more than five usual steps old.
    """

    name: str
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    nan: int
    zeros: int
    off_grid: int
    out_of_range: int
    gaps: int
    longest_gap: pd.Timedelta
    covered: float
    stale: float


@dataclass(frozen=True)
class QualityReport:
    """What a check found.

    Attributes
    ----------
    symbols
        Figures a symbol.
    series
        Figures a side series.
    problems
        What is worth attention, the gravest first.
    """

    symbols: tuple[SymbolQuality, ...]
    series: tuple[SeriesQuality, ...]
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        """Whether no rule of the price model is broken."""
        return all(problem.severity != "error" for problem in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: times in ISO 8601, durations in seconds."""
        content: dict[str, Any] = {"passed": self.passed, **_plain(asdict(self))}
        return content


def quality_value(reports: Mapping[str, QualityReport]) -> dict[str, Any]:
    """Return reports by timeframe as one plain value: every entry names its timeframe where that is known."""
    value: dict[str, Any] = {"passed": all(report.passed for report in reports.values())}
    for part in ("symbols", "series", "problems"):
        value[part] = [
            {"timeframe": length, **entry} if length else entry
            for length, report in reports.items()
            for entry in report.to_dict()[part]
        ]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, pd.Timedelta):
        return value.total_seconds()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value
