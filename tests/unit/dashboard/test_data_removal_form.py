"""Moments of the form that removes rows, as everything else spells them; what makes no sense is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onward.dashboard.removing import RemovalAsk, look
from onward.data.timeframe import parse_timerange

ASK = RemovalAsk("candles", "BTC/USD", "1h")


@pytest.mark.parametrize(
    ("begin", "until", "timerange"),
    [
        ("", "", None),
        ("2026-01-31", "", "20260131T0000-"),
        ("", "2026-01-31 12:00", "-20260131T1200"),
        ("2026/01/31 12:00", "2026-01-31T14:00+02:00", "20260131T1200-20260131T1200"),
        ("2026-01-31 12:00:15", "", "1769860815-"),
    ],
)
def test_moments_become_a_range(begin: str, until: str, timerange: str | None) -> None:
    ask = replace(ASK, begin=begin, until=until)
    assert ask.timerange == timerange
    if timerange == "1769860815-":
        start = parse_timerange(timerange).start
        assert start is not None
        assert f"{start:%Y-%m-%d %H:%M:%S}" == begin


@pytest.mark.parametrize(
    ("begin", "until", "errors"),
    [
        ("yesterday", "", {"begin": "moment"}),
        ("", "1500-01-01", {"until": "moment"}),
        ("", "9999-12-31", {"until": "moment"}),
        ("1999-01-01 00:00:01", "x", {"begin": "moment", "until": "moment"}),
        ("2026-01-31", "2026-01-31", {"until": "empty"}),
        ("2026-01-31", "2026-01-30", {"until": "empty"}),
    ],
)
def test_what_makes_no_sense_stands_at_its_field(begin: str, until: str, errors: dict[str, str]) -> None:
    nobody: Any = None  # is not even asked
    found = look(nobody, replace(ASK, begin=begin, until=until))
    assert (found.errors, found.removal, found.status) == (errors, None, 422)


def test_what_a_form_sends_is_cut() -> None:
    ask = RemovalAsk.from_form({"kind": "candles", "symbol": " BTC/USD ", "begin": "9" * 999, "other": "x"})
    assert (ask.symbol, len(ask.begin), ask.seen) == ("BTC/USD", 100, "")
