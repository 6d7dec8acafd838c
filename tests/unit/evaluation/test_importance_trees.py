"""Importance by the trees themselves: the figures of ``predict_proba``, from fewer questions."""

import numpy as np
import pandas as pd
import pytest

from onward.evaluation.importance import block_permutation_importance
from onward.evaluation.importance_trees import Forest
from onward.models import LightGBMModel, RandomForestModel
from tests.unit.evaluation.feature_rows import made_rows


def fitted(classes=(-1, 0, 1), **options):
    X, y, spans = made_rows(600, seed=7)
    X = X.astype(np.float32)
    generator = np.random.default_rng(7)
    X = X.mask(generator.random(X.shape) < 0.1).mask(generator.random(X.shape) < 0.1, 0.0)
    y = np.where(np.isin(y, classes), y, classes[0])
    settings = {"n_rounds": 20, "num_leaves": 12, "min_leaf_fraction": 0.03, "feature_fraction": 1.0}
    return LightGBMModel(**(settings | options)).fit(X, y), X, y, spans


@pytest.mark.parametrize("classes", [(-1, 0, 1), (-1, 1)])
def test_every_displacement_is_what_the_model_predicts_of_it(classes):
    model, X, _, _ = fitted(classes)
    sources = np.stack([np.random.default_rng(k).permutation(len(X)) for k in range(2)])
    subjects = [np.array([0]), np.array([1, 2]), np.array([0, 2]), np.array([], dtype=np.int64)]
    values = X.to_numpy()
    base, displaced = Forest.of(model).displaced(values, sources, subjects)
    np.testing.assert_allclose(base, model.predict_proba(X), rtol=0, atol=1e-14)
    for places, found in zip(subjects, displaced, strict=True):
        for source, said in zip(sources, found, strict=True):
            copy = values.copy()
            copy[:, places] = values[source][:, places]
            expected = model.predict_proba(pd.DataFrame(copy, X.index, X.columns))
            np.testing.assert_allclose(said, expected, rtol=0, atol=1e-14)


def test_importance_is_the_same_either_way():
    model, X, y, spans = fitted()
    groups = {"all": list(X.columns), "one": [X.columns[0]], "none": []}
    for chosen in (None, groups):
        slow, fast = (
            block_permutation_importance(
                model.predict_proba, X, y, spans, columns=list(X.columns[:4]), groups=chosen, forest=forest
            )
            for forest in (None, Forest.of(model))
        )
        pd.testing.assert_frame_equal(slow, fast, rtol=1e-9, atol=1e-12)
        unused = fast[fast["n_columns"] == 0]
        assert (unused["decrease"] == 0.0).all()


def test_what_is_more_than_small_trees_is_left_to_the_model():
    model, X, y, _ = fitted(num_leaves=100, min_leaf_fraction=0.001, lambda_l2=0.0, bagging_fraction=1.0)
    assert Forest.of(model) is None
    assert Forest.of(RandomForestModel(n_trees=5).fit(X.fillna(0.0), y)) is None


def test_a_model_that_learnt_nothing_has_trees_too():
    model, X, _, _ = fitted(min_leaf_fraction=1.0, bagging_fraction=1.0)
    base, (said,) = Forest.of(model).displaced(
        X.to_numpy(), np.arange(len(X), dtype=np.int64)[None], [np.array([0])]
    )
    np.testing.assert_array_equal(said[0], base)
    np.testing.assert_allclose(base, model.predict_proba(X), rtol=0, atol=1e-14)
