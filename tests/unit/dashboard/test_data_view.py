"""What the pages of stored data show, from plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.dashboard.stored import quality_of, series_view, values_of
from onward.dashboard.views.candles import buckets
from onward.dashboard.views.data import PER_PAGE, DataView, bar_of, data_view, marks_of, series_address
from onward.dashboard.views.data_series import thinned
from onward.data.repositories import DataStore
from onward.server.coverage import CoverageBook, Reach
from onward.server.services import Provider
from onward.settings import load_settings

NOW = datetime(2026, 2, 1, tzinfo=UTC)
AXIS = (0.0, 100.0)


def coverage(symbol: str, kind: Any = "candles", timeframe: str = "1h", last: str = "2026-01-31T22") -> Reach:
    first, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in ("2026-01-01", last))
    return Reach(kind, symbol, timeframe, first, end, 10, 1, 2, timedelta(hours=3))


def no_gaps(wanted: Sequence[Any]) -> Mapping[Any, Any]:
    return dict.fromkeys(wanted, ())


def shown(*found: Reach, **changes: Any) -> DataView:
    return data_view(found, changes.pop("gaps", no_gaps), now=NOW, **changes)


def bars(n: int = 400, start: str = "2025-01-01") -> pd.DataFrame:
    times = pd.date_range(start, periods=n, freq="h", tz="UTC")
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.002, n)))
    frame = pd.DataFrame({"timestamp": times, "open": close, "high": close * 1.01, "low": close * 0.99})
    return frame.assign(close=close, volume=1.0)


@pytest.fixture
def store(tmp_path: Any) -> DataStore:
    return DataStore(tmp_path / "data")


def book_of(store: DataStore) -> CoverageBook:
    home = store.root.parent
    resolved = load_settings(home=home, cwd=home, environ={})
    services: Any = SimpleNamespace(repositories=store, home=resolved.home, settings=resolved.settings)
    return CoverageBook(Provider(services))


def test_nothing_is_stored() -> None:
    view = shown()
    assert (view.rows, view.n_series, view.pages, view.begin) == ((), 0, 1, None)


def test_a_series_is_said_to_end_on_the_day_of_its_newest_row() -> None:
    candles, sentiment = shown(
        coverage("A/B", timeframe="1d", last="2026-01-31"), coverage("", "fear_greed", "", last="2026-01-31")
    ).rows
    assert candles.last.isoformat() == "2026-02-01T00:00:00+00:00"
    assert [row.last_day.date().isoformat() for row in (candles, sentiment)] == ["2026-01-31", "2026-01-31"]


def test_series_stand_by_symbol_kind_and_length_and_know_how_old_they_are() -> None:
    day = coverage("A/B", timeframe="1d", last="2026-01-20")
    view = shown(
        coverage("", "fear_greed", ""), day, coverage("B/C"), coverage("A/B"), coverage("A/B", "funding", "")
    )
    assert [(r.symbol, r.kind, r.timeframe) for r in view.rows] == [
        ("A/B", "candles", "1h"),
        ("A/B", "candles", "1d"),
        ("A/B", "funding", ""),
        ("B/C", "candles", "1h"),
        ("", "fear_greed", ""),
    ]
    assert [r.bars_missed for r in view.rows] == [1, 11, None, 1, None]
    assert [r.is_behind for r in view.rows] == [False, True, False, False, False]
    assert view.rows[0].address == "/data/series?kind=candles&symbol=A%2FB&timeframe=1h"


@pytest.mark.parametrize(("last", "limit", "behind"), [("21", 2, False), ("20", 2, True), ("20", 24, False)])
def test_a_series_is_behind_once_more_bars_are_missing_than_the_setting_allows(
    last: str, limit: int, behind: bool
) -> None:
    (row,) = shown(coverage("A/B", last=f"2026-01-31T{last}"), most_missed=limit).rows
    assert row.is_behind is behind


def test_a_search_finds_parts_of_symbols_and_long_lists_have_pages() -> None:
    many = [coverage(f"COIN{i:03}/USD") for i in range(2 * PER_PAGE + 1)]
    view = shown(*many, page=3)
    assert (view.page, view.pages, len(view.rows)) == (3, 3, 1)
    assert view.address(4) == ""
    assert view.address(2) == "/data?page=2"
    assert shown(*many, page=99).page == 3
    found = shown(*many, search=" coin00 ")
    assert (found.n_found, found.n_series) == (10, 101)
    assert shown(*many, search="x&y").address(1) == "/data?search=x%26y&page=1"


def test_bars_and_gaps_are_places_on_one_axis() -> None:
    assert bar_of(25, 75, AXIS, 0.5) == (25.0, 50.0)
    assert bar_of(100, 100, AXIS, 0.5) == (99.5, 0.5), "what is too narrow stays on the axis"
    hour = 3600.0
    one = coverage("A/B", last="2026-01-01T09")
    begin = one.first.timestamp()
    gaps = [
        (begin, begin + 3 * hour),
        (begin + 3 * hour, begin + 5 * hour),
        (begin + 7 * hour, begin + 9 * hour),
    ]
    (row,) = shown(one, gaps=lambda wanted: {wanted[0]: gaps}).rows
    marks = ((10.0, 20.0, 1.0), (40.0, 10.0, 1.0), (80.0, 10.0, 1.0))
    assert row.marks == marks, "from the end of the bar before"


@pytest.mark.parametrize(
    ("open_days", "least", "most"), [(5, 0.2, 0.5), (1, 0.7, 1.0)], ids=["five days a week", "one day"]
)
def test_many_narrow_gaps_are_told_by_how_much_they_take_away(
    open_days: int, least: float, most: float
) -> None:
    """Ten years of daily bars without weekends: 71 % is there, and no part of the bar says otherwise."""
    day = 86_400.0
    axis = (0.0, 3640 * day)
    marks = marks_of([(7 * n * day + open_days * day, 7 * (n + 1) * day) for n in range(520)], axis)
    assert all(least <= share <= most for _, _, share in marks)
    assert sum(width * share for _, width, share in marks) == pytest.approx(100 * (1 - open_days / 7), abs=5)
    assert all(a + w <= b + 1e-9 for (a, w, _), (b, _, _) in pairwise(marks)), "side by side"


def test_one_bar_that_is_missing_of_many_is_seen() -> None:
    assert marks_of([(50_000.0, 50_001.0)], (0.0, 70_000.0)) == ((71.25, 0.25, 0.3),)
    assert marks_of([(99_999.5, 100_000.0)], (0.0, 100_000.0)) == ((99.75, 0.25, 0.3),)


def test_the_book_knows_gaps_and_reads_again_only_what_changed(store: DataStore) -> None:
    frame = bars(100)
    store.candles("1h").upsert("A/B", frame.drop(index=[50, 51]))
    store.candles("1h").upsert("B/C", frame)
    book = book_of(store)
    keys = [("candles", "A/B", "1h"), ("candles", "B/C", "1h"), ("candles", "NO", "1h")]
    times = frame["timestamp"]
    assert book.gaps(keys) == {
        keys[0]: ((times[49].timestamp(), times[52].timestamp()),),
        keys[1]: (),
    }
    kept = {c.symbol: c for c in book.coverage()}
    store.candles("1h").upsert("A/B", frame)
    after = {c.symbol: c for c in book.coverage()}
    assert after["B/C"] is kept["B/C"]
    assert (kept["A/B"].missing, after["A/B"].missing) == (2, 0)
    assert book.gaps(keys[:1]) == {keys[0]: ()}


def test_a_series_is_looked_at_with_what_stands_beside_it(store: DataStore) -> None:
    frame = bars()
    frame.loc[200, ["open", "high", "low", "close"]] *= 3
    store.candles("1h").upsert("A/B", frame.drop(index=range(100, 110)))
    store.candles("4h").upsert("A/B", frame[::4])
    store.funding.upsert("A/B:B", frame[::8][["timestamp"]].assign(funding_rate=1e-4))
    store.fear_greed.upsert("", frame[::24][["timestamp"]].assign(fear_greed=101.0))
    book = book_of(store)
    view = series_view(book, ("candles", "A/B", "1h"), now=NOW)
    assert view is not None
    assert (tuple(view.timeframes), tuple(view.beside)) == (("1h", "4h"), ("funding", "fear_greed"))
    assert tuple(view.beside) == store.series_beside("A/B")
    assert view.source.endswith("symbol=A%2FB&timeframe=1h&side=funding&side=fear_greed")
    assert view.first_view[1] - view.first_view[0] == 100 * 3600
    assert view.spans == (100,)
    assert series_view(book, ("candles", "A/B", "2h"), now=NOW) is None
    found = quality_of(store, "candles", "A/B", "1h")
    assert found is not None
    assert (found.broken, found.odd, found.holes[0].missing) == (0, 1, 10)
    assert {check.name: check.count for check in found.checks}["outliers"] == 2
    assert [round(move.change, 1) for move in found.moves] in ([2.0, -0.7], [-0.7, 2.0])
    rates = series_view(book, ("funding", "A/B:B", ""), now=NOW)
    assert rates is not None
    assert rates.source == "/ui/series/values?kind=funding&symbol=A%2FB%3AB"
    drawn = values_of(store, "funding", "A/B:B")
    assert (len(drawn["time"]), set(drawn["value"])) == (len(frame[::8]), {1e-4})
    side = quality_of(store, "funding", "A/B:B", "")
    assert side is not None
    assert side.beside == ("A/B", "1h")
    greed = quality_of(store, "fear_greed", "", "")
    assert greed is not None
    assert greed.broken == 1, "no index is above 100"
    assert quality_of(store, "candles", "NO/PE", "1h") is None
    store.open_interest.upsert("X/Y", frame[["timestamp"]].assign(open_interest=1.0))
    assert quality_of(store, "open_interest", "X/Y", "") is None, "no candles to lay it beside"


def test_lines_are_thinned_to_their_extremes() -> None:
    time = np.arange(10_000, dtype=np.int64)
    value = np.sin(time / 50.0)
    value[7777], value[10:20] = 9.0, np.nan
    line = thinned(time, value, 500)
    assert len(line["time"]) <= 502
    assert 9.0 in line["value"]
    assert (line["time"][0], line["time"][-1]) == (0, 9999)
    few = thinned(time[:3], np.array([1.0, np.nan, 2.0]), 500)
    assert few == {"time": [0, 1, 2], "value": [1.0, None, 2.0]}


def test_side_values_of_a_bucket_are_its_last() -> None:
    frame = bars(10).assign(rate=[np.nan, *range(9)])
    told = buckets(frame, bar_seconds=3600, points=5, last_of=("rate",))
    assert told["side"]["rate"] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert buckets(frame[:1], bar_seconds=3600, points=5, last_of=("rate",))["side"]["rate"] == [None]
    assert "side" not in buckets(frame, bar_seconds=3600, points=5)


def test_addresses_survive_any_symbol() -> None:
    assert series_address("candles", "a&b/ü?#", "1h") == (
        "/data/series?kind=candles&symbol=a%26b%2F%C3%BC%3F%23&timeframe=1h"
    )


@pytest.mark.parametrize(("hours", "over"), [(0, False), (24, False), (25, True)])
def test_a_side_series_is_over_after_three_of_its_usual_steps(hours: int, over: bool) -> None:
    """Nine values and two that are missing, eight hours apart, however long ago the first one was."""
    last = NOW - timedelta(hours=hours)
    funding = Reach("funding", "A/B", "", last - timedelta(hours=80), last, 9, 1, 2, timedelta(hours=24))
    (row,) = shown(funding).rows
    assert (row.is_over, row.is_behind, row.has_rhythm) == (over, over, True)
    (row,) = shown(replace(funding, first=last, rows=1, gaps=0, missing=0)).rows
    assert (row.is_behind, row.has_rhythm) == (False, False), "one value has no step"
