from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.temporal import Temporal
from tests.unit.features.manual_bars import HOUR, assert_promises, cut, frozen, walk


def bars_opening(*moments: str, timeframe: int = HOUR):
    times = pd.DatetimeIndex(list(moments)).as_unit("ns").asi8
    return frozen(
        replace(cut(walk(len(moments)), 0, len(moments)), open_time=times.copy(), timeframe=timeframe)
    )


def test_keeps_the_promises_of_a_family():
    assert_promises(Temporal(), walk())


def test_time_is_the_decision_time():
    # Friday's last hourly bar is decided upon on Saturday at midnight.
    found = Temporal().compute(bars_opening("2024-03-01 23:00", "2024-03-01 22:00"))
    np.testing.assert_array_equal(found["hour"], [0.0, 23.0])
    np.testing.assert_array_equal(found["weekday"], [5.0, 4.0])
    np.testing.assert_array_equal(found["weekend"], [1.0, 0.0])


def test_calendar_equals_pandas():
    bars = walk(3_000)
    found = Temporal().compute(bars)
    moment = pd.DatetimeIndex((bars.open_time + HOUR).astype("datetime64[ns]"))
    np.testing.assert_array_equal(found["hour"], moment.hour)
    np.testing.assert_array_equal(found["weekday"], moment.weekday)
    month = np.arctan2(found["month_sin"], found["month_cos"]) % (2 * np.pi) / (2 * np.pi) * 12
    np.testing.assert_array_equal(np.round(month) % 12 + 1, moment.month)
    turn = np.arctan2(found["hour_sin"], found["hour_cos"]) % (2 * np.pi) / (2 * np.pi) * 24
    np.testing.assert_array_equal(np.round(turn) % 24, moment.hour)


@pytest.mark.parametrize(
    ("hour", "sessions"),
    [
        (0, "a"),
        (6, "a"),
        (7, "ae"),
        (8, "ae"),
        (9, "e"),
        (13, "eu"),
        (15, "eu"),
        (16, "u"),
        (21, "u"),
        (22, ""),
    ],
)
def test_sessions_and_their_overlaps(hour, sessions):
    found = Temporal().compute(bars_opening(f"2024-03-05 {hour:02d}:00", timeframe=0))
    named = {"session_asia": "a", "session_europe": "e", "session_us": "u"}
    for column, letter in named.items():
        assert found[column][0] == float(letter in sessions), column
    assert found["overlap_asia_europe"][0] == float({"a", "e"} <= set(sessions))
    assert found["overlap_europe_us"][0] == float({"e", "u"} <= set(sessions))
    assert found["active_sessions"][0] == len(sessions)


def test_a_session_may_run_over_midnight():
    family = Temporal(asia=(22, 6))
    found = family.compute(
        bars_opening("2024-03-05 23:00", "2024-03-05 05:00", "2024-03-05 06:00", timeframe=0)
    )
    np.testing.assert_array_equal(found["session_asia"], [1.0, 1.0, 0.0])


def test_columns_that_never_change_are_left_out():
    day = 24 * HOUR
    assert "hour" not in Temporal(timeframe=day).columns()
    assert "weekday" in Temporal(timeframe=day).columns()
    assert "weekday" not in Temporal(timeframe=7 * day).columns()
    daily = bars_opening("2024-03-01", "2024-03-02", timeframe=day)
    np.testing.assert_array_equal(Temporal(timeframe=day).compute(daily)["weekday"], [5.0, 6.0])


def test_moments_before_1970_are_no_special_case():
    found = Temporal().compute(bars_opening("1969-12-31 22:00", timeframe=HOUR))
    assert (found["hour"][0], found["weekday"][0]) == (23.0, 2.0)


@pytest.mark.parametrize("hours", [(9, 9), (-1, 5), (0, 25), (0,), (0.5, 9), "0-9"])
def test_refuses_sessions_that_are_none(hours):
    with pytest.raises(StageError, match="no session"):
        Temporal(us=hours)
