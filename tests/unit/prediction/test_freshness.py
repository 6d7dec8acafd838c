"""How old stored bars are, and what a batch of them is told about it."""

from __future__ import annotations

import pandas as pd
import pytest

from onward.errors import DataError
from onward.prediction.freshness import bars_missed, batch_moment, stale_cautions
from onward.testing.markets import random_walk
from tests.unit.training.small_runs import panel

HOUR = pd.Timedelta(hours=1)
NOW = pd.Timestamp("2026-01-01 12:30", tz="UTC")


def test_bars_count_as_missed_once_they_have_closed() -> None:
    market = random_walk(50)
    end = market.decision_time.max()
    assert [bars_missed(market, end + n * HOUR / 2) for n in range(5)] == [0, 0, 1, 1, 2]


def test_the_symbol_that_is_furthest_behind_counts() -> None:
    market = panel()
    stopped = market.bars.drop(index=market.index[market.rows["BBB/USD"]][-5:])
    assert bars_missed(market.replace(bars=stopped), market.decision_time.max()) == 5


def test_old_bars_are_told_beyond_what_is_allowed() -> None:
    market = random_walk(50)
    end = market.decision_time.max()
    assert stale_cautions(market, end + 2 * HOUR, 2) == []
    assert stale_cautions(market, end + 1000 * HOUR, None) == []
    (said,) = stale_cautions(market, end + 3 * HOUR, 2)
    assert said.startswith(
        f"the newest bar is stale: 3 bars closed since it did, before {end + 3 * HOUR:%Y-%m-%d}"
    )
    assert "prediction.max_staleness_bars allows 2" in said


@pytest.mark.parametrize(
    ("timerange", "moment"),
    [
        (None, NOW),
        ("20200101-", NOW),
        ("-20200201", pd.Timestamp("2020-02-01", tz="UTC")),
        ("20200101-20300101", NOW),
    ],
)
def test_a_batch_is_about_the_end_of_its_range_and_never_about_the_future(
    timerange: str | None, moment: pd.Timestamp
) -> None:
    assert batch_moment(timerange, NOW) == moment


def test_what_is_no_range_is_refused() -> None:
    with pytest.raises(DataError, match="time range"):
        batch_moment("yesterday", NOW)
