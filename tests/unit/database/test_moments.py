"""Moments survive the database to the microsecond, whatever zone they came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.database.moments import from_microseconds, require_utc, to_microseconds, utc_now
from onward.errors import UserError

MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),
    max_value=datetime(2300, 1, 1),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)


@given(MOMENTS)
def test_round_trip_is_exact(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment
    assert from_microseconds(to_microseconds(moment)).tzinfo is UTC


@given(MOMENTS, MOMENTS)
def test_order_is_kept(a: datetime, b: datetime) -> None:
    assert (a < b) == (to_microseconds(a) < to_microseconds(b))


def test_naive_moments_are_refused() -> None:
    with pytest.raises(UserError, match="no time zone"):
        require_utc(datetime(2026, 1, 1))


def test_now_is_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)
