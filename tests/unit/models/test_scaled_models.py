"""Logistic regression and perceptron, and the scaling inside them."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.linear_model import LogisticRegression

from onward.errors import ModelError
from onward.models import LogisticModel, MLPModel
from onward.models.dense import affine
from onward.models.scaling import RobustScaling
from onward.testing.models import example_rows

NAN = np.float32(np.nan)


def test_scaling_is_median_and_spread_of_the_known_rows():
    values = np.array(
        [[1, NAN, 7, 0, NAN], [2, NAN, 7, 0, 1], [3, NAN, 7, 0, 2], [4, NAN, 7, 1, 3]], np.float32
    )
    scaling = RobustScaling.learn(values, clip=5.0)
    np.testing.assert_allclose(scaling.centre, [2.5, 0, 7, 0, 2])
    iqr = 1.3489795003921634
    np.testing.assert_allclose(scaling.spread, [1.5 / iqr, 0, 0, 0.25 / iqr, 1 / iqr])
    assert scaling.gaps.tolist() == [4]  # column 1 is never known: there is nothing to tell
    out = scaling.transform(np.array([[1e9, 3, 9, NAN, NAN]], np.float32))
    np.testing.assert_allclose(out, [[5.0, 0.0, 0.0, 0.0, 0.0, 1.0]])


def test_a_column_that_rarely_moves_is_scaled_by_its_deviation():
    values = np.zeros((100, 1), np.float32)
    values[:5] = 1.0
    assert RobustScaling.learn(values, 5.0).spread[0] == pytest.approx(np.sqrt(0.05 * 0.95))


def test_columns_of_one_warm_up_share_one_gap():
    values = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    values[:10, :3] = NAN
    values[:3, 3] = NAN
    scaling = RobustScaling.learn(values, 5.0)
    assert scaling.gaps.tolist() == [0, 3]
    np.testing.assert_array_equal(scaling.importance(np.arange(6.0)), [0 + 4, 1, 2, 3 + 5])


def test_scaling_survives_json():
    values, _ = example_rows()
    scaling = RobustScaling.learn(values.to_numpy(np.float32), 5.0)
    again = RobustScaling.from_json(json.loads(json.dumps(scaling.to_json())))
    rows = values.to_numpy(np.float32)
    np.testing.assert_array_equal(again.transform(rows), scaling.transform(rows))


@settings(max_examples=40, deadline=None)
@given(
    values=arrays(
        np.float64, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(-1e3, 1e3)
    ),
    n_outputs=st.integers(1, 5),
)
def test_the_product_is_a_product_and_rows_are_alone(values, n_outputs):
    generator = np.random.default_rng(0)
    weights, bias = generator.normal(size=(values.shape[1], n_outputs)), generator.normal(size=n_outputs)
    product = affine(values, weights, bias)
    np.testing.assert_allclose(product, values @ weights + bias, rtol=1e-9, atol=1e-9)
    for row in range(len(values)):
        np.testing.assert_array_equal(affine(values[row : row + 1], weights, bias), product[row : row + 1])


def test_blocks_of_the_product_do_not_show():
    values = np.random.default_rng(0).normal(size=(9_001, 3))
    weights, bias = np.eye(3)[:, :2], np.ones(2)
    np.testing.assert_array_equal(affine(values, weights, bias), values[:, :2] + 1.0)


def test_the_linear_model_is_scikit_learns_with_a_penalty_a_row():
    X, y = example_rows()
    X = X.drop(columns="unknown")
    model = LogisticModel(penalty=0.02, balance_directions=False, max_passes=2_000).fit(X, y)
    scaled = RobustScaling.learn(X.to_numpy(np.float32), 5.0).transform(X.to_numpy(np.float32))
    bare = LogisticRegression(
        C=1 / (0.02 * len(X)), l1_ratio=0.5, solver="saga", max_iter=2_000, random_state=1
    ).fit(scaled, y)
    np.testing.assert_allclose(model.predict_proba(X), bare.predict_proba(scaled), atol=1e-3)


def test_the_penalty_does_not_fade_when_rows_are_repeated():
    X, y = example_rows()
    X = X.drop(columns="unknown")
    once = LogisticModel(max_passes=2_000).fit(X, y).predict_proba(X)
    rows = np.repeat(np.arange(len(X)), 5)
    often = LogisticModel(max_passes=2_000).fit(X.iloc[rows], y[rows]).predict_proba(X)
    np.testing.assert_allclose(once, often, atol=2e-3)


def test_the_absolute_penalty_selects():
    X, y = example_rows(2_000)
    gain = LogisticModel().fit(X, y).gain()
    assert gain[0] > 0.3
    np.testing.assert_array_equal(gain[2:], 0.0)


def test_a_penalty_of_zero_is_none():
    X, y = example_rows()
    free = LogisticModel(penalty=0.0).fit(X, y).gain()
    assert (free[:4] > LogisticModel().fit(X, y).gain()[:4]).all()


def test_more_layers_are_more_layers():
    X, y = example_rows()
    model = MLPModel(hidden_units=[6, 3], n_epochs=3).fit(X, y)
    assert [weights.shape[1] for weights, _ in model._layers()] == [6, 3, 3]
    scaled = model.scaling_.transform(X.to_numpy(np.float32))
    np.testing.assert_allclose(model.predict_proba(X), model.estimator_.predict_proba(scaled), atol=1e-12)


@pytest.mark.parametrize(
    "model", [LogisticModel(l1_ratio=7.0), MLPModel(step_size=-1.0)], ids=["logistic", "mlp"]
)
def test_parameters_scikit_learn_refuses_are_a_model_error(model):
    with pytest.raises(ModelError, match="scikit-learn refused"):
        model.fit(*example_rows())
