from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.data import importers
from onward.data.availability import as_of
from onward.data.read import read_market
from onward.data.repositories import DataStore, ParquetCandleRepository, ParquetFundingRateRepository
from onward.data.repositories.merge import merge
from onward.data.repositories.names import decode_symbol, encode_symbol
from onward.errors import DataError, FormatError, NotEnoughDataError, SeriesError, TimeframeError
from onward.testing.repositories import rows_of

SYMBOL = "BTC/USDT"


@given(st.text(min_size=1, max_size=64))
def test_a_symbol_never_leaves_its_directory(symbol):
    try:
        name = encode_symbol(symbol)
    except DataError:
        return
    assert decode_symbol(name) == symbol
    assert set("/\\:\0") & set(name) == set()
    assert not name.startswith((".", "@"))


@pytest.mark.parametrize("symbol", [" BTC", "BTC\n", "B" * 65, "\0"])
def test_what_is_no_symbol_is_refused(symbol):
    with pytest.raises(DataError, match="symbol"):
        encode_symbol(symbol)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_merging_candles_does_not_depend_on_the_order_of_imports(data):
    rows = rows_of("candles", 12)
    shift = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=12, max_size=12))
    other = rows.assign(volume=rows["volume"] + shift)
    empty = rows[:0]
    one = merge("candles", merge("candles", empty, rows).rows, other)
    two = merge("candles", merge("candles", empty, other).rows, rows)
    pd.testing.assert_frame_equal(one.rows, two.rows)
    assert one.replaced == two.refused == sum(s > 0 for s in shift)
    assert one.unchanged == two.unchanged == sum(s == 0 for s in shift)


