"""Which rows and columns autofeat is shown."""

import numpy as np
import pandas as pd

from onward.features.autofeat.sample import column_scales, keep_back, prescreen, sample_rows
from onward.features.selection.relevance import Relevance, rank_columns
from onward.types import Spans


def relevance(z_direction, z_range):
    z = np.column_stack((z_direction, z_range)).astype(np.float64)
    return Relevance(z, z, z)


def table(n_rows=200, n_columns=6):
    values = np.random.default_rng(0).standard_normal((n_rows, n_columns))
    return pd.DataFrame(values, columns=[f"c{i}" for i in range(n_columns)])


def chosen(X, z_direction, z_range, most):
    return prescreen(X, rank_columns(X), relevance(z_direction, z_range), most)


def test_the_targets_take_turns():
    columns, complete = chosen(table(), [9, 8, 7, 6, 0, 0], [0, 0, 0, 1, 3, 2], 4)
    assert columns == [0, 4, 1, 5]
    assert complete.all()


def test_twins_and_constants_are_passed_over():
    X = table()
    X["c1"] = np.exp(X["c0"])
    X["c2"] = 3.0
    X["c3"] = np.nan
    columns, _ = chosen(X, [9, 8, 7, 6, 5, 4], [0, 0, 0, 0, 0, 0], 6)
    assert columns == [0, 4, 5]


def test_columns_that_leave_too_few_complete_rows_are_passed_over():
    X = table()
    X.iloc[:80, 0] = np.nan
    X.iloc[100:, 1] = np.nan
    X.iloc[:90, 2] = np.inf
    columns, complete = chosen(X, [9, 8, 7, 6, 5, 4], [0, 0, 0, 0, 0, 0], 3)
    assert columns == [0, 2, 3]  # column 1 beside 0 would leave 20 rows
    np.testing.assert_array_equal(np.flatnonzero(complete), np.arange(90, 200))


def test_rows_kept_back_share_no_instant_with_the_search():
    start = np.tile(np.arange(100, dtype=np.int64), 2)  # two symbols
    end = start + np.where(np.arange(200) % 3 == 0, 20, 5)
    search, confirm = keep_back(Spans(pd.RangeIndex(200), start, end), 0.4)
    np.testing.assert_array_equal(np.unique(start[confirm]), np.arange(60, 100))
    assert len(confirm) == 80
    assert end[search].max() < start[confirm].min()
    lost = np.setdiff1d(np.arange(200), np.concatenate((search, confirm)))
    assert (end[lost] >= 60).all()


def test_rows_come_one_from_each_block_of_time():
    rows = np.arange(3, 1003)
    times = np.concatenate((np.arange(3), np.arange(1000)[::-1]))  # later rows are older
    drawn = sample_rows(rows, times, 100, seed=1)
    assert len(set(drawn)) == 100
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(np.sort(times[drawn] // 10), np.arange(100))
    np.testing.assert_array_equal(drawn, sample_rows(rows, times, 100, seed=1))
    assert not np.array_equal(drawn, sample_rows(rows, times, 100, seed=2))


def test_few_rows_are_all_taken():
    rows = np.array([1, 5, 9])
    np.testing.assert_array_equal(sample_rows(rows, np.arange(10), 3, seed=0), rows)


def test_scales_are_powers_of_two_near_the_median():
    values = np.column_stack(
        ([1000.0, -900, 1100], [0.001, 0.001, -0.002], [0, 0, 12.0], [0, 0, 0.0], [1e300, 1e300, 1e300])
    )
    scales = column_scales(values)
    np.testing.assert_array_equal(scales[:4], [1024, 2.0**-10, 4.0 if scales[2] == 4 else 8.0, 1.0])
    assert (np.frexp(scales)[0] == 0.5).all()
    assert np.isfinite(values / scales).all()
