"""The kernels of running aggregates against their plain reference, and their independence of history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels import prefix
from onward.kernels.reference import prefix as reference

HOUR = 3_600_000_000_000

PAIRS = {
    "moments": (prefix.prefix_moments, reference.moments),
    "extremes": (prefix.prefix_extremes, reference.extremes),
    "order": (prefix.prefix_order, reference.order),
    "runs": (prefix.prefix_runs, reference.runs),
}


def starts(n: int, lengths: list[int], window: int) -> np.ndarray:
    """Return the start of each row's window: groups of given lengths, cut to a longest window."""
    begins = np.concatenate(([0], np.cumsum(lengths)))
    group = begins[np.searchsorted(begins, np.arange(n), side="right") - 1]
    return np.maximum(group, np.arange(n) - window + 1).astype(np.int64)


@st.composite
def series(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 60))
    kind = draw(st.sampled_from(["normal", "tied", "constant", "shifted"]))
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = {
        "normal": generator.normal(size=n),
        "tied": generator.integers(-2, 3, n).astype(float),
        "constant": np.full(n, 0.1),
        "shifted": 1e4 + generator.normal(size=n),
    }[kind]
    values[generator.random(n) < draw(st.sampled_from([0.0, 0.2, 1.0]))] = np.nan
    lengths = draw(st.lists(st.integers(1, 30), min_size=1, max_size=8))
    while sum(lengths) < n:
        lengths.append(24)
    return values, starts(n, lengths, draw(st.integers(1, 40)))


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=60, deadline=None)
@given(given=series())
def test_kernels_equal_their_definition(name: str, given: tuple[np.ndarray, np.ndarray]) -> None:
    values, start = given
    fast, plain = PAIRS[name]
    tolerance = 1e-9 if np.nanmax(np.abs(values), initial=0.0) < 100 else 1e-6
    # Where all is rounding error, pandas' threshold may fall on either side.
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(fast(values, start), plain(values, start), rtol=tolerance, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(given=series(), offset=st.sampled_from([0, 24, 7, 5]))
def test_trend_equals_its_definition(given: tuple[np.ndarray, np.ndarray], offset: int) -> None:
    values, start = given
    times = HOUR * (np.arange(len(values), dtype=np.int64) + offset) + (60_000_000_000 if offset == 5 else 0)
    np.testing.assert_allclose(
        prefix.prefix_trend(values, start, times), reference.trend(values, start, times), rtol=1e-7, atol=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(given=series(), cut=st.integers(0, 59))
def test_rows_depend_on_their_window_alone_bit_for_bit(
    given: tuple[np.ndarray, np.ndarray], cut: int
) -> None:
    values, start = given
    first = int(start[min(cut, len(values) - 1)])
    for fast, _ in PAIRS.values():
        whole = fast(values, start)
        part = fast(values[first:].copy(), np.maximum(start[first:] - first, 0))
        sees_all = start[first:] >= first
        rows = [i for i in range(len(whole)) if not (fast is prefix.prefix_extremes and i > 1)]
        kept = [i for i in rows if not (fast is prefix.prefix_runs and i == 3)]  # positions move
        assert np.array_equal(whole[kept][:, first:][:, sees_all], part[kept][:, sees_all], equal_nan=True)


def test_moments_are_those_of_pandas() -> None:
    values = pd.Series(np.random.default_rng(0).standard_t(3, 50))
    values[7] = np.nan
    out = dict(
        zip(prefix.MOMENTS, prefix.prefix_moments(values.to_numpy(), np.zeros(50, np.int64)), strict=True)
    )
    for row in (0, 1, 2, 10, 49):
        window = values[: row + 1]
        assert out["count"][row] == window.count()
        assert out["sum"][row] == pytest.approx(window.sum(), rel=1e-13)
        for name, wanted in (("mean", window.mean()), ("variance", window.var()), ("skew", window.skew())):
            assert out[name][row] == pytest.approx(wanted, rel=1e-11, nan_ok=True)


def test_shape_of_a_constant_is_zero_as_pandas_has_it() -> None:
    out = prefix.prefix_moments(np.full(5, 0.3), np.zeros(5, np.int64))
    assert out[4].tolist()[2:] == [0.0, 0.0, 0.0]
    assert out[5].tolist() == [0.0] * 5


def test_percentile_averages_ties() -> None:
    values = np.array([1.0, 1.0, np.nan, 2.0, 0.0])
    rank = prefix.prefix_order(values, np.zeros(5, np.int64))[1]
    assert rank[1] == 0.75
    assert np.isnan(rank[2])
    assert (rank[3], rank[4]) == (1.0, 0.25)


def test_the_unit_of_a_trend_follows_the_first_moment() -> None:
    values = np.array([0.0, 1.0, 2.0])
    zero = np.zeros(3, np.int64)
    hourly = HOUR * np.arange(3, dtype=np.int64)
    assert prefix.prefix_trend(values, zero, hourly)[0, 2] == pytest.approx(24.0)
    assert prefix.prefix_trend(values, zero, hourly + HOUR)[0, 2] == pytest.approx(1.0)
    assert prefix.prefix_trend(values, zero, zero)[0, 2] == 0.0
