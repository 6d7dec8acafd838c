from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.data.availability import RULES, as_of, make_series
from onward.data.market import make_market
from onward.errors import SeriesError
from onward.testing.markets import START, random_walk
from onward.types import SideSeries, from_ns

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE


def utc(text):
    return pd.Timestamp(text, tz="UTC")


def frame_of(times, **values):
    return pd.DataFrame({"timestamp": pd.DatetimeIndex(times, tz="UTC"), **values})


def one_by_one(market, series):
    """The rule of `as_of`, said in plain Python: for every bar look at every print."""
    frame = series.frame
    times = zip(frame["symbol"], frame["timestamp"], frame["available_at"], strict=True)
    known = [(symbol, stamp.value, moment.value) for symbol, stamp, moment in times]
    values = frame[list(series.values)].to_numpy()
    out = np.full((len(market), values.shape[1]), np.nan)
    for i, ((symbol, _), decision) in enumerate(zip(market.bars.index, market.decision_time_ns, strict=True)):
        seen = [
            (stamp, moment, whose == symbol, j)
            for j, (whose, stamp, moment) in enumerate(known)
            if whose in ("", symbol) and moment <= decision
        ]
        if seen:
            out[i] = values[max(seen)[3]]
    return out


prints = st.lists(
    st.tuples(
        st.sampled_from(["", "A", "B", "C"]),
        st.integers(-6, 40),  # half hours
        st.integers(0, 20),
        st.one_of(st.floats(-5, 5), st.just(float("nan"))),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda p: p[:3],
)


@settings(max_examples=60, deadline=None)
@given(prints)
def test_the_join_equals_looking_at_every_print(drawn):
    market = random_walk(12, symbols=("A", "B"))
    rows = [(s, START + t * HOUR // 2, START + (t + d) * HOUR // 2, v) for s, t, d, v in drawn]
    rows.append(("C", START, START + 99 * HOUR, 1.0))  # a series is never NaN throughout
    frame = pd.DataFrame(rows, columns=["symbol", "timestamp", "available_at", "value"])
    frame["row"] = np.arange(float(len(frame)))
    frame["timestamp"] = from_ns(frame["timestamp"].to_numpy(np.int64))
    frame["available_at"] = from_ns(frame["available_at"].to_numpy(np.int64))
    series = make_series("custom", frame)
    market = market.replace(series={"custom": series})
    joined = as_of(market, "custom")
    np.testing.assert_array_equal(joined.to_numpy(), one_by_one(market, series))
    assert joined.index.equals(market.bars.index)


def test_a_value_is_seen_from_its_availability_on_and_not_a_moment_earlier():
    market = random_walk(3)
    decisions = market.decision_time_ns
    for shift, expected in ((0, [np.nan, 7, 7]), (1, [np.nan, np.nan, 7])):
        known = from_ns(decisions[[1]] + shift)
        series = SideSeries(
            "x", pd.DataFrame({"symbol": "", "timestamp": known, "available_at": known, "value": [7.0]})
        )
        seen = as_of(market.replace(series={"x": series}), "x")["value"]
        np.testing.assert_array_equal(seen, expected)


def test_a_revision_replaces_the_first_print_from_its_own_availability_on():
    market = random_walk(6)
    hours = from_ns(START + HOUR * np.array([0, 0, 1]))
    known = from_ns(START + HOUR * np.array([1, 4, 2]))
    frame = pd.DataFrame({"timestamp": hours, "value": [1.0, 1.5, 2.0]})
    series = make_series("gdp", frame, available_at=known)
    seen = as_of(market.replace(series={"gdp": series}), "gdp")["value"]
    # the print of hour 1 is newer than the late correction of hour 0
    assert list(seen) == [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    only = make_series("gdp", frame[:2], available_at=known[:2])
    seen = as_of(market.replace(series={"gdp": only}), "gdp")["value"]
    assert list(seen) == [1.0, 1.0, 1.0, 1.5, 1.5, 1.5]


def test_a_missing_series_names_the_near_one():
    market = random_walk(3)
    with pytest.raises(SeriesError, match="no series 'funding'; got a market without side series"):
        as_of(market, "funding")
    series = make_series("funding", frame_of(["2020-01-01"], funding_rate=[1e-4]))
    with pytest.raises(SeriesError, match="did you mean 'funding'"):
        as_of(market.replace(series={"funding": series}), "fundings")


def test_a_symbol_without_values_sees_nan():
    market = random_walk(3, symbols=("A", "B"))
    series = make_series("funding", frame_of(["2020-01-01"], funding_rate=[1e-4]), symbol="B")
    seen = as_of(market.replace(series={"funding": series}), "funding")["funding_rate"]
    assert seen["A"].isna().all()
    assert (seen["B"] == 1e-4).all()


# the stated rules of availability


def test_funding_is_known_at_its_settlement_with_up_to_five_seconds_of_jitter():
    stamps = ["2020-01-01 00:00:00.017", "2020-01-01 08:00:05", "2020-01-01 16:00:05.001"]
    frame = make_series("funding", frame_of(stamps, funding_rate=[1.0, 2.0, 3.0])).frame
    assert list(frame["timestamp"]) == [utc("2020-01-01"), utc("2020-01-01 08:00"), utc(stamps[2])]
    assert list(frame["available_at"]) == list(frame["timestamp"])
    market = random_walk(17).replace(
        series={"funding": make_series("funding", frame_of(stamps, funding_rate=[1.0, 2.0, 3.0]))}
    )
    seen = as_of(market, "funding")["funding_rate"].to_numpy()
    assert list(seen) == [1.0] * 7 + [2.0] * 9 + [3.0]


def test_fear_and_greed_is_known_from_the_following_midnight():
    frame = frame_of(["2020-01-01", "2020-01-02 05:00"], fear_greed=[10, 20])
    series = make_series("fear_greed", frame.assign(classification=["Extreme Fear", "Fear"]))
    assert "classification" not in series.frame.columns
    assert list(series.frame["available_at"]) == [utc("2020-01-02"), utc("2020-01-03")]
    seen = as_of(random_walk(49).replace(series={"fear_greed": series}), "fear_greed")["fear_greed"]
    assert seen[:23].isna().all()
    assert list(seen[23:47]) == [10.0] * 24
    assert list(seen[47:]) == [20.0] * 2


def test_open_interest_is_known_one_bar_after_its_timestamp():
    frame = frame_of(
        ["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00"], open_interest=[5.0, 6.0, 7.0]
    )
    series = make_series("open_interest", frame)
    assert list(series.frame["available_at"] - series.frame["timestamp"]) == [pd.Timedelta(1, unit="h")] * 3
    seen = as_of(random_walk(4).replace(series={"open_interest": series}), "open_interest")["open_interest"]
    assert list(seen) == [5.0, 6.0, 7.0, 7.0]


def test_one_bar_is_the_longer_of_the_markets_bar_and_the_series_own_step():
    frame = frame_of(["2020-01-01 00:00", "2020-01-01 00:05"], open_interest=[5.0, 6.0])
    for bar, minutes in (("1m", 5), ("5m", 5), ("1h", 60)):
        made = make_series("open_interest", frame, bar=bar).frame
        delay = made["available_at"] - made["timestamp"]
        assert (delay == pd.Timedelta(minutes, unit="min")).all(), bar
    market = make_market(random_walk(4).bars, timeframe="1h", series={"open_interest": frame})
    assert market.series["open_interest"].frame["available_at"].iloc[0] == utc("2020-01-01 01:00")
    with pytest.raises(SeriesError, match="bar='1h'"):
        make_series("open_interest", frame[:1])


def test_every_rule_is_stated_in_words():
    assert set(RULES) == {"funding", "open_interest", "fear_greed"}
    assert all("known" in rule.stated for rule in RULES.values())


# custom series


def test_a_custom_series_must_say_when_it_was_known():
    frame = frame_of(["2020-01-01", "2020-01-02"], tweets=[1, 2])
    with pytest.raises(SeriesError, match="available_at=<column or moments>, or delay='1h'"):
        make_series("tweets", frame)
    with pytest.raises(SeriesError, match="did you mean 'fear_greed'"):
        make_series("feargreed", frame)
    assert list(make_series("tweets", frame, delay="1d").frame["available_at"]) == [
        utc("2020-01-02"),
        utc("2020-01-03"),
    ]
    known = frame.assign(available_at=["2020-01-01 10:00", "2020-01-02 10:00"])
    assert list(make_series("tweets", known).frame.columns[3:]) == ["tweets"]
    assert make_series("tweets", known.rename(columns={"available_at": "seen"}), available_at="seen").frame[
        "available_at"
    ].iloc[0] == utc("2020-01-01 10:00")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"delay": "1h", "available_at": "timestamp"}, "both"),
        ({"delay": "soon"}, "Unreadable delay"),
        ({"delay": 5}, "Unreadable delay"),
        ({"delay": pd.Timedelta(-1, unit="h")}, "negative"),
        ({"available_at": "nowhere"}, "no column 'nowhere'"),
        ({"available_at": pd.DatetimeIndex(["2020-01-01"], tz="UTC")}, "one moment a row"),
        ({"available_at": pd.DatetimeIndex(["2019-12-31", "2020-01-03"], tz="UTC")}, "before the moment"),
    ],
)
def test_availability_that_cannot_be_is_refused(arguments, says):
    with pytest.raises(SeriesError, match=says):
        make_series("tweets", frame_of(["2020-01-01", "2020-01-02"], tweets=[1, 2]), **arguments)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (frame_of(["2020-01-01"], rate=[1.0]), "needs the column 'funding_rate'"),
        (frame_of(["2020-01-01"], funding_rate=[np.nan]), "NaN throughout"),
        (frame_of(["2020-01-01"], funding_rate=[np.inf]), "infinities"),
        (frame_of(["2020-01-01"], funding_rate=["high"]), "not a number"),
        (frame_of(["2020-01-01", "2020-01-01"], funding_rate=[1.0, 2.0]), "same print twice"),
        (frame_of([], funding_rate=[]), "no rows"),
        (pd.DataFrame({"funding_rate": [1.0]}), "no timestamps"),
        ([1.0, 2.0], "must be a pandas DataFrame"),
    ],
)
def test_bad_values_are_refused(frame, says):
    with pytest.raises(SeriesError, match=says):
        make_series("funding", frame)
