"""One stored series as its page needs it. For threads: its rows, unlike its coverage, need pandas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.data import series_row
from onward.dashboard.views.data_series import SeriesView, thinned
from onward.errors import DataError
from onward.naming import stand_ins

if TYPE_CHECKING:
    from onward.dashboard.views.data_quality import QualityView
    from onward.data.repositories import DataStore
    from onward.server.coverage import CoverageBook, Reach, SeriesKey
    from onward.types import Market

__all__ = ["quality_of", "series_view", "values_of"]

POINTS = 1500
SIDE = ("funding", "open_interest", "fear_greed")
"""In the order in which their panes stand below candles."""


def series_view(book: CoverageBook, key: SeriesKey, *, now: datetime) -> SeriesView | None:
    """Return what is known of a series; None when nothing of it is stored."""
    known = book.coverage()
    found = next((c for c in known if c.key == key), None)
    if found is None:
        return None
    kind, symbol, _ = key
    gaps = book.gaps([key])[key]
    row = series_row(found, gaps, (found.first.timestamp(), found.end.timestamp()), now)
    others = tuple(c.timeframe for c in known if c.kind == kind == "candles" and c.symbol == symbol)
    beside = _beside(known, symbol) if kind == "candles" else ()
    return SeriesView(row, others, beside, found.longest_gap.total_seconds())


def _beside(known: Sequence[Reach], symbol: str) -> tuple[str, ...]:
    """Return the side series that stand beside candles, as `DataStore.series_beside` finds them."""
    stands = set(stand_ins(symbol))
    stored = {one.kind for one in known if one.kind != "candles" and one.symbol in stands}
    return tuple(name for name in SIDE if name in stored)


def quality_of(store: DataStore, kind: str, symbol: str, timeframe: str) -> QualityView | None:
    """Check a series; None when it is a side series without candles to lay it beside, or not stored."""
    from onward.dashboard.views.data_quality import candle_quality, side_quality
    from onward.data.quality import check

    market = _market(store, kind, symbol, timeframe)
    if market is None:
        return None
    report = check(market)
    if kind == "candles":
        return candle_quality(report.symbols[0], market)
    from onward.data.timeframe import format_timeframe

    beside = (market.symbols[0], format_timeframe(market.timeframe))
    return side_quality(report.series[0], len(market), beside)


def _market(store: DataStore, kind: str, symbol: str, timeframe: str) -> Market | None:
    try:
        if kind == "candles":
            return store.market((symbol,), timeframe=timeframe)
        for length in store.timeframes():
            for one in store.candles(length).symbols():
                if one == symbol or (kind in store.series_beside(one) and _stands(symbol, one)):
                    return store.market((one,), timeframe=length, series=(kind,))
    except DataError:  # removed by somebody while the page was made
        return None
    return None


def _stands(symbol: str, beside: str) -> bool:
    """Return whether a side series of a symbol is the one that candles of another would get."""
    return symbol == "" or symbol.partition(":")[0] == beside.partition(":")[0]


def values_of(store: DataStore, kind: str, symbol: str) -> dict[str, Any]:
    """Return a side series, few enough points to be drawn: ``time`` (Unix seconds) and ``value``.

    Both are empty when nothing of it is stored.
    """
    frame = store.side(kind).read(symbol)
    value = frame.columns[1]
    times = frame["timestamp"].to_numpy("datetime64[s]").astype("int64")
    return thinned(times, frame[value].to_numpy(float), POINTS)
