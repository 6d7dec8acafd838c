"""Many candles as few: nothing is lost, gaps stay, the same bar is always in the same bucket."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.dashboard.views.candles import STEPS, buckets


def bars(n: int, *, seed: int = 0, gap: slice | None = None) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, n)))
    opened = np.concatenate([[100.0], close[:-1]])
    frame = pd.DataFrame(
        {
            "timestamp": pd.date_range("2024-01-01T05:00", periods=n, freq="1h", tz="UTC"),
            "open": opened,
            "high": np.maximum(opened, close) * 1.002,
            "low": np.minimum(opened, close) * 0.998,
            "close": close,
            "volume": generator.uniform(1, 2, n),
        }
    )
    return frame if gap is None else frame.drop(index=frame.index[gap]).reset_index(drop=True)


def reference(frame: pd.DataFrame, step: int) -> pd.DataFrame:
    number = frame["timestamp"].astype("int64") // 10**9 // (3600 * step)
    seconds = frame["timestamp"].astype("int64") // 10**9
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    ends = {"time": "first", "until": "last"}
    return frame.assign(time=seconds, until=seconds).groupby(number.to_numpy()).agg({**ends, **rules})


@pytest.mark.parametrize("gap", [None, slice(100, 400)])
@pytest.mark.parametrize("points", [10, 100, 700, 5000])
def test_buckets_equal_a_plain_grouping(points: int, gap: slice | None) -> None:
    frame = bars(5000, gap=gap)
    found = buckets(frame, bar_seconds=3600, points=points)
    expected = reference(frame, found["bars"])
    for name in ("time", "until", "open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-9)
    assert len(found["time"]) <= points + 1


def test_few_bars_are_given_as_they_are() -> None:
    frame = bars(50)
    found = buckets(frame, bar_seconds=3600, points=50)
    assert found["bars"] == 1
    np.testing.assert_allclose(found["close"], frame["close"], atol=1e-9)


def test_a_bar_is_in_the_same_bucket_whatever_was_asked_for() -> None:
    frame = bars(2000)
    whole = buckets(frame, bar_seconds=3600, points=500)
    part = buckets(frame.iloc[4 - 5 % 4 + 400 :], bar_seconds=3600, points=400)
    assert whole["bars"] == part["bars"] == 4
    at = dict(zip(whole["time"], whole["close"], strict=True))
    assert all(at[time] == close for time, close in zip(part["time"][1:], part["close"][1:], strict=True))


def test_nothing_gives_nothing() -> None:
    empty = buckets(bars(1).iloc[:0], bar_seconds=3600, points=100)
    assert empty.pop("bars") == STEPS[0]
    assert list(empty.values()) == [[]] * 7
