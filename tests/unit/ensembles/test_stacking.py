"""Stacking: what the meta-model sees, and what it never sees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from onward.ensembles import StackedModel, meta_features
from onward.errors import ModelError
from onward.splits import PurgedKFold, WalkForward
from onward.testing.models import example_rows
from onward.types import IntArray
from tests.unit.ensembles.ensemble_rows import overlapping_rows, probabilities

QUICK = {"lightgbm": {"n_rounds": 5}, "logistic": {"max_passes": 20}}


def stacked(**changes: object) -> StackedModel:
    given = {"members": ("lightgbm", "logistic"), "parameters": QUICK, "n_threads": 1, "n_folds": 3}
    return StackedModel(**{**given, **changes})  # type: ignore[arg-type]


def test_two_numbers_say_what_a_member_said() -> None:
    said = np.stack([probabilities(30, seed=1), probabilities(30, seed=2)])
    table = meta_features(said, ("a", "b"))
    assert list(table.columns) == ["a__direction", "a__range", "b__direction", "b__range"]
    direction, middle = (table[f"b__{part}"].to_numpy(np.float64) for part in ("direction", "range"))
    p_range = 1.0 / (1.0 + np.exp(-middle))
    p_up = (1.0 - p_range) / (1.0 + np.exp(-direction))
    np.testing.assert_allclose(p_range, said[1, :, 1], atol=1e-6)
    np.testing.assert_allclose(p_up, said[1, :, 2], atol=1e-6)
    certain = meta_features(np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]), ("a",))
    assert np.isfinite(certain.to_numpy()).all()


def test_members_are_fitted_on_all_rows_and_the_meta_model_on_unseen_predictions() -> None:
    X, y, spans = overlapping_rows(240)
    stack = stacked().fit(X, y, spans=spans)
    for part, fresh in zip(stack.parts_, stack.new_members(stack.seed), strict=False):
        np.testing.assert_array_equal(part.predict_proba(X), fresh.fit(X, y).predict_proba(X))
    given = stack.prepare(X, y).data
    inner = stack._inner(type(given)(given.values, spans), y, None)
    meta = type(stack.parts_[-1])(**stack.parts_[-1].get_params())  # type: ignore[attr-defined]
    meta.fit(meta_features(inner.probability, stack.members), y[inner.rows])
    asked = meta_features(inner.probability[:, :9], stack.members)
    np.testing.assert_array_equal(meta.predict_proba(asked), stack.parts_[-1].predict_proba(asked))


def test_a_meta_model_that_covers_some_rows_learns_from_these_alone() -> None:
    X, y, spans = overlapping_rows(240)
    stack = stacked()
    given = stack.prepare(X, y).data
    whole = stack._inner(type(given)(given.values, spans), y, None)
    folds = WalkForward(3).folds(spans)
    covered = np.concatenate([fold.test for fold in folds])
    part = type(whole)(
        covered,
        np.repeat(np.arange(3), [len(f.test) for f in folds]),
        whole.probability[:, covered],
        whole.prior[covered],
        tuple(folds),
        240,
    )
    other = y.copy()
    uncovered = np.setdiff1d(np.arange(240), covered)
    other[uncovered] = -other[uncovered]
    first = stacked().fit(X, y, spans=spans, inner=part).parts_[-1]
    second = stacked().fit(X, other, spans=spans, inner=part).parts_[-1]
    asked = meta_features(whole.probability, stack.members)
    np.testing.assert_array_equal(first.predict_proba(asked), second.predict_proba(asked))


@pytest.mark.parametrize("passthrough", [False, True])
def test_what_a_stack_says_of_a_fold_does_not_hang_on_its_outcomes(passthrough: bool) -> None:
    X, y, spans = overlapping_rows(240)
    stack = stacked(passthrough=passthrough)
    given = stack.prepare(X, y).data
    inner = stack._inner(type(given)(given.values, spans), y, None)
    inner = type(inner)(**{**vars(inner), "tables": tuple(X for _ in inner.folds)})
    said = stack.cross_fitted(inner, y, lambda rows: np.ones(len(rows)))
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
    for number, fold in enumerate(inner.folds):
        other = y.copy()
        other[fold.test] = -other[fold.test]
        again = stack.cross_fitted(inner, other, lambda rows: np.ones(len(rows)))
        np.testing.assert_array_equal(again[inner.fold == number], said[inner.fold == number])


def test_unpurged_folds_flatter_and_purged_ones_do_not() -> None:
    """Overlapping outcomes of a random walk cannot be known; on unpurged folds they seem to be."""
    X, y, spans = overlapping_rows(500, horizon=24)
    X = pd.DataFrame({"time": np.arange(500, dtype=np.float32)})
    greedy = {"n_rounds": 60, "num_leaves": 31, "min_leaf_fraction": 0.0, "lambda_l2": 0.0}
    greedy |= {"bagging_fraction": 1.0, "feature_fraction": 1.0, "learning_rate": 0.1, "extra_trees": False}
    stack = stacked(members=("lightgbm", "prior"), parameters={"lightgbm": greedy})

    def loss(train: IntArray, test: IntArray) -> float:
        said = stack.new_members(0)[0].fit(X.iloc[train], y[train]).predict_proba(X.iloc[test])
        return float(-np.log(np.maximum(said[np.arange(len(test)), y[test] + 1], 1e-9)).mean())

    shuffled = np.mean([loss(*split) for split in KFold(3, shuffle=True, random_state=0).split(X)])
    purged = np.mean([loss(fold.train, fold.test) for fold in PurgedKFold(3).folds(spans)])
    assert shuffled < 0.7 < np.log(3.0) < purged


def test_shares_are_what_the_meta_model_goes_by() -> None:
    X, y = example_rows(300)
    stack = stacked(members=("logistic", "prior"), parameters={}).fit(X, y)
    shares = stack.shares()
    assert shares[0] == pytest.approx(1.0)
    assert shares[1] == 0.0
    np.testing.assert_allclose(stack.gain(), stack.parts_[0].gain() / stack.parts_[0].gain().sum())
    through = stacked(passthrough=True).fit(X, y)
    assert through.shares().sum() < 1.0
    assert through.gain().sum() == pytest.approx(1.0)


def test_bad_meta_models_are_refused() -> None:
    X, y = example_rows(90)
    with pytest.raises(ModelError, match="no model of this name"):
        stacked(meta="logistics").fit(X, y)
    with pytest.raises(ModelError, match="no parameter 'penalties'"):
        stacked(meta_parameters={"penalties": 1}).fit(X, y)
    with pytest.raises(ModelError, match="too few members"):
        stacked(members=("lightgbm",)).fit(X, y)
