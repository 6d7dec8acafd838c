"""Figures as a reader sees them."""

import math

import pandas as pd
import pytest

from onward.evaluation.report import words

NAN = math.nan


def test_unknown_figures_say_so():
    shown = [words.number, words.signed, words.percent, words.signed_percent, words.count]
    shown += [words.probability, words.duration]
    assert {write(NAN) for write in shown} == {"not known"}
    assert words.number(math.inf) == "not known"
    assert words.moment(None) == words.moment(pd.NaT) == words.span_of_time(pd.NaT) == "not known"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (words.number(-0.0004), "0.000"),
        (words.number(-1234.5, 1), "−1,234.5"),
        (words.signed(0.25), "+0.250"),
        (words.signed(0.0001), "0.000"),
        (words.percent(0.1234), "12.3 %"),
        (words.signed_percent(-0.5, 0), "−50 %"),
        (words.count(20111), "20,111"),
        (words.probability(0.25), "0.25"),
        (words.probability(0.0042), "0.0042"),
        (words.probability(0.00004), "< 0.0001"),
        (words.duration(0.42), "0.4 s"),
        (words.duration(59.7), "1 min 0 s"),
        (words.duration(185), "3 min 5 s"),
        (words.duration(7_500), "2 h 5 min"),
        (words.span_of_time(pd.Timedelta(0)), "none"),
        (words.span_of_time(pd.Timedelta(days=2, hours=5, minutes=7)), "2 d 5 h"),
        (words.moment(pd.Timestamp("2024-01-02 03:04:05")), "2024-01-02 03:04"),
        (words.moment(pd.Timestamp("2024-01-02 03:04", tz="Asia/Tokyo")), "2024-01-01 18:04"),
        (words.spoken("mean_reversion"), "mean reversion"),
    ],
)
def test_figures_are_short_and_plain(found, expected):
    assert found == expected
