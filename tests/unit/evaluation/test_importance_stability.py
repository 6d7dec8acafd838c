"""Agreement of folds: against SciPy, definitions and identities between the measures."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, spearmanr

from onward.errors import ConfigError
from onward.evaluation.importance_stability import (
    importance_stability,
    jaccard_index,
    kendall_w,
    kuncheva_index,
    selection_stability,
    spearman,
)

tied = st.integers(0, 4)


def long(values, columns="abcdefgh"):
    return pd.DataFrame(
        [(f, columns[j], v) for f, row in enumerate(values) for j, v in enumerate(row)],
        columns=["fold", "column", "importance"],
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(tied, min_size=6, max_size=6), min_size=3, max_size=5))
def test_concordance_equals_friedmans_statistic_ties_included(rows):
    """Friedman's chi squared is m (n - 1) W."""
    values = np.array(rows, dtype=np.float64)
    if all(len(set(row)) == 1 for row in rows):
        assert np.isnan(kendall_w(values))
        return
    expected = friedmanchisquare(*values.T).statistic
    assert len(values) * 5 * kendall_w(values) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(tied, min_size=5, max_size=5), st.lists(tied, min_size=5, max_size=5))
def test_rank_correlation_equals_scipys(left, right):
    found = spearman(np.array(left, float), np.array(right, float))
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(left, right).statistic, abs=1e-12)


def test_without_ties_mean_rank_correlation_and_concordance_say_the_same():
    values = np.array([np.random.default_rng(s).permutation(12) for s in range(4)], dtype=np.float64)
    found = importance_stability(long(values + 1, columns="abcdefghijkl"))
    assert found.spearman == pytest.approx((4 * found.kendall_w - 1) / 3)


def test_overlaps_by_hand():
    left = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], bool)
    right = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0], bool)
    assert jaccard_index(left, right) == 0.5
    assert kuncheva_index(left, right) == pytest.approx((2 * 10 - 9) / (3 * 7))  # Kuncheva 2007
    assert kuncheva_index(left, left) == 1.0
    assert np.isnan(kuncheva_index(left, np.zeros(10, bool)))
    assert np.isnan(jaccard_index(np.zeros(3, bool), np.zeros(3, bool)))


def test_chance_overlap_counts_nothing():
    generator = np.random.default_rng(0)
    sets = np.zeros((2_000, 20), bool)
    for row in sets:
        row[generator.choice(20, 8, replace=False)] = True
    found = [kuncheva_index(a, b) for a, b in itertools.pairwise(sets)]
    assert np.mean(found) == pytest.approx(0.0, abs=0.02)
    assert np.mean([jaccard_index(a, b) for a, b in itertools.pairwise(sets)]) > 0.2  # which does count it


def test_the_stability_of_equal_sized_selections_is_kunchevas_mean():
    generator = np.random.default_rng(1)
    sets = np.zeros((5, 12), bool)
    for row in sets:
        row[generator.choice(12, 4, replace=False)] = True
    pairs = [kuncheva_index(a, b) for a, b in itertools.combinations(sets, 2)]
    assert selection_stability(sets) == pytest.approx(np.mean(pairs))
    assert selection_stability(np.tile(sets[0], (3, 1))) == 1.0
    assert np.isnan(selection_stability(np.ones((3, 4), bool)))
    assert np.isnan(selection_stability(sets[:1]))


def test_a_table_of_folds():
    table = long([[9, 5, 1, 0, 0, 0], [8, 4, 0, 2, 0, 0], [7, 9, 0, 0, 0, 3]])
    final = pd.DataFrame({"fold": [-1], "column": ["a"], "importance": [1.0]})
    found = importance_stability(pd.concat((table, final)), top=2)
    assert (found.n_folds, found.n_columns, found.top) == (3, 6, 2)
    assert found.jaccard == 1.0
    assert found.kuncheva == 1.0
    assert 0.2 < found.selection < 0.6
    assert list(found.columns["column"][:2]) == ["a", "b"]
    assert found.columns.set_index("column").loc["c", "counts"] == pytest.approx(1 / 3)
    assert len(found.pairs) == 3
    assert found.to_dict()["jaccard"] == 1.0


def test_a_column_that_a_fold_lacks_counts_nothing_there():
    table = long([[9, 5, 1], [8, 4, 2]])
    absent = importance_stability(table[~((table["fold"] == 1) & (table["column"] == "c"))])
    unknown = importance_stability(
        table.assign(importance=table["importance"].where(table.index != 5, np.nan))
    )
    assert absent.columns.set_index("column").loc["c", "counts"] == 0.5
    assert absent.to_dict() == unknown.to_dict()


@pytest.mark.parametrize("rows", [[], [[3, 2, 1]], [[0, 0, 0], [0, 0, 0]]])
def test_too_little_to_compare_is_unknown(rows):
    found = importance_stability(long(rows))
    assert found.to_dict()["kendall_w"] is None
    assert np.isnan(found.kuncheva)


def test_bad_tables_are_refused():
    table = long([[1, 2], [3, 4]])
    with pytest.raises(ConfigError, match="no column 'importance'"):
        importance_stability(table.rename(columns={"importance": "gain"}))
    with pytest.raises(ConfigError, match="two importances"):
        importance_stability(pd.concat((table, table)))
    with pytest.raises(ConfigError, match="top 0"):
        importance_stability(table, top=0)
