"""Telling test rows from training rows: by drift, not by the season."""

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, NotEnoughDataError
from onward.evaluation.adversarial import _Judge, adversarial_of_folds, adversarial_validation
from onward.splits import PurgedKFold
from tests.unit.evaluation.feature_rows import HOUR, made_rows


def told(X, spans, *, cut=900, **options):
    before, after = np.arange(cut), np.arange(cut + 12, len(X))
    return adversarial_validation(
        X.iloc[before],
        X.iloc[after],
        train_spans=spans.take(before),
        test_spans=spans.take(after),
        **({"n_placebos": 2} | options),
    )


def test_without_drift_nothing_can_be_told():
    areas = []
    for seed in range(6):
        X, _, spans = made_rows(1_300, seed=seed)
        areas.append(told(X, spans, gap=48 * HOUR, n_placebos=0).auc)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)


def test_a_column_that_drifts_gives_the_test_rows_away():
    X, _, spans = made_rows(1_300, seed=1)
    X.iloc[900:, X.columns.get_loc("echo")] += 3.0
    found = told(X, spans)
    assert found.auc > 0.95
    assert found.excess > 0.3
    assert found.importance.index[0] == "echo"
    assert found.importance["echo"] > 0.8
    assert found.importance.sum() == pytest.approx(1.0)
    assert len(found.blocks) == 4
    assert len(found.placebo) == 2
    assert found.to_dict(top=1)["top"] == ("echo",)


def test_a_slow_column_gives_away_placebos_as_well():
    """A random walk tells any season from the others: the AUC alone would call that drift."""
    X, _, spans = made_rows(1_300, seed=2)
    X["level"] = np.random.default_rng(2).normal(size=len(X)).cumsum()
    found = told(X, spans, n_placebos=3)
    assert found.placebo.max() > 0.65
    assert found.to_dict()["placebo_max"] == found.placebo.max()


def test_what_is_near_a_held_out_row_is_not_learnt_from():
    generator = np.random.default_rng(0)
    start = np.sort(generator.choice(2_000, 300, replace=False)).astype(np.int64)
    judge = _Judge(start, 25, 4)
    held = np.sort(generator.choice(300, 30, replace=False))
    near = np.abs(start[:, None] - start[held][None, :]).min(axis=1) <= 25
    np.testing.assert_array_equal(judge._far(held), np.flatnonzero(~near))


def test_it_repeats_itself_and_thins_evenly():
    X, _, spans = made_rows(1_300, seed=3)
    first, second = (told(X, spans, max_rows=500) for _ in range(2))
    np.testing.assert_array_equal(first.blocks, second.blocks)
    np.testing.assert_array_equal(first.placebo, second.placebo)
    assert 400 <= first.n_train + first.n_test <= 500
    assert first.n_train / first.n_test == pytest.approx(900 / 388, rel=0.05)


def test_a_table_of_folds():
    X, _, spans = made_rows(600, seed=4)
    table = adversarial_of_folds(X, spans, PurgedKFold(4).folds(spans), n_placebos=1, top=2)
    assert table["fold"].tolist() == [0, 1, 2, 3]
    assert table["n_placebos"].tolist() == [1, 1, 1, 1]
    assert table[["auc", "placebo_mean", "excess", "standard_error"]].notna().all(axis=None)
    assert all(len(names) <= 2 for names in table["top"])


def test_constant_columns_tell_nothing():
    X, _, spans = made_rows(400, seed=5)
    found = told(pd.DataFrame({"flat": 1.0}, X.index), spans, cut=250, n_placebos=0)
    assert found.auc == 0.5
    assert found.excess == 0.0
    assert found.importance.tolist() == [0.0]
    assert np.isnan(found.to_dict()["placebo_mean"])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n_blocks": 1}, ConfigError, "n_blocks 1"),
        ({"n_placebos": -1}, ConfigError, "n_placebos -1"),
        ({"max_rows": 10}, ConfigError, "max_rows >= 80"),
        ({"gap": -1}, ConfigError, "gap -1"),
        ({"gap": 10_000 * HOUR}, NotEnoughDataError, "gap leaves too few"),
        ({"cut": 280}, NotEnoughDataError, "too few rows"),
    ],
)
def test_what_cannot_be_told_is_refused(options, error, words):
    X, _, spans = made_rows(300)
    with pytest.raises(error, match=words):
        told(X, spans, **({"cut": 200} | options))


def test_rows_that_do_not_match_are_refused():
    X, _, spans = made_rows(300)
    same = {"train_spans": spans, "test_spans": spans}
    with pytest.raises(ConfigError, match="different columns"):
        adversarial_validation(X, X[["echo"]], **same)
    with pytest.raises(ConfigError, match="disagree in number"):
        adversarial_validation(X, X.iloc[:50], **same)
