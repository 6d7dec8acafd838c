import lightgbm
import numpy as np
import pytest

from onward.config import ModelConfig
from onward.errors import BundleError, ModelError
from onward.models import LightGBMModel, PriorModel, model_class
from onward.models.rules import MeanReversionModel, MomentumModel
from onward.testing.models import example_rows


def test_it_is_nothing_but_lightgbm():
    """The same probabilities as the library called by hand with the stated parameters."""
    X, y = example_rows()
    model = LightGBMModel(n_rounds=10, balance_directions=False, n_threads=1).fit(X, y)
    parameters = model.native_parameters(*X.shape)
    data = lightgbm.Dataset(X.to_numpy(np.float32), y + 1, params=parameters)
    bare = lightgbm.train(parameters, data, num_boost_round=10)
    np.testing.assert_array_equal(model.predict_proba(X), bare.predict(X.to_numpy(np.float32), num_threads=1))


def test_the_defaults_are_strongly_regularised():
    parameters = LightGBMModel().native_parameters(4_000, 30)
    assert parameters["num_leaves"] == 4
    assert parameters["bagging_fraction"] == 0.25
    assert parameters["min_data_in_leaf"] == 100
    assert parameters["deterministic"]
    assert parameters["force_row_wise"]


def test_directions_are_balanced_so_that_drift_is_no_forecast():
    X, y = example_rows(2_000)
    generator = np.random.default_rng(1)
    X = X.apply(generator.permutation)  # nothing to learn
    rows = (y != -1) | (generator.random(len(y)) < 0.3)
    balanced = LightGBMModel(n_rounds=5, n_threads=1).fit(X[rows], y[rows]).predict_proba(X)
    drifting = LightGBMModel(n_rounds=5, n_threads=1, balance_directions=False).fit(X[rows], y[rows])
    assert abs((balanced[:, 2] - balanced[:, 0]).mean()) < 0.02
    assert (drifting.predict_proba(X)[:, 2] - drifting.predict_proba(X)[:, 0]).mean() > 0.15


def test_weights_count():
    X, y = example_rows()
    weight = np.where(y == 1, 5.0, 1.0)
    plain, weighted = (
        LightGBMModel(n_rounds=5, balance_directions=False, n_threads=1).fit(X, y, w).predict_proba(X)
        for w in (None, weight)
    )
    assert weighted[:, 2].mean() > plain[:, 2].mean() + 0.1


def test_seeds_differ_and_threads_do_not():
    X, y = example_rows()
    first, second, other = (
        LightGBMModel(n_rounds=10, seed=seed, n_threads=threads).fit(X, y).predict_proba(X)
        for seed, threads in ((0, 1), (0, 2), (1, 1))
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_parameters_lightgbm_refuses_are_a_model_error():
    X, y = example_rows()
    with pytest.raises(ModelError, match="LightGBM refused"):
        LightGBMModel(bagging_fraction=7.0, n_threads=1).fit(X, y)


def test_a_directory_without_or_with_another_model_is_refused(tmp_path):
    with pytest.raises(BundleError, match="no model"):
        LightGBMModel.load(tmp_path)
    X, y = example_rows()
    PriorModel().fit(X, y).save(tmp_path / "prior")
    with pytest.raises(BundleError, match="another model"):
        LightGBMModel.load(tmp_path / "prior")


def test_names_lead_to_classes_and_misspelt_ones_to_the_nearest():
    assert model_class("lightgbm") is LightGBMModel
    with pytest.raises(ModelError, match="Did you mean 'lightgbm'"):
        model_class("lightgmb")
    with pytest.raises(ModelError, match="lightgbm, logistic, mean_reversion, mlp, momentum, prior"):
        model_class("zzz")


def test_the_prior_is_the_weighted_class_frequency():
    X, y = example_rows()
    weight = np.where(y == 0, 2.0, 1.0)
    expected = [weight[y == c].sum() / weight.sum() for c in (-1, 0, 1)]
    np.testing.assert_allclose(PriorModel().fit(X, y, weight).predict_proba(X.iloc[:2]), [expected, expected])


def test_rules_read_their_column_and_miss_it_loudly():
    X, y = example_rows()
    model = MomentumModel(column="a").fit(X, y)
    probability = model.predict_proba(X)
    rising = X["a"] > 0
    assert len(np.unique(probability[rising], axis=0)) == 1
    frequency = [(y[rising] == c).mean() for c in (-1, 0, 1)]
    np.testing.assert_allclose(probability[rising][0], frequency, atol=0.01)
    with pytest.raises(ModelError, match="does not find its column"):
        MomentumModel(column="z").fit(X, y)


def test_mean_reversion_speaks_only_when_stretched():
    X, y = example_rows()
    model = MeanReversionModel(column="a", stretch=1.0).fit(X, y)
    signal = model._signal(np.array([-5.0, 0.0, 5.0, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(signal, [1.0, 0.0, -1.0, np.nan])


def test_the_settings_have_the_defaults_of_the_class():
    own = LightGBMModel().get_params()
    assert {name: own[name] for name in ModelConfig().parameters()} == ModelConfig().parameters()
