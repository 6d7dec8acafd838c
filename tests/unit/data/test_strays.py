"""Rows with a wrong stamp lie far from all others; rows after a pause do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.data.repositories.removal import within
from onward.data.strays import stray_values, strays
from onward.data.timeframe import parse_timerange

HOURS = pd.date_range("2020-01-01", periods=1000, freq="h", tz="UTC")


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ([], []),
        (["2035-06-01 07:00"], [1]),
        (["1970-01-01"], [1]),
        (["1970-01-01", "2035-06-01 07:00", "2035-06-01 08:00"], [1, 2]),
        (["2020-03-01"], []),  # three weeks
        ([f"20{y}-01-01" for y in range(30, 35)], [1, 1, 1, 1, 1]),
        ([f"20{y}-01-01" for y in range(30, 60)], []),  # so it is made
        ([f"2035-06-01 0{h}:00" for h in range(4)], []),  # as many as a day that was missed
    ],
)
def test_few_rows_far_from_all_others_are_found(wrong: list[str], found: list[int]) -> None:
    times = HOURS.append(pd.DatetimeIndex(wrong, tz="UTC") if wrong else HOURS[:0])
    shuffled = times[np.random.default_rng(0).permutation(len(times))]
    told = strays(shuffled)
    assert [one.rows for one in told] == found
    for one in told:
        start, end = parse_timerange(one.timerange)
        assert within(pd.DatetimeIndex(times), start, end).sum() == one.rows, (
            "the range takes out these rows alone"
        )


@pytest.mark.parametrize("n", [0, 1, 2, 299])
def test_of_few_rows_none_is_far(n: int) -> None:
    times = [*HOURS[: max(n - 1, 0)], pd.Timestamp("2050-01-01", tz="UTC")][:n]
    assert strays(pd.DatetimeIndex(times, tz="UTC")) == ()


def test_each_symbol_is_looked_at_alone() -> None:
    late = HOURS + pd.Timedelta(5000, unit="D")
    frame = pd.DataFrame({"symbol": ["A"] * 1000 + ["B"] * 1001, "timestamp": [*HOURS, *late, HOURS[0]]})
    (one,) = stray_values(frame)
    assert one == {
        "symbol": "B",
        "first": "2020-01-01T00:00:00+00:00",
        "last": "2020-01-01T00:00:00+00:00",
        "rows": 1,
        "timerange": "20200101T0000-20200101T0001",
    }
