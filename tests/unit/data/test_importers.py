"""Every format on a tiny hand-made file of its layout, and everything that is none."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.data import importers
from onward.data.importers.cryptodatadownload import coin_volume
from onward.data.importers.funding_csv import settlement_offset_hours
from onward.data.importers.names import pair, symbol_from_name
from onward.errors import DataError, FormatError
from tests.unit.data.candle_rows import PRICES, candles, hours, rows, utc, write_csv


def test_freqtrade_feather(tmp_path):
    path = tmp_path / "BTC_USDT_USDT-1h-futures.feather"
    candles().to_feather(path)
    result = importers.read(path)
    assert result.recognition.format == "freqtrade_feather"
    assert (result.kind, result.symbol, result.timeframe) == ("candles", "BTC/USDT:USDT", pd.Timedelta("1h"))
    assert rows(result) == [[*PRICES, v] for v in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert result.repairs == ()


@pytest.mark.parametrize("name", ["XRP_USDT_USDT-8h-funding_rate.feather", "rates.feather"])
def test_freqtrade_funding_is_told_by_its_content(tmp_path, name):
    path = tmp_path / name
    stamps = pd.date_range("2021-11-18 00:00:00.017", periods=3, freq="8h", tz="UTC")
    frame = pd.DataFrame({"date": stamps, "open": [1e-4, 2e-4, 3e-4]})
    frame.assign(high=0.0, low=0.0, close=0.0, volume=0.0).to_feather(path)
    result = importers.read(path)
    assert result.recognition.format == "freqtrade_funding"
    assert result.kind == "funding"
    assert list(result.frame["funding_rate"]) == [1e-4, 2e-4, 3e-4]
    assert result.frame["timestamp"].iloc[0] == utc("2021-11-18")


def test_freqtrade_json(tmp_path):
    path = tmp_path / "UNITTEST_BTC-1h.json"
    path.write_text(json.dumps([[int(t.timestamp() * 1000), *PRICES, 7.0] for t in hours(3)]))
    result = importers.read(path)
    assert (result.recognition.format, result.symbol) == ("freqtrade_json", "UNITTEST/BTC")
    assert list(result.frame["timestamp"]) == list(hours(3))


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("factor", "unit"), [(10**3, "milliseconds"), (10**6, "microseconds")])
def test_binance_klines(tmp_path, header, factor, unit):
    path = tmp_path / "BTCUSDT-1h-2025-01.csv"
    lines = [
        f"{t * factor},100,102,99,101,{i}.5,{(t + 3600) * factor - 1},1,2,3,4,0"
        for i, t in enumerate(int(h.timestamp()) for h in hours(3))
    ]
    names = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        "taker_buy_quote_volume,ignore"
    )
    path.write_text("\n".join([names] * header + lines) + "\n")
    result = importers.read(path)
    assert (result.recognition.format, result.symbol) == ("binance_klines", "BTC/USDT")
    assert unit in result.recognition.evidence
    assert ("without" in result.recognition.evidence) != header
    assert list(result.frame["timestamp"]) == list(hours(3))
    assert rows(result)[2] == [*PRICES, 2.5]


def test_binance_metrics(tmp_path):
    path = tmp_path / "BTCUSDT-metrics.csv"
    path.write_text(
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_long_short_ratio\n"
        "2025-05-30 10:30:00,BTCUSDT,14088.0100000000000000,473864.3043600000000000,0.5\n"
        "2025-05-30 10:35:00,BTCUSDT,14089.0,473865.0,0.6\n"
    )
    result = importers.read(path)
    assert (result.kind, result.symbol, result.timeframe) == (
        "open_interest",
        "BTC/USDT",
        pd.Timedelta("5min"),
    )
    assert list(result.frame["open_interest"]) == [14088.01, 14089.0]
    assert list(result.frame["long_short_ratio"]) == [0.5, 0.6]


def test_cryptodatadownload_with_banner_meridiem_and_newest_first(tmp_path):
    path = tmp_path / "Coinbase_BTCUSD_1h.csv"
    path.write_text(
        "Timestamps are UTC timezone,https://www.CryptoDataDownload.com\r\n"
        "Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\r\n"
        "2024-01-01 01-PM,BTCUSD,100,102,99,101,3,303\r\n"
        "2024-01-01 12-PM,BTCUSD,100,102,99,101,2,202\r\n"
        "2024-01-01 12-AM,BTCUSD,100,102,99,101,1,101\r\n"
        "2024-01-01 11-AM,BTCUSD,100,102,99,101,0,0\r\n"
    )
    result = importers.read(path)
    assert result.recognition.format == "cryptodatadownload"
    assert "banner" in str(result.recognition)
    stamps = [f"2024-01-01 {h:02d}:00" for h in (0, 11, 12, 13)]
    assert list(result.frame["timestamp"]) == [utc(s) for s in stamps]
    assert list(result.frame["volume"]) == [1.0, 0.0, 2.0, 3.0]
    assert [r.name for r in result.repairs] == ["volume", "sorted"]
    assert "newest first with 1 break" in result.repairs[1].detail


def test_cryptodatadownload_with_volumes_that_changed_places(tmp_path):
    path = tmp_path / "Bitstamp_BTCUSD.csv"
    path.write_text(
        "unix,date,symbol,open,high,low,close,volume,Volume USD\n"
        "1704074400,2024-01-01 02:00:00,BTC/USD,100,102,99,101,5,505\n"
        "1704070800,2024-01-01 01:00:00,BTC/USD,100,102,99,101,404,4\n"
        "1704067200,2024-01-01 00:00:00,BTC/USD,100,102,99,101,303,3\n"
    )
    result = importers.read(path)
    assert list(result.frame["volume"]) == [3.0, 4.0, 5.0]
    assert "in 2 rows it was the second" in result.repairs[0].detail
    path.write_text(path.read_text().replace("404,4", "4,404").replace("303,3", "3,303"))
    assert "rows" not in importers.read(path).repairs[0].detail  # none of them had changed places


def test_the_coin_volume_is_told_by_the_price_row_by_row():
    first, second = np.array([2.0, 200.0, 0.0, 5.0, 7.0]), np.array([200.0, 2.0, 0.0, 0.0, 7.0])
    coins, swapped = coin_volume(first, second, np.array([100.0, 100.0, 100.0, 100.0, 1.0]))
    assert list(coins) == [2.0, 2.0, 0.0, 0.0, 7.0]
    assert list(swapped) == [False, True, False, False, False]


@pytest.mark.parametrize("header", ["Time", "Gmt time"])
def test_day_first_dates(tmp_path, header):
    path = tmp_path / "FOREX_EURUSD_1H_ASK.csv"
    path.write_text(
        f"{header},Open,High,Low,Close,Volume\n"
        "02.01.2017 22:00:00.000,100,102,99,101,1.5\n"
        "02.01.2017 23:00:00.000,100,102,99,101,2.5\n"
        "03.01.2017 00:00:00.000,100,102,99,101,3.5\n"
    )
    result = importers.read(path)
    assert (result.recognition.format, result.symbol) == ("day_first", "EUR/USD")
    assert list(result.frame["timestamp"]) == list(hours(3, "2017-01-02 22:00"))


def test_slashes_alone_do_not_say_which_number_is_the_day(tmp_path):
    path = tmp_path / "x.csv"
    text = "date,open,high,low,close,volume\n{}/04/2020,100,102,99,101,1\n04/04/2020,100,102,99,101,1\n"
    path.write_text(text.format("13"))
    assert importers.recognise(path).format == "day_first"
    path.write_text(text.format("03"))
    with pytest.raises(DataError, match="cannot be read"):
        importers.read(path)


def test_funding_stamped_in_a_hidden_zone(tmp_path):
    path = tmp_path / "funding_BTC-USDT.csv"
    stamps = pd.date_range("2020-01-01 03:00", periods=12, freq="8h")
    lines = [f"BTC-USDT,{t:%Y-%m-%d %H:%M:%S}.00{i % 9},0.000{i}" for i, t in enumerate(stamps)]
    path.write_text("Symbol,Date,Funding Rate\n" + "\n".join(lines))
    result = importers.read(path)
    assert (result.kind, result.symbol) == ("funding", "BTC/USDT")
    assert result.frame["timestamp"].iloc[0] == utc("2020-01-01 00:00")
    (zone,) = [r for r in result.repairs if r.name == "zone"]
    assert "UTC+3 without saying so" in zone.detail


@pytest.mark.parametrize(
    ("first", "offset"), [("00:00", 0), ("03:00", 3), ("04:00", 4), ("05:00", -3), ("23:00", -1)]
)
def test_the_nearest_zone_that_fits_is_taken(first, offset):
    times = pd.date_range(f"2020-01-01 {first}", periods=30, freq="8h", tz="UTC")
    assert settlement_offset_hours(times) == offset


def test_hours_that_do_not_agree_or_are_not_eight_apart_are_left_alone():
    mixed = pd.date_range("2020-01-01 03:00", periods=30, freq="8h", tz="UTC")
    mixed = mixed[:15].append(mixed[15:] + pd.Timedelta(1, unit="h"))
    assert settlement_offset_hours(mixed) == 0
    assert settlement_offset_hours(hours(50, "2020-01-01 03:00")) == 0
    assert settlement_offset_hours(mixed[:5]) == 0


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zip", ".parquet", ".feather", ".json", ".tsv"])
def test_ordinary_tables(tmp_path, suffix):
    frame = candles().rename(columns={"date": "timestamp"})
    path = tmp_path / f"btc_usdt_1h{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".feather":
        frame.to_feather(path)
    elif suffix == ".json":
        frame.assign(timestamp=frame["timestamp"].astype(str)).to_json(path, orient="records")
    elif suffix == ".csv.gz":
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    elif suffix == ".csv.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.csv", frame.to_csv(index=False))
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    result = importers.read(path)
    assert (result.recognition.format, result.symbol, len(result.frame)) == ("table", "BTC/USDT", 5)
    assert list(result.frame["timestamp"]) == list(hours(5))


def test_a_table_indexed_by_time(tmp_path):
    path = tmp_path / "x.parquet"
    candles().set_index("date").to_parquet(path)
    assert list(importers.read(path).frame["timestamp"]) == list(hours(5))


def test_panels_take_venue_and_coin(tmp_path):
    path = tmp_path / "panel.parquet"
    parts = [candles().assign(venue=v, coin=c) for v in ("bybit", "binance") for c in ("BTC", "ETH")]
    pd.concat(parts).to_parquet(path)
    result = importers.read(path)
    assert result.symbol is None
    assert result.symbols == ("binance:BTC", "binance:ETH", "bybit:BTC", "bybit:ETH")


@pytest.mark.parametrize(
    ("columns", "kind", "value"),
    [
        (
            {"fundingTime": [1704067200000, 1704096000000], "fundingRate": ["0.0001", "0.0002"]},
            "funding",
            0.0001,
        ),
        ({"timestamp": ["2024-01-01", "2024-01-02"], "open_interest": [5, 6]}, "open_interest", 5.0),
        ({"date": ["2024-01-01", "2024-01-02"], "fear_greed": [20, 30]}, "fear_greed", 20.0),
    ],
)
def test_side_series_with_ordinary_names(tmp_path, columns, kind, value):
    path = tmp_path / "side.json"
    path.write_text(
        json.dumps([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    )
    result = importers.read(path)
    assert result.kind == kind
    assert result.frame.iloc[0, 2] == value
    assert result.frame["timestamp"].iloc[0] == utc("2024-01-01")


def test_the_answer_of_the_fear_and_greed_interface(tmp_path):
    path = tmp_path / "fng.json"
    data = [
        {"value": "40", "value_classification": "Fear", "timestamp": "1704153600", "time_until_update": "1"},
        {"value": "65", "value_classification": "Greed", "timestamp": "1704067200"},
    ]
    path.write_text(json.dumps({"name": "Fear and Greed Index", "data": data}))
    result = importers.read(path)
    assert result.kind == "fear_greed"
    assert list(result.frame["fear_greed"]) == [65.0, 40.0]


# what is nothing


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty"),
        ("note.csv", b"hello world\n", "Nobody recognises"),
        ("wide.csv", b"date,AAPL,MSFT\n2024-01-01,1,2\n", "one row a symbol and moment"),
        ("x.parquet", b"PAR1 not really", "damaged"),
        ("x.feather", b"ARROW1 neither", "damaged"),
        ("x.json", b"{not json", "Nobody recognises"),
        ("x.json", b'"text"', "Nobody recognises"),
        ("x.xlsx", b"PK\x03\x04", "Nobody recognises"),
        ("x.csv.gz", b"no gzip", "cannot be read"),
        ("x.csv", b"date,open,high,low,close,volume\n", "no rows"),
        ("x.csv", b"date,open,high,low,close,volume\n2024-01-01,a,b,c,d,e\n", "not a number"),
        ("x.csv", b"date;open;high;low;close;volume\n2024-01-01;1,5;2;1;2;3\n", "not a number"),
        ("x.csv", bytes(range(128, 256)) * 9, "Nobody recognises"),
    ],
)
def test_what_is_no_market_data_is_refused(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        importers.read(path)


def test_a_file_that_is_not_there_or_a_directory(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        importers.recognise(tmp_path / "nowhere.csv")
    with pytest.raises(FormatError, match="directory"):
        importers.recognise(tmp_path)


def test_a_format_can_be_named_and_must_fit(tmp_path):
    path = write_csv(tmp_path, candles(3))
    assert importers.read(path, "table").recognition.evidence == "named by the user"
    with pytest.raises(FormatError, match="did you mean 'binance_klines'"):
        importers.read(path, "binance_kline")
    for other in importers.CATALOG:
        if other.name != "table":
            with pytest.raises(DataError):
                importers.read(path, other.name)


def test_every_format_has_its_own_name_and_file():
    names = [one.name for one in importers.CATALOG]
    assert len(set(names)) == len(names)
    assert names[-1] == "table"


def test_a_named_format_settles_what_recognition_could_not(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "date,open,high,low,close,volume\n03/04/2020,100,102,99,101,1\n04/04/2020,100,102,99,101,1\n"
    )
    result = importers.read(path, "day_first")
    assert list(result.frame["timestamp"]) == [utc("2020-04-03"), utc("2020-04-04")]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC_USDT_USDT-1h-futures", "BTC/USDT:USDT"),
        ("freqtrade_UNITTEST_BTC-5m", "UNITTEST/BTC"),
        ("binance_BTCUSDT-1h-2024-12", "BTC/USDT"),
        ("btc_usdt_spot_1h", "BTC/USDT"),
        ("eurusd_ask_1h", "EUR/USD"),
        ("BTC-USDT", "BTC/USDT"),
        ("candles", None),
        ("export", None),
    ],
)
def test_symbols_from_file_names(name, symbol):
    assert symbol_from_name(name) == symbol


@pytest.mark.parametrize(
    ("code", "symbol"),
    [
        ("BTCUSDT", "BTC/USDT"),
        ("btc-usdt", "BTC/USDT"),
        ("BTC/USD:USD", "BTC/USD:USD"),
        ("ETHBTC", "ETH/BTC"),
        ("SPX", "SPX"),
    ],
)
def test_symbols_from_exchange_codes(code, symbol):
    assert pair(code) == symbol


def test_every_format_is_in_the_manual():
    manual = Path(__file__).parents[3] / "docs" / "how-to" / "import-data.md"
    documented = re.findall(r"^\| `(\w+)` \|", manual.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(one.name for one in importers.CATALOG)
