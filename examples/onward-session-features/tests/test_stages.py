"""The promises that Onward holds its own stages to, held here too, and the arithmetic by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from onward_session_features import Opening, SessionStage, WinsoriseStage

from onward.errors import StageError, TimeframeError
from onward.features.catalog import make_fitted, make_stage
from onward.features.selection.live_columns import restricted
from onward.testing.fitted_stages import check_fitted_stage, example_training_rows
from onward.testing.markets import random_walk
from onward.testing.stages import check_causal_stage, contract_markets

HOURLY = random_walk(72)
MARKETS = list(contract_markets(SessionStage.for_market(HOURLY).lookback))


@pytest.mark.parametrize("case", MARKETS, ids=str)
def test_sessions_keep_the_contract_of_causal_stages(case):
    """No look-ahead, live equals batch, symbols apart, gaps and unknown values survived."""
    for stage in SessionStage.examples(case.market):
        check_causal_stage(stage, case.market)


def test_winsorise_keeps_the_contract_of_fitted_stages():
    """Deterministic, row by row, through JSON unchanged, bad input refused."""
    check_fitted_stage(WinsoriseStage)


def test_both_are_found_by_their_entry_points():
    """Plans name them; the options are those of ``[features.options.<stage>]``."""
    stage = make_stage("sessions", HOURLY, {"openings": {"us": "13:30"}, "measures": ["gap"]})
    assert stage.columns() == ("sessions__us_gap",)
    assert make_fitted("winsorise", {"lower": 0.1}).to_json()["lower"] == 0.1


def test_a_session_by_hand():
    """Hourly bars from midnight UTC on; the day of 2020-01-02 begins in row 24."""
    stage = SessionStage({"day": "00:00"}, timeframe=HOURLY.timeframe)
    bars, found = HOURLY.bars.iloc[24:30], stage.compute(HOURLY)
    assert found.iloc[:24].isna().all(axis=None)  # it may have begun before the data
    row = found.iloc[29]
    close, low, high = bars["close"].iloc[-1], bars["low"].min(), bars["high"].max()
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3
    vwap = (typical * bars["volume"]).sum() / bars["volume"].sum()
    assert row["sessions__day_gap"] == pytest.approx(
        np.log(bars["open"].iloc[0] / HOURLY.bars["close"].iloc[23])
    )
    assert row["sessions__day_from_open"] == pytest.approx(np.log(close / bars["open"].iloc[0]))
    assert row["sessions__day_from_vwap"] == pytest.approx(np.log(close / vwap))
    assert row["sessions__day_range_position"] == pytest.approx((close - low) / (high - low))


@pytest.mark.parametrize(
    ("text", "date", "utc"),
    [
        ("09:30 America/New_York", "2024-01-10", "14:30"),
        ("09:30 America/New_York", "2024-07-10", "13:30"),
        ("22:00", "2024-07-10", "22:00"),
    ],
)
def test_openings_follow_the_clock_of_their_place(text, date, utc):
    """Daylight saving moves New York's opening by an hour in UTC."""
    times = pd.date_range(f"{date} 00:00", periods=96, freq="15min", tz="UTC")
    first = Opening.parse(text).first_rows(times)
    assert times[np.unique(first)[1]] == pd.Timestamp(f"{date} {utc}", tz="UTC")


def test_an_opening_that_the_clock_passes_twice_counts_once():
    """New York, 2024-11-03: 01:30 comes at 05:30 and at 06:30 UTC."""
    times = pd.date_range("2024-11-03 00:00", periods=96, freq="30min", tz="UTC")
    begun = times[np.unique(Opening.parse("01:30 America/New_York").first_rows(times))[1:]]
    assert list(begun.strftime("%d %H:%M")) == ["03 05:30", "04 06:30"]


@pytest.mark.parametrize(
    "options",
    [
        {"openings": {"us": "25:00"}},
        {"openings": {"us": "09:30 America/New_Yrok"}},
        {"openings": {"us": 930}},
        {"openings": {"US open": "13:30"}},
        {"measures": ["gpa"]},
        {"measures": []},
        {"measures": ["gap", "gap"]},
        {"opening": {"us": "13:30"}},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(options):
    """Each with a sentence that says what is allowed."""
    with pytest.raises(StageError) as caught:
        make_stage("sessions", HOURLY, options)
    assert caught.value.allowed


def test_bars_of_a_day_have_no_sessions():
    """There is nothing to look into."""
    with pytest.raises(TimeframeError, match="inside the day"):
        SessionStage.for_market(HOURLY.replace(timeframe=pd.Timedelta("1D")))


def test_live_prediction_computes_what_it_needs():
    """A model that uses one column of a session pays for that one."""
    stage = SessionStage.for_market(HOURLY)
    small = restricted(stage, ["sessions__us_gap"])
    assert small.columns() == ("sessions__us_gap",)
    pd.testing.assert_frame_equal(small.compute(HOURLY), stage.compute(HOURLY)[["sessions__us_gap"]])


def test_limits_come_from_the_training_rows():
    """A later outlier is cut at what training had seen; what is not known passes."""
    X, y, spans = example_training_rows()
    stage = WinsoriseStage(0.0, 0.9).fit(X, y, spans=spans)
    later = X.iloc[:4] + np.float32(1_000.0)
    found = stage.transform(later)
    np.testing.assert_allclose(found["known"], np.quantile(X["known"], 0.9), rtol=1e-6)
    assert found["never"].isna().all()
    assert list(found.columns) == list(X.columns)
    assert (found.dtypes == np.float32).all()
    assert json.loads(json.dumps(stage.to_json(), allow_nan=False))["limits"]["never"] == [None, None]


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.9), (0.1, 1.1), ("a", 1.0), (float("nan"), 1.0)])
def test_shares_that_cannot_be_are_refused(shares):
    """The lower one comes first, and both are shares."""
    with pytest.raises(StageError, match="lower"):
        WinsoriseStage(*shares)
