from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from onward.data.availability import make_series
from onward.data.market import make_market
from onward.data.quality import check, check_path, robust_z
from onward.data.read import sample_market
from onward.data.repositories import DataStore
from onward.testing.markets import random_walk
from onward.testing.repositories import rows_of


def named(report, name):
    return [p for p in report.problems if p.name == name]


def test_a_clean_market_has_no_problems():
    report = check(random_walk(500, symbols=("A", "B")))
    assert report.problems == ()
    assert report.passed
    assert [s.rows for s in report.symbols] == [500, 500]


def test_the_sample_in_figures():
    (found,) = check(sample_market()).symbols
    assert (found.rows, found.gaps, found.zero_volume, found.ohlc_violations, found.nan) == (
        20_111,
        0,
        28,
        0,
        0,
    )
    assert found.longest_stale == 15


def test_gaps_are_counted_with_the_longest():
    bars = random_walk(100).bars
    report = check(make_market(bars.drop(bars.index[[10, 40, 41, 42]]), timeframe="1h"))
    (found,) = report.symbols
    assert (found.gaps, found.missing, found.longest_gap) == (2, 4, pd.Timedelta("4h"))
    assert found.longest_gap_start == bars.index[39][1]
    assert "2 gaps, 4 bars missing" in named(report, "gaps")[0].text


def test_zero_and_unknown_volume_violations_and_outliers_are_found():
    bars = random_walk(400).bars.copy()
    bars.iloc[5, 4] = 0.0
    bars.iloc[6, 4] = np.nan
    bars.iloc[7, 1] = bars.iloc[7, 2]
    bars.iloc[200, :4] *= 3.0
    report = check(make_market(bars, timeframe="1h", ohlc="keep"))
    (found,) = report.symbols
    assert (found.zero_volume, found.nan, found.ohlc_violations, found.outliers) == (1, 1, 1, 2)
    assert found.largest_z > 100
    assert report.problems[0].severity == "error"
    assert not report.passed
    (text,) = (p.text for p in named(report, "outliers"))
    assert any(str(bars.index[i][1]) in text for i in (200, 201))  # there and back


def test_a_price_that_stands_still_is_found():
    bars = random_walk(100).bars.copy()
    bars.iloc[30:50, :4] = bars.iloc[30, 3]
    report = check(make_market(bars, timeframe="1h"))
    assert report.symbols[0].longest_stale == 20
    assert named(report, "stale")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]), ([np.nan, 2.0, 2.0], [np.nan, 0.0, 0.0]), ([np.nan], [np.nan])],
)
def test_a_series_without_spread_has_no_outliers(values, expected):
    np.testing.assert_array_equal(robust_z(np.array(values)), expected)


def test_the_robust_score_ignores_what_it_measures():
    values = np.r_[np.random.default_rng(1).normal(size=1000), 1000.0]
    z = robust_z(values)
    assert z[-1] == pytest.approx(1000.0, rel=0.1)
    assert np.quantile(z[:-1], 0.95) == pytest.approx(1.96, rel=0.1)


def test_side_series_problems():
    market = random_walk(200)
    stamps = pd.date_range("2020-01-01", periods=20, freq="8h", tz="UTC")
    interest = pd.DataFrame({"timestamp": market.open_time[:100], "open_interest": 5.0})
    interest.loc[[3, 9], "open_interest"] = 0.0
    greed = pd.DataFrame({"timestamp": ["2020-01-01", "2020-01-02"], "fear_greed": [20.0, 150.0]})
    funding = pd.DataFrame({"timestamp": stamps + pd.Timedelta(30, unit="min"), "funding_rate": 1e-4})
    market = market.replace(
        series={
            "open_interest": make_series("open_interest", interest),
            "fear_greed": make_series("fear_greed", greed),
            "funding": make_series("funding", funding),
        }
    )
    report = check(market)
    assert {(p.subject, p.name, p.severity) for p in report.problems} >= {
        ("open_interest", "zeros", "warning"),
        ("open_interest", "stale", "warning"),
        ("fear_greed", "range", "error"),
        ("fear_greed", "uncovered", "note"),
        ("funding", "off_grid", "warning"),
    }
    by_name = {s.name: s for s in report.series}
    assert (by_name["open_interest"].zeros, by_name["funding"].off_grid) == (2, 20)
    assert by_name["fear_greed"].covered == pytest.approx((200 - 23) / 200)
    assert by_name["open_interest"].stale == pytest.approx((200 - 99 - 5) / 200)


def test_a_file_is_checked_with_what_its_import_repaired(tmp_path):
    path = tmp_path / "btc_usdt.csv"
    rows = rows_of("candles")
    rows.loc[4, "high"] = rows.loc[4, "low"]
    pd.concat([rows, rows[9:10].assign(volume=99.0)]).to_csv(path, index=False)
    report = check_path(path)
    assert [(p.name, p.severity) for p in report.problems][:2] == [("ohlc", "error"), ("repaired", "warning")]
    assert report.symbols[0].symbol == "BTC/USDT"


def test_a_store_is_checked_as_well(tmp_path):
    DataStore(tmp_path).candles("1h").upsert("BTC/USDT", rows_of("candles"))
    assert check_path(tmp_path).symbols[0].rows == 96


def test_the_report_is_plain_json():
    report = check(random_walk(50))
    content = json.loads(json.dumps(report.to_dict()))
    assert content["passed"] is True
    assert content["symbols"][0]["first"] == "2020-01-01T00:00:00+00:00"
    assert content["symbols"][0]["longest_gap"] == 0.0
