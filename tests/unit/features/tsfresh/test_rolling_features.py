"""What `rolling_features` promises about shape, names, labels, NaN, groups and reproducibility."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, DataError, NotEnoughDataError
from onward.features.tsfresh import SETS, column_names, extract_rolling, rolling_features

TWO = {"maximum": None, "mean": None}


@pytest.fixture(scope="module")
def walk():
    return np.cumsum(np.random.default_rng(1).normal(size=300)) + 100.0


def test_a_row_a_window_labelled_by_its_last_row():
    frame = rolling_features([1.0, 2.0, 4.0], window=2, parameters=TWO)
    assert list(frame.columns) == ["value__maximum", "value__mean"]
    assert list(frame.index) == [1, 2]
    assert frame.to_numpy().tolist() == [[2.0, 1.5], [4.0, 3.0]]


def test_full_alignment_keeps_every_row():
    frame = rolling_features([1.0, 2.0, 4.0, 8.0], window=2, parameters=TWO, align="full", stride=2)
    assert frame.index.equals(pd.RangeIndex(4))
    assert frame["value__mean"].isna().tolist() == [True, False, True, False]


def test_names_are_those_of_the_series(walk):
    times = pd.date_range("2024-01-01", periods=len(walk), freq="h", tz="UTC")
    series = pd.Series(walk, index=times, name="close")
    assert list(rolling_features(series, window=5, parameters=TWO).columns) == [
        "close__maximum",
        "close__mean",
    ]
    frame = pd.DataFrame({"close": walk, "volume": walk**2}, index=times)
    named = rolling_features(frame, window=5, parameters={"quantile": [{"q": 0.1}]}, stride=10)
    assert list(named.columns) == ["close__quantile__q_0.1", "volume__quantile__q_0.1"]
    assert list(named.index) == list(times[4::10])
    mapped = rolling_features({"a": walk, "b": walk}, window=5, parameters={"mean": None})
    assert list(mapped.columns) == ["a__mean", "b__mean"]
    table = rolling_features(np.column_stack([walk, walk]), window=5, parameters={"mean": None})
    assert list(table.columns) == ["value_0__mean", "value_1__mean"]


def test_several_windows_name_their_length(walk):
    frame = rolling_features(walk, window=[4, 9], parameters={"mean": None}, stride=3)
    assert list(frame.columns) == ["value__4__mean", "value__9__mean"]
    assert list(frame.index) == list(range(3, 300, 3))
    assert frame["value__9__mean"].isna().tolist()[:3] == [True, True, False]
    for length in (4, 9):
        alone = rolling_features(walk, window=length, parameters={"mean": None})
        column = frame[f"value__{length}__mean"].dropna()
        assert column.equals(alone["value__mean"].loc[column.index].rename(column.name))


def test_columns_are_known_beforehand(walk):
    for window in (48, [24, 48]):
        frame = rolling_features(pd.Series(walk[:60], name="x"), window=window)
        assert list(frame.columns) == column_names(["x"], window=window)
    assert len(column_names(["x"], window=48, parameters="efficient", times=False)) == 777
    assert len(column_names(["x"], window=48, parameters="efficient")) == 782
    assert 65 <= len(column_names(["x"], window=48)) <= 75


def test_a_window_with_something_unknown_is_unknown(walk):
    holes = walk[:40].copy()
    holes[10], holes[30] = np.nan, np.inf
    result = extract_rolling(holes, window=5, parameters="minimal")
    known = result.features.notna()
    assert (known.all(axis=1) == known.any(axis=1)).all()
    unknown = [row for row in result.features.index if not known.loc[row].all()]
    assert unknown == [*range(10, 15), *range(30, 35)]
    assert result.report.unknown_windows == 10


def test_an_index_that_runs_backwards_is_refused():
    times = pd.date_range("2024-01-01", periods=6, freq="h", tz="UTC")
    down = pd.Series(np.arange(6.0), index=times[::-1])
    with pytest.raises(DataError, match="go backwards") as refusal:
        rolling_features(down, window=3, parameters="minimal")
    assert "sort_index()" in str(refusal.value.remedy)
    assert "row 1 at 2024-01-01 04:00" in str(refusal.value.got)
    assert len(rolling_features(down.sort_index(), window=3, parameters="minimal")) == 4
    with pytest.raises(DataError, match="Sort values and times by time"):
        rolling_features(np.arange(6.0), window=3, parameters="minimal", times=times[::-1])


def test_each_symbol_of_a_panel_has_a_clock_of_its_own():
    times = pd.date_range("2024-01-01", periods=4, freq="h", tz="UTC")
    index = pd.MultiIndex.from_product([["B", "A"], times])
    panel = pd.Series(np.arange(8.0), index=index)
    assert len(rolling_features(panel, window=3, parameters="minimal")) == 4
    with pytest.raises(DataError, match="go backwards"):
        rolling_features(panel.iloc[[0, 1, 2, 3, 4, 6, 5, 7]], window=3, parameters="minimal")


def test_moments_may_repeat():
    times = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02"], utc=True)
    assert len(rolling_features(pd.Series([1.0, 2.0, 3.0], index=times), window=2, parameters="minimal")) == 2


def test_windows_do_not_cross_symbols(walk):
    times = pd.date_range("2024-01-01", periods=20, freq="h", tz="UTC")
    index = pd.MultiIndex.from_product([["A", "B"], times], names=["symbol", "open_time"])
    panel = pd.Series(walk[:40], index=index, name="close")
    frame = rolling_features(panel, window=6, parameters="financial", align="full")
    for symbol in ("A", "B"):
        alone = rolling_features(panel.loc[symbol], window=6, parameters="financial", align="full")
        assert frame.loc[symbol].equals(alone)
    assert frame.loc["B"].iloc[:5].isna().all().all()
    with pytest.raises(DataError, match="scattered"):
        rolling_features(panel.iloc[[0, 20, 1, 21]], window=2, parameters=TWO)


@pytest.mark.parametrize("parameters", ["financial", pytest.param("efficient", marks=pytest.mark.slow)])
def test_a_window_has_the_same_bits_wherever_it_stands(walk, parameters):
    batch = rolling_features(walk, window=48, parameters=parameters)
    once_more = rolling_features(walk, window=48, parameters=parameters, threads=1)
    assert batch.equals(once_more)
    for end in (47, 100, 171, 299):
        latest = rolling_features(walk[end - 47 : end + 1], window=48, parameters=parameters)
        assert np.array_equal(latest.to_numpy()[0], batch.loc[end].to_numpy(), equal_nan=True)
    strided = rolling_features(walk, window=48, parameters=parameters, stride=7)
    assert strided.equals(batch.iloc[::7])
    future = walk.copy()
    future[200:] = -1.0
    assert rolling_features(future, window=48, parameters=parameters).loc[:199].equals(batch.loc[:199])


def test_the_input_is_left_alone(walk):
    frozen = walk.copy()
    frozen.setflags(write=False)
    rolling_features(frozen, window=48)
    assert np.array_equal(frozen, walk)


def test_results_may_be_narrow(walk):
    wide = rolling_features(walk, window=48)
    narrow = rolling_features(walk, window=48, dtype=np.float32)
    assert (narrow.dtypes == np.float32).all()
    assert narrow.equals(wide.astype(np.float32))


def test_clock_features_need_times_and_use_them(walk):
    line = {"linear_trend_timewise": [{"attr": "slope"}], "linear_trend": [{"attr": "slope"}]}
    report = extract_rolling(walk, window=6, parameters=line).report
    assert report.skipped == ('linear_trend_timewise__attr_"slope"',)
    assert report.columns == 1
    times = pd.date_range("2024-01-01", periods=len(walk), freq="2h", tz="UTC")
    frame = rolling_features(walk, window=6, parameters=line, times=times)
    by_clock, by_position = frame.to_numpy().T
    np.testing.assert_allclose(by_clock * 2.0, by_position, rtol=1e-9, atol=1e-12)
    with pytest.raises(ConfigError, match="needs the time"):
        rolling_features(walk, window=6, parameters={"linear_trend_timewise": [{"attr": "slope"}]})


def test_gaps_in_time_change_clock_features_alone():
    times = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-05"], tz="UTC")
    series = pd.Series([0.0, 24.0, 96.0], index=times)
    frame = rolling_features(series, window=3, parameters={"linear_trend_timewise": [{"attr": "slope"}]})
    assert frame.iloc[0, 0] == pytest.approx(1.0)


def test_short_windows_are_defined_where_tsfresh_is():
    for length in (1, 2, 3, 4):
        frame = rolling_features(np.arange(6.0) ** 2, window=length, parameters="comprehensive")
        assert frame.shape[0] == 7 - length
        assert frame["value__mean"].notna().all()


@pytest.mark.parametrize("name", SETS)
def test_report_counts_what_is_there(walk, name):
    result = extract_rolling(walk[:60], window=48, parameters=name)
    assert (result.report.rows, result.report.columns) == result.features.shape
    assert len(result.report.native) == result.report.columns
    assert result.report.fallback == ()


def test_a_window_longer_than_the_series_is_refused():
    with pytest.raises(NotEnoughDataError) as refusal:
        rolling_features(np.ones(10), window=[4, 48])
    assert "48" in str(refusal.value)
    assert "1 to 10" in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"window": 0}, ConfigError, "positive whole number"),
        ({"window": 2.5}, ConfigError, "positive whole number"),
        ({"window": True}, ConfigError, "positive whole number"),
        ({"window": []}, ConfigError, "Name each window once"),
        ({"window": [3, 3]}, ConfigError, "Name each window once"),
        ({"stride": 0}, ConfigError, "stride"),
        ({"threads": -1}, ConfigError, "threads"),
        ({"align": "ful"}, ConfigError, "Did you mean 'full'"),
        ({"dtype": "int32"}, ConfigError, "float64, float32"),
        ({"dtype": "floot"}, ConfigError, "float64, float32"),
        ({"values": ["a", "b"]}, DataError, "numbers"),
        ({"values": np.ones((2, 2, 2))}, DataError, "3 dimensions"),
        ({"values": {}}, DataError, "name of its own"),
        ({"values": pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])}, DataError, "name of its own"),
        ({"values": {"a": [1.0], "b": [1.0, 2.0]}}, DataError, "length"),
        ({"values": []}, NotEnoughDataError, "longer than the series"),
        ({"times": ["2024-01-01"]}, DataError, "one time a value"),
        ({"times": ["x"] * 20}, DataError, "no moments"),
        ({"times": [None] * 20}, DataError, "NaT"),
    ],
)
def test_bad_input_is_answered(change, error, words):
    arguments = {"values": np.arange(20.0), "window": 5, "parameters": "minimal"} | change
    with pytest.raises(error, match=words):
        rolling_features(arguments.pop("values"), **arguments)


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-150, 1e150, 1e300, 1.7e308])
@pytest.mark.parametrize("length", [1, 2, 5, 13, 48])
def test_extreme_magnitudes_never_escape_the_window(size, length):
    """Squares and ranges overflow or vanish; cells may be undefined, nothing may crash or warn."""
    draw = np.random.default_rng(length).uniform(-1.0, 1.0, 60) * size
    frame = rolling_features(draw, window=length, parameters="comprehensive", threads=1)
    windows = np.lib.stride_tricks.sliding_window_view(draw, length)
    assert np.array_equal(frame["value__maximum"], windows.max(axis=1))
    assert np.array_equal(frame["value__quantile__q_0.1"].iloc[[0]], [np.quantile(windows[0], 0.1)])
