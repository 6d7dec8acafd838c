"""Figures, durations and moments in both languages; languages by cookie and header."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from onward.dashboard.i18n import Figures, preferred

NOW = datetime(2026, 11, 22, 19, 54, tzinfo=UTC)
EN, JA = Figures("en"), Figures("ja")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (EN.number(-0.0004), "0.000"),
        (EN.number(-1234.5, 1), "−1,234.5"),
        (EN.signed(0.25, 2), "+0.25"),
        (EN.signed(0.0), "0.000"),
        (EN.percent(0.123), "12.3 %"),
        (JA.percent(0.123), "12.3%"),
        (EN.signed_percent(0.5, 0), "+50 %"),
        (EN.count(20_111), "20,111"),
        (EN.price(0.00012345), "0.00012345"),
        (EN.price(97_654.321), "97,654.32"),
        (EN.probability(0.00001), "< 0.0001"),
        (EN.probability(0.996), "> 0.99"),
        (EN.probability(1.0), "1.00"),
        (EN.spoken_probability(0.00001), "below 0.0001"),
        (JA.spoken_probability(0.00001), "0.0001未満"),
        (JA.spoken_probability(0.999), "0.99超"),
        (JA.spoken_probability(0.0137), "0.014"),
        (JA.spoken_probability(None), "–"),
        (EN.probability(0.004), "0.0040"),
        (EN.probability(0.00997), "0.010"),
        (EN.probability(0.0137), "0.014"),
        (EN.probability(0.0997), "0.10"),
        (EN.size(999), "999 B"),
        (EN.size(1_500_000), "1.5 MB"),
        (EN.size(4e15), "4,000 TB"),
        (EN.duration(0.4), "0.4 s"),
        (EN.duration(0.1), "0.1 s"),
        (EN.duration(0.04), "under 0.1 s"),
        (JA.duration(0.0), "0.1秒未満"),
        (EN.duration(185), "3 min 5 s"),
        (JA.duration(185), "3分5秒"),
        (EN.duration(3600), "1 h"),
        (EN.rough(7300), "2 h"),
        (JA.rough(0.4), "1秒"),
        (JA.ago(NOW - timedelta(hours=3), NOW), "3時間前"),
        (EN.ago(NOW + timedelta(days=2), NOW), "in 2 d"),
        (EN.ago(NOW, NOW), "just now"),
        (EN.moment(NOW.astimezone(timezone(timedelta(hours=9)))), "2026-11-22 19:54"),
        (JA.moment(NOW), "2026/11/22 19:54"),
    ],
)
def test_figures(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(value: float | None) -> None:
    for write in (EN.number, EN.signed, EN.percent, EN.count, EN.price, EN.probability, EN.size, EN.duration):
        assert write(value) == "–"
    assert EN.moment(None) == EN.ago(None, NOW) == "–"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("ja", "en", "ja"),
        ("xx", "ja", "ja"),
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "fr, ja;q=0.1, en;q=0.7", "en"),
        (None, "ja;q=0, en;q=0.1", "en"),
        (None, "ja;q=wrong, de", "en"),
        (None, None, "en"),
        (None, "," * 10_000, "en"),
    ],
)
def test_languages(chosen: str | None, accepted: str | None, language: str) -> None:
    assert preferred(chosen, accepted) == language
