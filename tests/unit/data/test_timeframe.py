from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.data.timeframe import (
    TimeRange,
    format_timeframe,
    infer_timeframe,
    parse_timeframe,
    parse_timerange,
)
from onward.errors import DataError, NotEnoughDataError, TimeframeError


def utc(text):
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m", 60), ("5m", 300), ("1h", 3600), ("4h", 14400), ("1d", 86400), ("1w", 604800), ("15s", 15)],
)
def test_spellings_of_the_exchanges(text, seconds):
    assert parse_timeframe(text) == pd.Timedelta(seconds, unit="s")
    assert format_timeframe(parse_timeframe(text)) == text


@given(st.integers(1, 10_000), st.sampled_from("smhdw"))
def test_writing_and_reading_a_timeframe_is_lossless(count, unit):
    length = parse_timeframe(f"{count}{unit}")
    assert parse_timeframe(format_timeframe(length)) == length


@pytest.mark.parametrize("text", ["", "h", "1H", "0h", "-1h", "1.5h", "1 hour", "60", "1M", "1y", "fast"])
def test_other_spellings_are_refused_with_what_is_allowed(text):
    with pytest.raises(TimeframeError, match="allowed: a whole number and a unit"):
        parse_timeframe(text)


def test_a_month_is_refused_for_its_own_reason():
    with pytest.raises(TimeframeError, match="Months and years differ in length"):
        parse_timeframe("1M")


def test_a_misspelt_timeframe_names_the_likely_one():
    with pytest.raises(TimeframeError, match="Write it like '1h'"):
        parse_timeframe("1 H")


def test_the_usual_spacing_is_inferred_through_gaps_duplicates_and_jitter():
    times = pd.date_range("2024-01-01", periods=50, freq="h", tz="UTC").delete([7, 8, 30])
    times = times.append(times[:3]) + pd.Timedelta(20, unit="ms")
    assert infer_timeframe(times[::-1]) == pd.Timedelta(1, unit="h")
    with pytest.raises(NotEnoughDataError, match="fewer than two"):
        infer_timeframe(times[:1])


def test_time_ranges_include_their_start_and_exclude_their_end():
    assert parse_timerange("20200101-20251231") == TimeRange(utc("2020-01-01"), utc("2025-12-31"))
    assert parse_timerange("20200101-") == TimeRange(utc("2020-01-01"), None)
    assert parse_timerange("-20251231") == TimeRange(None, utc("2025-12-31"))
    assert parse_timerange("20200101T0930-20200101T1000").start == utc("2020-01-01 09:30")
    assert parse_timerange("1577836800-1577840400000") == TimeRange(
        utc("2020-01-01"), utc("2020-01-01 01:00")
    )
    assert parse_timerange(None) == parse_timerange("") == parse_timerange("-") == TimeRange(None, None)


@pytest.mark.parametrize(
    "text", ["2020", "2020-01-01", "20201301-", "20200101:20210101", "yesterday-", "20200101"]
)
def test_unreadable_time_ranges_say_how_to_write_one(text):
    with pytest.raises(DataError, match="20200101-20251231"):
        parse_timerange(text)


@pytest.mark.parametrize("text", ["20210101-20200101", "20200101-20200101"])
def test_an_empty_time_range_is_an_error(text):
    with pytest.raises(DataError, match="empty"):
        parse_timerange(text)


def test_a_year_is_its_beginning() -> None:
    assert parse_timerange("2035-") == parse_timerange("20350101-")
    assert parse_timerange("2020-2022") == parse_timerange("20200101-20220101")
    for text in ("0000-", "2020-01", "202001-"):
        with pytest.raises(DataError, match="Unreadable time range"):
            parse_timerange(text)
