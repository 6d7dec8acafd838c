"""Real files of real publishers: first row, last row, row count, and what was said about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.data import importers
from onward.data.availability import as_of
from onward.data.importers.cleaning import VALUES
from onward.data.read import read_market, sample_market
from onward.data.resample import closed_bars
from onward.errors import FormatError

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

H, M5, M1, H8, D = (pd.Timedelta(t) for t in ("1h", "5min", "1min", "8h", "1D"))

# name, format, symbol, timeframe, rows, first stamp, first values, last stamp, last values
CASES = [
    ("raw/freqtrade_BTC_USDT_USDT-1h-futures.feather", "freqtrade_feather", "BTC/USDT:USDT", H, 719,
     "2025-03-06 11:00", [91250.0, 91563.0, 90953.1, 91319.2, 5659.315],
     "2025-04-05 09:00", [83479.7, 83829.5, 83479.7, 83804.3, 2990.375]),
    ("raw/freqtrade_UNITTEST_BTC-5m.feather", "freqtrade_feather", "UNITTEST/BTC", M5, 5760,
     "2018-01-10 04:55", [0.0984, 0.0994766, 0.09828605, 0.0994766, 1820.54447418],
     "2018-01-30 04:50", [0.10440995, 0.10441058, 0.10400025, 0.10441057, 31.94851561]),
    ("raw/freqtrade_XRP_ETH-5m.feather", "freqtrade_feather", "XRP/ETH", M5, 706,
     "2019-10-11 00:00", [0.00141342, 0.00141658, 0.00141192, 0.00141192, 3478.0],
     "2019-10-13 11:15", [0.00152609, 0.00152871, 0.00152362, 0.00152787, 11786.0]),
    ("raw/freqtrade_XRP_USDT_USDT-8h-funding_rate.feather", "freqtrade_funding", "XRP/USDT:USDT", H8, 91,
     "2021-11-18 00:00", [0.0001], "2021-12-18 00:00", [0.0001]),
    ("raw/freqtrade_UNITTEST_BTC-1m.json", "freqtrade_json", "UNITTEST/BTC", M1, 13681,
     "2017-11-04 23:02", [0.00162008, 0.00162008, 0.00162008, 0.00162008, 108.14853839],
     "2017-11-14 22:59", [0.00270001, 0.00270002, 0.00270001, 0.00270002, 1.94577668]),
    ("raw/binance_BTCUSDT-1h-2024-12.csv", "binance_klines", "BTC/USDT", H, 744,
     "2024-12-01 00:00", [96407.99, 96672.49, 96260.0, 96340.6, 532.95388],
     "2024-12-31 23:00", [93488.83, 93756.0, 93375.38, 93576.0, 336.57995]),
    ("raw/binance_BTCUSDT-1h-2025-01.csv", "binance_klines", "BTC/USDT", H, 744,
     "2025-01-01 00:00", [93576.0, 94509.42, 93489.03, 94401.14, 755.9901],
     "2025-01-31 23:00", [102261.29, 102439.31, 101955.0, 102429.56, 587.31239]),
    ("raw/binance_FILUSDT-1m-2023-02_first10000.csv", "binance_klines", "FIL/USDT", M1, 10000,
     "2023-02-01 00:00", [5.233, 5.238, 5.229, 5.233, 35462.8],
     "2023-02-07 22:39", [5.514, 5.521, 5.51, 5.518, 42577.1]),
    ("raw/binance_HYPEUSDT-metrics_head.csv", "binance_metrics", "HYPE/USDT", M5, 12,
     "2025-05-30 10:30", [14088.01], "2025-05-30 11:25", [63577.22]),
    ("raw/bitstamp_BTC_USD-Hourly.csv", "cryptodatadownload", "BTC/USD", H, 33259,
     "2018-05-15 06:00", [8733.86, 8796.68, 8707.28, 8740.99, 559.93],
     "2022-03-01 00:00", [43221.71, 43626.49, 43185.48, 43312.27, 52.05632]),
    ("raw/coinbase_BTCUSD_1h.csv", "cryptodatadownload", "BTC/USD", H, 20111,
     "2017-07-01 11:00", [2505.56, 2513.38, 2495.12, 2509.17, 114.6],
     "2019-10-17 09:00", [8051.0, 8056.83, 8021.23, 8035.88, 61.25]),
    ("raw/funding_BTC-USDT_binance_2020_2024.csv", "funding_csv", "BTC/USDT", H8, 4383,
     "2020-01-01 00:00", [-0.00012359], "2023-12-31 16:00", [0.00033597]),
    ("raw/FOREX_EURUSD_1H_ASK.csv", "day_first", "EUR/USD", H, 6225,
     "2017-01-01 22:00", [1.05236, 1.05253, 1.05221, 1.05227, 143539993.3],
     "2017-12-29 21:00", [1.19984, 1.2013, 1.19931, 1.20075, 4885529785.0]),
    ("raw/derived_overlap_duplicates_gaps.csv", "table", None, H, 716,
     "2025-03-06 11:00", [91250.0, 91563.0, 90953.1, 91319.2, 5659.315],
     "2025-04-05 09:00", [83479.7, 83829.5, 83479.7, 83804.3, 2990.375]),
    ("btc_usdt_funding_8h.parquet", "table", "BTC/USDT", H8, 6914,
     "2019-09-10 08:00", [0.0001], "2025-12-31 16:00", [0.0000375]),
    ("btc_usdt_open_interest_1h.parquet", "table", "BTC/USDT", H, 7795,
     "2023-11-28 05:00", [79003.934], "2024-10-17 23:00", [81580.267]),
    ("fear_greed_daily.parquet", "table", None, D, 2887,
     "2018-02-01 00:00", [30.0], "2025-12-31 00:00", [21.0]),
    ("daily_equity_ohlcv_5.parquet", "table", None, D, 12154,
     "2000-03-01 00:00", [118.56, 132.06, 118.5, 130.31, 9616100.0],
     "2013-03-01 00:00", [27.72, 27.98, 27.52, 27.95, 34849700.0]),
    ("multivenue_perp_1h.parquet", "table", None, H, 43276,
     "2025-03-06 11:00", [91250.0, 91563.0, 90953.1, 91319.2, 5659.315],
     "2025-12-31 23:00", [124.86, 125.03, 124.58, 124.64, 64338.2]),
]  # fmt: skip


def located(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the shared data folder is not here: {path}")
    return path


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_first_row_last_row_and_count(case):
    name, format_, symbol, timeframe, count, first, first_values, last, last_values = case
    result = importers.read(located(name))
    assert result.recognition.format == format_
    assert str(result.recognition).startswith("Recognised ")
    assert (result.symbol, result.timeframe, len(result.frame)) == (symbol, timeframe, count)
    values = result.frame[list(VALUES[result.kind])]
    assert result.frame["timestamp"].iloc[0] == pd.Timestamp(first, tz="UTC")
    assert result.frame["timestamp"].iloc[-1] == pd.Timestamp(last, tz="UTC")
    np.testing.assert_allclose(values.iloc[0], first_values, rtol=1e-12)
    np.testing.assert_allclose(values.iloc[-1], last_values, rtol=1e-12)
    if result.kind == "candles":
        assert len(read_market(located(name))) == count


def test_the_coinbase_export_becomes_the_bundled_sample():
    imported = read_market(located("raw/coinbase_BTCUSD_1h.csv"))
    pd.testing.assert_frame_equal(imported.bars, sample_market().bars)


def test_the_appended_exports_equal_the_clean_file_where_they_have_rows():
    clean = importers.read(located("raw/freqtrade_BTC_USDT_USDT-1h-futures.feather")).frame
    result = importers.read(located("raw/derived_overlap_duplicates_gaps.csv"))
    expected = clean[clean["timestamp"].isin(result.frame["timestamp"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(result.frame.drop(columns="symbol"), expected.drop(columns="symbol"))
    counts = {r.name: r.count for r in result.repairs}
    assert counts == {"sorted": 2, "duplicates": 57, "conflicts": 1}


def test_the_hidden_zone_of_the_funding_file_is_proved_by_another_copy():
    ours = importers.read(located("raw/funding_BTC-USDT_binance_2020_2024.csv")).frame
    other = importers.read(located("btc_usdt_funding_8h.parquet")).frame
    both = ours.merge(other, on="timestamp")
    assert len(both) == len(ours)
    np.testing.assert_allclose(both["funding_rate_x"], both["funding_rate_y"], atol=1e-12)


def test_the_swapped_volumes_of_bitstamp_are_in_coins_throughout():
    frame = importers.read(located("raw/bitstamp_BTC_USD-Hourly.csv")).frame
    daily = frame.set_index("timestamp")["volume"].resample("30D").median()
    assert daily.between(20, 700).all()


def test_the_day_first_file_equals_its_parquet_twin():
    ours = importers.read(located("raw/FOREX_EURUSD_1H_ASK.csv")).frame
    pd.testing.assert_frame_equal(ours, importers.read(located("eurusd_ask_1h.parquet")).frame)


def test_a_market_with_every_side_series():
    market = read_market(
        located("btc_usdt_perp_1h.parquet"),
        timerange="20240101-20240201",
        series={
            "funding": located("btc_usdt_funding_8h.parquet"),
            "open_interest": located("btc_usdt_open_interest_1h.parquet"),
            "fear_greed": located("fear_greed_daily.parquet"),
        },
    )
    assert (len(market), market.symbols) == (744, ("BTC/USDT",))
    for name in market.series:
        assert np.isfinite(as_of(market, name).to_numpy()).all(), name
    # the bar that closes at midnight sees the settlement of that midnight
    funding = market.series["funding"].frame.set_index("timestamp")["funding_rate"]
    assert as_of(market, "funding")["funding_rate"].iloc[23] == funding[pd.Timestamp("2024-01-02", tz="UTC")]
    greed = market.series["fear_greed"].frame.set_index("timestamp")["fear_greed"]
    assert as_of(market, "fear_greed")["fear_greed"].iloc[23] == greed[pd.Timestamp("2024-01-01", tz="UTC")]
    held = market.series["open_interest"].frame.set_index("timestamp")["open_interest"]
    assert as_of(market, "open_interest")["open_interest"].iloc[5] == held[market.open_time[5]]


def test_three_quarters_of_a_million_bars_with_months_missing():
    market = read_market(located("fil_usdt_perp_1m.parquet"))
    assert len(market) == 776_160
    market = market.replace(series={"bars_1h": closed_bars(market, "1h")})
    seen = as_of(market, "bars_1h")["close"].to_numpy()
    # the last bar of every hour sees that hour's close, its own
    last = np.asarray(market.decision_time.minute == 0)
    np.testing.assert_array_equal(seen[last], market.bars["close"].to_numpy()[last])


def test_a_wide_table_is_refused_with_the_layout_that_is_wanted():
    with pytest.raises(FormatError, match="one row a symbol and moment"):
        read_market(located("daily_equity_close_20_wide.parquet"))
