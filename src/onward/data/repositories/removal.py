"""Taking rows out of a store: what would go, as a pure decision, and what was found to go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from onward.data.importers.base import Kind
from onward.errors import DataConflictError, DataNotFoundError, NotEnoughDataError
from onward.types import BoolArray

__all__ = [
    "Cut",
    "PreparedRemoval",
    "RemovalReport",
    "cut",
    "nothing_stored",
    "state_of",
    "unchanged",
    "utc",
    "within",
]


@dataclass(frozen=True)
class RemovalReport:
    """What a removal takes away.

    Attributes
    ----------
    kind, symbol, timeframe
        From what; no symbol: for every one; no timeframe: not candles.
    rows
        Rows that go.
    first, last
        First and last of their timestamps, UTC; None where no file of a damaged series can be read.
    left
        Rows that stay; 0: the series goes as a whole.
    unreadable
        Years whose file is damaged or missing: their rows go with the whole, uncounted.
    state
        Stands for what was stored before: another one after every write (`seen` of a removal).
    """

    kind: Kind
    symbol: str
    timeframe: str
    rows: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    left: int
    unreadable: int
    state: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        content = asdict(self)
        for name in ("first", "last"):
            content[name] = content[name] and content[name].isoformat()
        return content


class PreparedRemoval(Protocol):
    """A removal that waits for its word: rows that stay are written already, nothing is visible yet.

    Used in a ``with`` block. What was not made visible at its end is as it was before.
    """

    @property
    def report(self) -> RemovalReport:
        """What goes."""

    def swap(self) -> None:
        """Let the rows be gone, in one step."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, eq=False)
class Cut:
    """What a range takes out of the files of a series.

    Attributes
    ----------
    rows, left
        Rows that go, and rows that stay.
    first, last
        Timestamps of the first and last row that go; None when none of them can be read.
    dropped, trimmed
        Years of which nothing stays, and of which a part does.
    unreadable
        Years that could not be read.
    """

    rows: int
    left: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    dropped: tuple[int, ...]
    trimmed: tuple[int, ...]
    unreadable: int = 0

    def report(self, kind: Kind, symbol: str, timeframe: str, state: str) -> RemovalReport:
        """Return what is told of it."""
        return RemovalReport(
            kind, symbol, timeframe, self.rows, self.first, self.last, self.left, self.unreadable, state
        )


def cut(
    years: Iterable[int],
    times_of: Callable[[int], pd.DatetimeIndex | None],
    start: pd.Timestamp | None,
    end: pd.Timestamp | None,
) -> Cut:
    """Return what ``start <= timestamp < end`` takes out of files of a year each.

    Parameters
    ----------
    years
        Those that are stored.
    times_of
        Gives the timestamps of a year, UTC, sorted; None of a file that is damaged, which goes all the same.
    start, end
        UTC; None is no bound, and two of them are the whole series.

    Raises
    ------
    NotEnoughDataError
        When no row lies within the range.
    """
    whole = start is None and end is None
    rows = left = unreadable = 0
    found: list[pd.Timestamp] = []
    reach: list[pd.Timestamp] = []
    dropped, trimmed = [], []
    for year in sorted(years):
        times = times_of(year)
        if times is None:
            unreadable += 1
            dropped.append(year)
            continue
        goes = within(times, start, end)
        n_gone = int(goes.sum())
        rows, left = rows + n_gone, left + len(times) - n_gone
        reach += [times[0], times[-1]] if len(times) else []
        found += [times[goes][0], times[goes][-1]] if n_gone else []
        if n_gone == len(times):
            dropped.append(year)
        elif n_gone:
            trimmed.append(year)
    if not whole and not rows:
        raise NotEnoughDataError(
            "No stored row lies within the time range",
            got=f"{start or ''} to {end or ''}",
            allowed=f"{reach[0]} to {reach[-1]}",
            remedy="The start is included, the end is not; both are UTC.",
        )
    first, last = (found[0], found[-1]) if found else (None, None)
    return Cut(rows, left, first, last, tuple(dropped), tuple(trimmed), unreadable)


def within(
    times: pd.DatetimeIndex | pd.Series, start: pd.Timestamp | None, end: pd.Timestamp | None
) -> BoolArray:
    """Return which times lie in ``start <= time < end``; None is no bound."""
    inside = np.ones(len(times), dtype=bool)
    if start is not None:
        inside &= np.asarray(times >= start)
    if end is not None:
        inside &= np.asarray(times < end)
    return inside


def utc(moment: pd.Timestamp | None) -> pd.Timestamp | None:
    """Return a bound in UTC; naive ones are UTC already."""
    if moment is None:
        return None
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def state_of(files: Iterable[str]) -> str:
    """Return what stands for the files that hold a series: they never change, so neither do its rows."""
    return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()[:16]


def unchanged(kind: Kind, symbol: str, state: str, seen: str | None) -> None:
    """Refuse to remove what is not what somebody has seen.

    Raises
    ------
    DataConflictError
        When rows were stored or removed meanwhile.
    """
    if seen is not None and seen != state:
        raise DataConflictError(
            "The series has changed since it was looked at",
            got=f"{kind} of {symbol or 'every symbol'}",
            remedy="Look again at what would go, then repeat; nothing was removed.",
        )


def nothing_stored(kind: Kind, symbol: str, stored: Iterable[str], timeframe: str = "") -> DataNotFoundError:
    """Return the refusal to touch a series that is not there."""
    known = [one or "every symbol" for one in stored][:20]
    named = (symbol if symbol.isprintable() else ascii(symbol))[:80]
    return DataNotFoundError(
        "No such series is stored",
        got=" ".join(part for part in (kind, named or "of every symbol", timeframe) if part),
        allowed=", ".join(known) or None,
        remedy="`onward data list` shows what is stored.",
    )