def test_an_unfinished_bar_never_replaces_the_finished_one(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    rows = rows_of("candles", 10)
    repository.upsert(SYMBOL, rows)
    report = repository.upsert(SYMBOL, rows[9:].assign(volume=0.5, close=rows["open"].iloc[9]))
    assert (report.refused, report.conflicts[0].kept) == (1, "stored")
    np.testing.assert_array_equal(repository.read(SYMBOL)["volume"], rows["volume"])


def test_the_first_print_of_a_side_value_stays(tmp_path):
    repository = ParquetFundingRateRepository(tmp_path)
    rows = rows_of("funding", 10)
    repository.upsert(SYMBOL, rows)
    report = repository.upsert(SYMBOL, rows.assign(funding_rate=0.5))
    assert (report.replaced, report.refused, len(report.conflicts)) == (0, 10, 10)
    assert report.to_dict()["conflicts"][0]["offered"] == {"funding_rate": 0.5}
    np.testing.assert_array_equal(repository.read(SYMBOL)["funding_rate"], rows["funding_rate"])


def test_offered_rows_that_disagree_among_themselves_are_counted(tmp_path):
    rows = rows_of("candles", 10)
    both = pd.concat([rows, rows[3:4].assign(volume=99.0)])
    report = ParquetCandleRepository(tmp_path, "1h").upsert(SYMBOL, both)
    assert (report.added, report.refused) == (10, 1)
    assert ParquetCandleRepository(tmp_path, "1h").read(SYMBOL)["volume"].iloc[3] == 99.0


def test_bars_that_are_still_open_are_not_stored(tmp_path):
    rows = rows_of("candles", 10)
    now = rows["timestamp"].iloc[9] + pd.Timedelta(59, unit="min")
    repository = ParquetCandleRepository(tmp_path, "1h", clock=lambda: now)
    report = repository.upsert(SYMBOL, rows)
    assert (report.added, report.still_open) == (9, 1)
    report = repository.upsert(SYMBOL, rows[9:])
    assert (report.added, report.still_open, report.changed) == (0, 1, False)


def test_nothing_offered_is_nothing_stored(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    assert repository.upsert(SYMBOL, rows_of("candles", 3)[:0]).added == 0
    assert repository.symbols() == []


def test_writing_the_same_again_touches_no_file(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    repository.upsert(SYMBOL, rows_of("candles"))
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    repository.upsert(SYMBOL, rows_of("candles"))
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")} == before


def test_a_year_that_is_not_touched_keeps_its_file(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    rows = rows_of("candles", 96)
    repository.upsert(SYMBOL, rows[:60])
    (old,) = tmp_path.rglob("2019-*.parquet")
    repository.upsert(SYMBOL, rows[60:])
    assert list(tmp_path.rglob("2019-*.parquet")) == [old]


def test_bars_on_another_grid_are_refused(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    rows = rows_of("candles", 96)
    repository.upsert(SYMBOL, rows[:20])
    moved = rows[60:].assign(timestamp=rows["timestamp"][60:] + pd.Timedelta(30, unit="min"))
    with pytest.raises(TimeframeError, match="grid of those already stored"):
        repository.upsert(SYMBOL, moved)
    assert len(repository.read(SYMBOL)) == 20


def test_the_bars_of_another_venue_are_refused_under_the_same_name(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    repository.upsert(SYMBOL, rows_of("candles", 200))
    with pytest.raises(DataError, match="another venue"):
        repository.upsert(SYMBOL, rows_of("candles", 200, seed=8))


def test_unlawful_bars_are_refused_whole(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    rows = rows_of("candles", 10)
    for bad in (rows.assign(close=-1.0), rows.assign(high=rows["low"] * 0.5)):
        with pytest.raises(DataError):
            repository.upsert(SYMBOL, bad)
    assert repository.symbols() == []
    with pytest.raises(DataError, match="belong to a symbol"):
        repository.upsert("", rows)


# the store: everything under one root


@pytest.fixture
def store(tmp_path):
    store = DataStore(tmp_path)
    store.candles("1h").upsert("BTC/USDT", rows_of("candles"))
    store.candles("1h").upsert("ETH/USDT", rows_of("candles", seed=8))
    store.funding.upsert("BTC/USDT:USDT", rows_of("funding"))
    store.open_interest.upsert("BTC/USDT", rows_of("open_interest"))
    store.fear_greed.upsert("", rows_of("fear_greed"))
    return store


def test_a_market_comes_out_of_the_store(store):
    market = store.market(["BTC/USDT"], series=["funding", "open_interest", "fear_greed"])
    assert (market.symbols, len(market)) == (("BTC/USDT",), 96)
    assert as_of(market, "funding")["funding_rate"].iloc[5] == rows_of("funding")["funding_rate"].iloc[6]
    delay = market.series["open_interest"].frame.eval("available_at - timestamp")
    assert (delay == pd.Timedelta(1, unit="h")).all()
    assert list(market.series["fear_greed"].frame["symbol"].unique()) == [""]


def test_a_panel_of_all_symbols_within_a_time_range(store):
    market = store.market(timerange="20191231-20200101", series=["funding"])
    assert market.symbols == ("BTC/USDT", "ETH/USDT")
    assert len(market) == 48
    assert set(market.series["funding"].frame["symbol"]) == {"BTC/USDT"}


def test_read_market_reads_a_store_as_well(store):
    whole = store.market(series=["funding"])
    assert read_market(store.root, series=["funding"]).content_hash == whole.content_hash
    own = read_market(store.root, symbol="ETH/USDT", series={"funding": rows_of("funding")})
    assert own.symbols == ("ETH/USDT",)
    assert np.isfinite(as_of(own, "funding").to_numpy()).all()


def test_coverage_lists_everything_that_is_stored(store):
    listed = [(c.kind, c.symbol, c.timeframe, c.rows, c.gaps) for c in store.coverage()]
    assert listed == [
        ("candles", "BTC/USDT", "1h", 96, 0),
        ("candles", "ETH/USDT", "1h", 96, 0),
        ("funding", "BTC/USDT:USDT", "", 96, 0),
        ("open_interest", "BTC/USDT", "", 96, 0),
        ("fear_greed", "", "", 96, 0),
    ]
    assert store.coverage()[0].to_dict()["first"] == "2019-12-30T18:00:00+00:00"


def test_imports_are_saved_under_their_symbols(tmp_path):
    store = DataStore(tmp_path / "store")
    path = tmp_path / "panel.csv"
    pd.concat([rows_of("candles").assign(symbol=s) for s in ("A/USD", "B/USD")]).to_csv(path, index=False)
    reports = store.save(importers.read(path))
    assert [(r.symbol, r.added) for r in reports] == [("A/USD", 96), ("B/USD", 96)]
    with pytest.raises(DataError, match="One name for several symbols"):
        store.save(importers.read(path), symbol="C/USD")
    single = tmp_path / "bars.csv"
    rows_of("candles").to_csv(single, index=False)
    with pytest.raises(DataError, match="--symbol"):
        store.save(importers.read(single))
    assert store.save(importers.read(single), symbol="C/USD")[0].added == 96


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"symbols": ["BTC/USD"]}, DataError, "did you mean 'BTC/USDT'"),
        ({"timeframe": "4h"}, TimeframeError, "allowed: 1h"),
        ({"timerange": "20300101-"}, NotEnoughDataError, "2019-12-30"),
        ({"series": ["fundings"]}, SeriesError, "did you mean 'funding'"),
        ({"symbols": ["ETH/USDT"], "series": ["open_interest"]}, SeriesError, "allowed: BTC/USDT"),
    ],
)
def test_what_is_not_stored_is_said(store, arguments, error, says):
    with pytest.raises(error, match=says):
        store.market(**arguments)


def test_an_empty_store_and_a_foreign_directory(tmp_path):
    with pytest.raises(TimeframeError, match="onward data import"):
        DataStore(tmp_path).market()
    with pytest.raises(FormatError, match="no repository"):
        read_market(tmp_path)
    with pytest.raises(NotEnoughDataError, match="nothing is stored yet"):
        DataStore(tmp_path).funding.coverage("BTC/USDT")


def test_several_timeframes_must_be_told_apart(store):
    daily = rows_of("candles").assign(timestamp=pd.date_range("2020-01-01", periods=96, freq="D", tz="UTC"))
    store.candles("1d").upsert("BTC/USDT", daily)
    assert store.timeframes() == ["1h", "1d"]
    with pytest.raises(TimeframeError, match="must be named"):
        store.market()
    assert store.market(timeframe="1d").timeframe == pd.Timedelta(1, unit="D")
