"""The boosters beside LightGBM: nothing but the libraries, called as stated."""

import catboost
import numpy as np
import pytest
import xgboost
from scipy.special import softmax

from onward.errors import BundleError, ModelError
from onward.models import CatBoostModel, HistGradientBoostingModel, LightGBMModel, XGBoostModel
from onward.models.state_file import file_hashes, read_state, write_state
from onward.testing.models import example_rows

BOOSTERS = [XGBoostModel, CatBoostModel]
PLAIN = {"n_rounds": 10, "balance_directions": False, "n_threads": 1}


def test_xgboost_is_nothing_but_xgboost():
    X, y = example_rows()
    model = XGBoostModel(**PLAIN).fit(X, y)
    parameters = model.native_parameters(*X.shape, float(len(X)))
    with xgboost.config_context(nthread=1):
        rows = xgboost.QuantileDMatrix(X.to_numpy(np.float32), label=y + 1, max_bin=63)
        bare = xgboost.train(parameters, rows, num_boost_round=10)
    expected = bare.predict(xgboost.DMatrix(X.to_numpy(np.float32)))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)


def test_catboost_is_nothing_but_catboost():
    X, y = example_rows()
    model = CatBoostModel(**PLAIN).fit(X, y)
    bare = catboost.CatBoost(model.native_parameters(*X.shape)).fit(X.to_numpy(np.float32), y + 1)
    expected = softmax(bare.predict(X.to_numpy(np.float32), prediction_type="RawFormulaVal"), axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("booster", [XGBoostModel, HistGradientBoostingModel])
def test_shared_parameters_have_the_defaults_of_the_default_model(booster):
    own, theirs = booster().get_params(), LightGBMModel().get_params()
    assert {k: v for k, v in own.items() if k in theirs} == {k: theirs[k] for k in own if k in theirs}
    assert set(own) <= set(theirs)


def test_leaves_of_xgboost_hold_their_share_of_the_weight():
    X, y = example_rows(2_000)
    model = XGBoostModel(n_rounds=1, min_leaf_fraction=0.2, bagging_fraction=1.0, num_leaves=16, n_threads=1)
    trees = model.fit(X, y).booster_.trees_to_dataframe()
    cover = trees.loc[trees["Feature"] == "Leaf", "Cover"]
    assert cover.min() >= 4 / 9 * 0.2 * 2_000 * 0.999
    assert 1 < len(cover) / 3 <= 5


@pytest.mark.parametrize("booster", BOOSTERS)
def test_parameters_the_library_refuses_are_a_model_error(booster):
    with pytest.raises(ModelError, match="refused to train"):
        booster(bagging_fraction=7.0, n_threads=1).fit(*example_rows())


@pytest.mark.parametrize("booster", BOOSTERS)
def test_seeds_matter(booster):
    X, y = example_rows()
    first, second = (booster(n_rounds=5, seed=s, n_threads=1).fit(X, y).predict_proba(X) for s in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("booster", BOOSTERS)
@pytest.mark.parametrize("content", ["rubbish", "other columns"])
def test_native_files_that_do_not_belong_are_refused(booster, content, tmp_path):
    X, y = example_rows()
    booster(n_rounds=2).fit(X, y).save(tmp_path / "a")
    (file,) = booster.native_files
    if content == "rubbish":
        (tmp_path / "a" / file).write_bytes(b"rubbish")
    else:
        booster(n_rounds=2).fit(X[["a", "b"]], y).save(tmp_path / "b")
        (tmp_path / "a" / file).write_bytes((tmp_path / "b" / file).read_bytes())
    payload = read_state(tmp_path / "a")
    payload["files"] = file_hashes(tmp_path / "a", (file,))
    write_state(tmp_path / "a", {k: v for k, v in payload.items() if k not in ("digest", "format")})
    with pytest.raises(BundleError, match="damaged"):
        booster.load(tmp_path / "a")


def test_the_catboost_file_holds_neither_the_hour_nor_the_threads(tmp_path):
    X, y = example_rows()
    model = CatBoostModel(**PLAIN).fit(X, y)
    model.save(tmp_path)
    content = (tmp_path / "model.cbm").read_bytes()
    for passing in (b"thread_count", b"train_finish_time", b"model_guid", b"metrics"):
        assert passing not in content
