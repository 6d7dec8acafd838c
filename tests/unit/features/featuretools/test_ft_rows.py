"""Which rows an aggregation sees, and the columns it starts from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import SeriesError
from onward.features.featuretools.columns import base_values, resolve_columns
from onward.features.featuretools.cutoffs import seen_rows
from onward.features.featuretools.definition import name_columns
from onward.features.featuretools.parents import PARENTS, windows
from onward.features.featuretools.synthesis import _shipped
from onward.testing.markets import random_walk
from onward.testing.stages import contract_markets
from onward.types import Market, SideSeries

HOUR = 3_600_000_000_000


def test_groups_follow_the_opening_of_a_bar() -> None:
    market = random_walk(24 * 15)  # from Wednesday 2020-01-01 00:00
    opened = market.open_time
    for name, wanted in (
        ("day", opened.floor("D")),
        ("session", opened.floor("8h")),
        ("week", (opened - pd.to_timedelta(opened.weekday, unit="D")).floor("D")),
    ):
        numbers = PARENTS[name].numbers(market)
        assert np.array_equal(np.diff(numbers) != 0, np.diff(wanted.asi8) != 0), name
    start = windows(market, PARENTS["day"], 100 * 24 * HOUR).start
    assert start[23] == 0  # the bar that opens at 23:00 and is decided at midnight belongs to its day
    assert start[24] == 24


@pytest.mark.parametrize("hours", [1, 5, 24, 100])
@pytest.mark.parametrize("parent", PARENTS)
def test_windows_are_what_the_definition_says(parent: str, hours: int) -> None:
    for case in contract_markets(60):
        market = case.market
        found = windows(market, PARENTS[parent], hours * HOUR)
        numbers, times = PARENTS[parent].numbers(market), market.decision_time_ns
        symbols = market.index.codes[0]
        for row in range(0, len(market), 17):
            same = numbers == numbers[row]
            if not PARENTS[parent].cross_section:
                same &= symbols == symbols[row]
            inside = same & (times <= times[row]) & (times > times[row] - hours * HOUR)
            place = row if found.result is None else int(found.result[row])
            walked = np.arange(found.start[place], place + 1)
            rows = walked if found.order is None else found.order[walked]
            assert sorted(rows) == np.flatnonzero(inside).tolist()


def test_rows_that_a_sample_may_see_hold_all_its_windows() -> None:
    definitions = name_columns([e for e in _shipped()["number"] if "moment" not in e.parents], "f")
    market = list(contract_markets(200))[2].market
    rows = np.array([3, 170, 400, len(market) - 1])
    seen = set(seen_rows(market, rows, definitions, 100 * HOUR).tolist())
    start = windows(market, PARENTS["week"], 100 * HOUR).start
    for row in rows:
        assert set(range(start[row], row + 1)) <= seen
    assert len(seen) <= 4 * 100


def test_columns_know_only_their_own_bar_and_the_one_before() -> None:
    market = random_walk(50, symbols=("A", "B"))
    values = base_values(market, ["log_return", "log_range", "close_location", "up", "body"])
    close = market.bars["close"].to_numpy()
    assert np.isnan(values["log_return"][[0, 50]]).all()
    assert values["log_return"][7] == np.log(close[7]) - np.log(close[6])
    assert (values["log_range"] >= 0).all()
    assert (np.abs(values["close_location"]) <= 1).all()
    assert set(values["up"]) == {0.0, 1.0}


def test_what_has_no_logarithm_is_unknown() -> None:
    bars = random_walk(5).bars.copy()
    bars.iloc[2] = [0.0, 0.0, 0.0, 0.0, 0.0]
    bars.iloc[3, 3] = np.nan
    values = base_values(
        Market(bars, pd.Timedelta("1h")), ["log_return", "log_range", "log_volume", "up", "close_location"]
    )
    assert np.isnan(values["log_volume"][2])
    assert np.isnan(values["log_range"][2])
    assert np.isnan(values["log_return"][2:4]).all()
    assert values["close_location"][2] == 0.0
    assert values["up"][2] == 0.0
    assert np.isnan(values["up"][3])


def test_side_values_come_by_the_as_of_join_and_are_unknown_when_absent() -> None:
    market = list(contract_markets(60))[1].market
    assert resolve_columns(None, ["funding_rate", "open_interest"])[-2:] == (
        "funding_rate",
        "log_open_interest",
    )
    values = base_values(market, ["funding_rate", "log_open_interest", "absent"])
    assert np.isfinite(values["funding_rate"]).mean() > 0.9
    assert np.isfinite(values["log_open_interest"]).mean() > 0.9
    assert np.isnan(values["absent"]).all()


def test_two_series_with_one_value_column_are_refused() -> None:
    market = list(contract_markets(60))[1].market
    frame = market.series["funding"].frame
    twice = market.replace(series={"a": SideSeries("a", frame), "b": SideSeries("b", frame)})
    with pytest.raises(SeriesError, match="same value column"):
        base_values(twice, ["funding_rate"])
