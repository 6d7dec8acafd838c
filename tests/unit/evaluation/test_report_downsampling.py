"""Fewer points that keep what matters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.evaluation.report.downsampling import (
    Bars,
    bucket_edges,
    calendar_step,
    merge_bars,
    run_lengths,
    short_floats,
)

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def hourly(n, seed=0, keep=None):
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, n)))
    open_ = np.append(100.0, close[:-1])
    position = generator.choice([-1.0, 0.0, 1.0, np.nan], n)
    bars = [np.arange(n) * HOUR, open_, np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99]
    chosen = np.ones(n, dtype=bool) if keep is None else keep
    return Bars(*(column[chosen] for column in [*bars, close, position]))


def spelled_out(encoded):
    steps = np.repeat([s for s, _ in encoded["runs"]], [n for _, n in encoded["runs"]])
    return encoded["start"] + np.append(0, np.cumsum(steps)).astype(np.int64)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(0, 1_000), st.sampled_from([HOUR, 4 * HOUR, DAY]))
def test_merged_candles_equal_those_of_pandas(n, seed, step):
    bars = hourly(n, seed, np.random.default_rng(seed).random(n) > 0.2)
    if len(bars) == 0:
        return
    merged = merge_bars(bars, step)
    frame = pd.DataFrame({name: getattr(bars, name) for name in Bars.__dataclass_fields__})
    frame["bucket"] = frame["time"] // step * step
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "position": "mean"}
    expected = frame.groupby("bucket").agg(rules)
    assert merged.time.tolist() == expected.index.tolist()
    for name in rules:
        np.testing.assert_allclose(getattr(merged, name), expected[name].to_numpy(), rtol=1e-12)


def test_candles_are_as_long_as_they_must_be():
    assert calendar_step(0, 899 * HOUR, 1_000, HOUR) == HOUR
    assert calendar_step(0, 20_000 * HOUR, 900, HOUR) == DAY
    assert calendar_step(0, 100 * DAY, 900, 7 * DAY) == 7 * DAY
    long = calendar_step(0, 400_000 * DAY, 900, HOUR)
    assert long % (7 * DAY) == 0
    assert 400_000 * DAY // long < 900


def test_nothing_merges_into_nothing():
    empty = hourly(0)
    assert len(merge_bars(empty, DAY)) == 0
    assert run_lengths(empty.time) == {"start": 0, "runs": []}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=60))
def test_times_survive_their_encoding(steps):
    time = np.cumsum([1_000, *steps]).astype(np.int64) * HOUR
    encoded = run_lengths(time)
    assert spelled_out(encoded).tolist() == (time // 1_000_000_000).tolist()


def test_regular_times_take_one_run():
    assert run_lengths(np.arange(1_000, dtype=np.int64) * HOUR)["runs"] == [[3_600, 999]]


@pytest.mark.parametrize(("n", "most"), [(1, 5), (5, 5), (6, 5), (20_000, 1_500)])
def test_buckets_cover_all_points_once(n, most):
    edges = bucket_edges(n, most)
    sizes = np.diff(edges, append=n)
    assert edges[0] == 0
    assert len(edges) <= most
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1


def test_numbers_are_short_and_unknown_ones_empty():
    assert short_floats(np.array([1 / 3, np.nan, np.inf, 12345.678]), 4) == [0.3333, None, None, 12350.0]
