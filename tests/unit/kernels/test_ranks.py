from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.ranks import (
    LARGEST,
    UNKNOWN,
    compact_ranks,
    pearson_correlations,
    rank_correlations,
    unit_ranks,
)
from onward.kernels.statistics import centred_ranks

NAN = float("nan")


def columns(n_rows: int = 500, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    table = generator.normal(size=(n_rows, 8))
    table[:, 1] = np.round(table[:, 1])  # ties
    table[:, 2] = 0.7 * table[:, 0] + table[:, 2]
    table[:, 3] = -(table[:, 0] ** 3)
    table[:60, 4] = NAN  # warm-up
    table[:60, 5] = NAN
    table[generator.random(n_rows) < 0.3, 6] = NAN  # scattered
    table[:, 7] = 2.5
    return np.asfortranarray(table.astype(np.float32))


@given(
    st.lists(
        st.one_of(st.floats(-3, 3).map(lambda v: round(v, 1)), st.just(NAN), st.just(float("inf"))),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=200, deadline=None)
def test_ranks_are_twice_the_distance_of_the_midrank_from_the_middle(values):
    column = pd.Series(values, dtype=np.float32)
    ranks, n_known, n_most = compact_ranks(column.to_numpy()[:, None])
    expected = 2 * column.rank() - (column.count() + 1)
    known = column.notna().to_numpy()
    np.testing.assert_array_equal(ranks[0][known], expected[known])
    assert (ranks[0][~known] == UNKNOWN).all()
    assert n_known[0] == column.count()
    assert n_most[0] == (column.value_counts().max() if column.count() else 0)


def test_ranks_of_long_columns_are_scaled_and_turn_over_exactly():
    values = np.random.default_rng(1).normal(size=(70_001, 1)).astype(np.float32)
    up, n_known, _ = compact_ranks(values)
    down, _, _ = compact_ranks(-values)
    np.testing.assert_array_equal(up, -down)
    assert up.max() == LARGEST
    assert up.min() == -LARGEST
    exact = 2.0 * (pd.Series(values[:, 0]).rank().to_numpy() - 1) / (n_known[0] - 1) - 1.0
    np.testing.assert_allclose(up[0] / LARGEST, exact, atol=1.01 / LARGEST)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_number_of_threads_and_the_layout_change_nothing(order):
    table = np.asarray(np.tile(columns(200), (1, 5)), order=order)
    for one, two in zip(compact_ranks(table, 1), compact_ranks(table, 2), strict=True):
        np.testing.assert_array_equal(one, two)


def test_unit_ranks_are_those_of_the_relevance_test():
    table = columns()
    ranks, _, _ = compact_ranks(table)
    expected = np.array([centred_ranks(np.ascontiguousarray(column)) for column in table.T])
    np.testing.assert_allclose(unit_ranks(ranks), expected, atol=1e-6)


def test_rank_correlations_equal_spearmans_over_common_rows():
    table = columns(5_000)
    ranks, _, _ = compact_ranks(table)
    found = rank_correlations(ranks)
    expected = pd.DataFrame(table).iloc[:, :7].corr("spearman").to_numpy()
    # pandas ranks anew on the common rows of each pair; with three in ten rows missing that moves 1e-3.
    np.testing.assert_allclose(found[:6, :6], expected[:6, :6], atol=2e-4)
    np.testing.assert_allclose(found[:7, :7], expected, atol=5e-3)
    np.testing.assert_array_equal(found, found.T)
    assert (found[7] == 0).all()
    assert found[0, 3] == pytest.approx(-1.0, abs=1e-6)


def test_pearson_correlations_equal_pandas():
    table = columns(5_000)
    expected = pd.DataFrame(table.astype(np.float64)).corr().fillna(0.0).to_numpy()
    np.testing.assert_allclose(pearson_correlations(table)[:7, :7], expected[:7, :7], atol=1e-5)
    chosen = np.array([6, 0, 2])
    np.testing.assert_allclose(
        pearson_correlations(table, chosen), expected[np.ix_(chosen, chosen)], atol=1e-5
    )


def test_columns_known_at_different_times_are_not_called_alike():
    table = np.random.default_rng(0).normal(size=(400, 1)).astype(np.float32) * np.ones((1, 2), np.float32)
    table[:300, 0] = NAN
    table[120:, 1] = NAN
    ranks, _, _ = compact_ranks(table)
    assert rank_correlations(ranks)[0, 1] == 0.0
    table[:, 1] = table[:, 0]
    assert rank_correlations(compact_ranks(table)[0])[0, 1] == pytest.approx(1.0, abs=1e-6)
