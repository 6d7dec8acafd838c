"""What the list of stored series shows: how far each reaches, where it has gaps, how fresh it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode

from onward.dashboard.views.freshness import is_late
from onward.prediction.lateness import LATE

if TYPE_CHECKING:
    from onward.dashboard.i18n import Words
    from onward.server.coverage import Gap, Reach, SeriesKey

__all__ = [
    "DataView",
    "SeriesRow",
    "bar_of",
    "data_view",
    "import_address",
    "marks_of",
    "named_series",
    "series_address",
    "series_row",
]

PER_PAGE = 50
KINDS = ("candles", "funding", "open_interest", "fear_greed")
LEAST_WIDTH = 0.5
"""Of a bar, in percent: what is narrower could not be seen."""
COLUMN = 0.25
"""Width of what gaps that are narrower are told in, percent: about two points of a screen."""
LEAST_SHADE = 0.3
"""Of such a column: one gap in it is seen, however narrow."""

Mark: TypeAlias = tuple[float, float, float]
GapsOf = Callable[[Sequence["SeriesKey"]], Mapping["SeriesKey", Sequence["Gap"]]]


@dataclass(frozen=True)
class SeriesRow:
    """A stored series.

    Attributes
    ----------
    kind, symbol, timeframe
        Which one; no symbol: for every one.
    address
        Of its page.
    first, last
        Of its rows, UTC; ``last`` is the end of the newest bar.
    rows, gaps, missing
        See `onward.server.coverage.Reach`.
    left, width, marks
        Of its bar on the common axis and of the gaps in it, in percent; a mark is place, width and
        the share of it that is missing: a wide gap is one as a whole, of narrow ones, as nights and
        weekends are, it is told how much they take away.
    bars_missed
        Bars that have closed since and are not there; None for side series.
    most_missed
        How many may be missing, as of `is_late`.
    is_over
        Of side series: whether nothing came for so many of their usual steps that they are late; None of
        candles, and of one value, which has no step.
    """

    kind: str
    symbol: str
    timeframe: str
    address: str
    first: datetime
    last: datetime
    rows: int
    gaps: int
    missing: int
    left: float
    width: float
    marks: tuple[Mark, ...]
    bars_missed: int | None
    most_missed: int | None = None
    is_over: bool | None = None

    @property
    def last_day(self) -> datetime:
        """Inside the newest bar, whose end may be the first moment of the day after."""
        return self.last - timedelta(microseconds=1) if self.timeframe else self.last

    @property
    def has_rhythm(self) -> bool:
        """Whether it can be told whether it is behind."""
        return self.bars_missed is not None or self.is_over is not None

    @property
    def is_behind(self) -> bool:
        """Whether too many bars, or values, are missing at its end."""
        if self.is_over is not None:
            return self.is_over
        return self.bars_missed is not None and is_late(self.bars_missed, self.most_missed)


@dataclass(frozen=True)
class DataView:
    """The list of stored series, or a part of it.

    Attributes
    ----------
    rows
        Of this part.
    search
        What was searched for.
    begin, end
        Of the axis that all bars share; None when there is nothing.
    page, pages
        Which part of how many, counted from 1.
    n_found, n_series, n_rows
        Series that fit the search; all series, and rows of all of them.
    """

    rows: tuple[SeriesRow, ...]
    search: str
    begin: datetime | None
    end: datetime | None
    page: int
    pages: int
    n_found: int
    n_series: int
    n_rows: int

    def address(self, page: int) -> str:
        """Return the address of another part; empty when there is none."""
        if not 1 <= page <= self.pages:
            return ""
        given = {"search": self.search} if self.search else {}
        return "/data?" + urlencode({**given, "page": page})


def data_view(
    coverage: Sequence[Reach],
    gaps: GapsOf,
    *,
    now: datetime,
    search: str = "",
    page: int = 1,
    most_missed: int | None = None,
) -> DataView:
    """Return what the list shows.

    Parameters
    ----------
    coverage
        All stored series.
    gaps
        Gives the gaps of those that are shown.
    now
        This moment, UTC.
    search
        Part of a symbol, capital letters or not; empty for all.
    page
        Which part, counted from 1; the nearest there is.
    most_missed
        Bars that may be missing (`prediction.max_staleness_bars`).
    """
    wanted = search.strip().casefold()
    found = sorted((c for c in coverage if wanted in c.symbol.casefold()), key=_order)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(max(page, 1), pages)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    begin = min((c.first for c in found), default=None)
    end = max((c.end for c in found), default=None)
    holes = gaps([c.key for c in shown])
    axis = (begin.timestamp(), end.timestamp()) if begin is not None and end is not None else (0.0, 1.0)
    return DataView(
        rows=tuple(series_row(c, holes.get(c.key, ()), axis, now, most_missed) for c in shown),
        search=search.strip(),
        begin=begin,
        end=end,
        page=page,
        pages=pages,
        n_found=len(found),
        n_series=len(coverage),
        n_rows=sum(c.rows for c in coverage),
    )


def series_row(
    c: Reach,
    holes: Sequence[Gap],
    axis: tuple[float, float],
    now: datetime,
    most_missed: int | None = None,
) -> SeriesRow:
    """Return a series with its bar on an axis from one Unix second to another."""
    left, width = bar_of(c.first.timestamp(), c.end.timestamp(), axis, LEAST_WIDTH)
    step = c.bar.total_seconds()
    return SeriesRow(
        kind=c.kind,
        symbol=c.symbol,
        timeframe=c.timeframe,
        address=series_address(c.kind, c.symbol, c.timeframe),
        first=c.first,
        last=c.end,
        rows=c.rows,
        gaps=c.gaps,
        missing=c.missing,
        left=left,
        width=width,
        marks=marks_of([(a + step, b) for a, b in holes], axis),
        bars_missed=None if c.kind != "candles" else max(0, (now - c.end) // c.bar),
        most_missed=most_missed,
        is_over=None if c.kind == "candles" else _is_over(c, now),
    )


def _is_over(c: Reach, now: datetime) -> bool | None:
    """Return whether a side series is late by its own rhythm, the rows that are missing in it counted."""
    steps = c.rows - 1 + c.missing
    return now - c.last > LATE * (c.last - c.first) / steps if steps > 0 else None


def bar_of(begin: float, end: float, axis: tuple[float, float], least: float) -> tuple[float, float]:
    """Return place and width of a stretch on an axis, in percent; what is too narrow is widened."""
    length = max(axis[1] - axis[0], 1.0)
    width = min(100.0, max(least, 100 * (end - begin) / length))
    left = min(100 * (begin - axis[0]) / length, 100.0 - width)
    return round(max(0.0, left), 2), round(width, 2)


def marks_of(gaps: Sequence[Gap], axis: tuple[float, float]) -> tuple[Mark, ...]:
    """Return what is drawn of gaps: thousands of them are told as what can be told apart.

    Parameters
    ----------
    gaps
        Unix seconds between which rows are missing, in order.
    axis
        Unix seconds from which to which it goes.
    """
    length = max(axis[1] - axis[0], 1.0)
    wide, missing = [], dict[int, float]()
    for begin, end in gaps:
        left, right = (100 * (moment - axis[0]) / length for moment in (begin, end))
        if right - left >= COLUMN:
            wide.append((round(left, 2), round(right - left, 2), 1.0))
            continue
        column = min(int(left / COLUMN), int(100 / COLUMN) - 1)
        for one in (column, column + 1):  # a narrow gap lies in one of them or in both
            part = min(right, (one + 1) * COLUMN) - max(left, one * COLUMN)
            if part > 0:
                missing[one] = missing.get(one, 0.0) + part / COLUMN
    out: list[Mark] = []
    for one, share in sorted(missing.items()):
        left, shade = round(one * COLUMN, 2), round(max(LEAST_SHADE, min(share, 1.0)), 1)
        if out and out[-1][2] == shade and left <= round(out[-1][0] + out[-1][1], 2):
            out[-1] = (out[-1][0], round(left + COLUMN - out[-1][0], 2), shade)
        else:
            out.append((left, COLUMN, shade))
    return tuple(sorted((*wide, *out)))


def series_address(kind: str, symbol: str, timeframe: str) -> str:
    """Return the address of a series' page: in the query, where any symbol survives."""
    return "/data/series?" + urlencode({"kind": kind, "symbol": symbol, "timeframe": timeframe})


def import_address(symbol: str, timeframe: str) -> str:
    """Return the address of the list that asks for candles that are not stored, and takes their file."""
    return "/data?" + urlencode({"symbol": symbol, "timeframe": timeframe})


def named_series(words: Words, kind: str, symbol: str, timeframe: str) -> str:
    """Return how a series is called in a sentence: its symbol, what it is, and the length of its bars."""
    return " ".join(part for part in (symbol, words.series_kind(kind), timeframe) if part)


def _order(c: Reach) -> tuple[str, int, float]:
    return (c.symbol or "\uffff", KINDS.index(c.kind), c.bar.total_seconds())
