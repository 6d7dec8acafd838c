from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.data.stamps import floor_jitter, to_utc
from onward.errors import DataError

NINE = pd.Timestamp("2024-01-31 09:00", tz="UTC")


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-31 09:00:00"],
        ["2024-01-31T09:00:00Z"],
        ["2024-01-31T10:00:00+01:00"],
        [dt.datetime(2024, 1, 31, 9)],
        [dt.datetime(2024, 1, 31, 9, tzinfo=dt.UTC)],
        pd.DatetimeIndex(["2024-01-31 09:00"]),
        pd.DatetimeIndex(["2024-01-31 10:00"], tz="Europe/Berlin"),
        [1706691600],
        [1706691600_000],
        [1706691600_000_000],
        [1706691600_000_000_000],
        [1706691600.0],
    ],
    ids=str,
)
def test_every_ordinary_way_of_writing_a_moment(stamps):
    index = to_utc(stamps)
    assert list(index) == [NINE]
    assert str(index.dtype) == "datetime64[ns, UTC]"


@given(st.integers(10**8 * 2, 4 * 10**9), st.sampled_from([1, 1_000, 1_000_000, 1_000_000_000]))
def test_the_epoch_unit_is_told_by_size(seconds, factor):
    assert to_utc([seconds * factor])[0].timestamp() == seconds


@pytest.mark.parametrize(
    ("stamps", "why"),
    [
        (["2024-01-31 09:00+00:00", "2024-01-31 10:00+03:00"], "zones are mixed"),
        (["2024-01-31 09:00Z", "2024-01-31 10:00"], "zones are mixed"),
        ([NINE, NINE.tz_convert("Asia/Tokyo")], "zones are mixed"),
        ([NINE, NINE.tz_localize(None)], "zones are mixed"),
        ([1706691600, 1706691600_000], "several units"),
        ([12, 13], "no unit"),
        (["2024-01-31", "soon"], "cannot be read"),
        (["31.01.2024"], "cannot be read"),
        (["2024-01-31", None], "missing"),
        ([1706691600, np.nan], "missing"),
        ([True, False], "cannot be read"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_what_is_not_clear_is_refused(stamps, why):
    with pytest.raises(DataError, match=why):
        to_utc(stamps)


def test_jitter_is_floored_up_to_the_tolerance_and_no_further():
    late = NINE + pd.to_timedelta([0.0, 0.017, 1.0, 1.001, 30.0], unit="s")
    floored = floor_jitter(pd.DatetimeIndex(late), pd.Timedelta(1, unit="s"))
    assert list(floored[:3]) == [NINE] * 3
    assert list(floored[3:]) == list(late[3:])
