"""Contributions of single features: they add up to what the model says, to the library's own margins."""

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

from onward.errors import ConfigError, ModelError
from onward.evaluation.contributions import BASE, OTHERS, Contributing, contributions, top_contributions
from onward.models import CATALOG, CatBoostModel, LightGBMModel, PriorModel, XGBoostModel
from onward.testing.models import example_rows

MODELS = [
    pytest.param(lambda: LightGBMModel(n_rounds=12, n_threads=1), id="lightgbm"),
    pytest.param(lambda: XGBoostModel(n_rounds=12, n_threads=1), id="xgboost"),
    pytest.param(lambda: CatBoostModel(n_rounds=12, n_threads=1), id="catboost"),
]


def margins(model, X):
    """Raw margins as the library itself gives them."""
    values = X.to_numpy(np.float32)
    if isinstance(model.booster_, lightgbm.Booster):
        return model.booster_.predict(values, raw_score=True)
    if isinstance(model.booster_, catboost.CatBoost):
        return model.booster_.predict(values, prediction_type="RawFormulaVal")
    return model.booster_.predict(xgboost.DMatrix(values, missing=np.nan), output_margin=True)


@pytest.mark.parametrize("new_model", MODELS)
def test_they_sum_to_the_raw_margin(new_model):
    X, y = example_rows()
    model = new_model().fit(X, y)
    parts = contributions(model, X)
    assert parts.shape == (len(X), X.shape[1] + 1, 3)
    assert parts.dtype == np.float64
    np.testing.assert_allclose(parts.sum(axis=1), margins(model, X), atol=2e-6)
    strength = np.abs(parts - parts.mean(axis=2, keepdims=True)).mean(axis=(0, 2))
    assert strength[:-1].argmax() == 0  # the classes hang on the first column
    assert strength[X.columns.get_loc("unknown")] == 0.0
    assert parts[:, 0, 2][X["a"] > 1].min() > 0 > parts[:, 0, 2][X["a"] < -1].max()


@pytest.mark.parametrize("new_model", MODELS)
def test_the_base_does_not_hang_on_the_row(new_model):
    X, y = example_rows()
    base = contributions(new_model().fit(X, y), X)[:, -1]
    np.testing.assert_allclose(base, base[:1].repeat(len(X), axis=0), atol=1e-6)


@pytest.mark.parametrize("new_model", MODELS)
def test_a_row_ignores_its_batch_and_a_saved_model_says_the_same(new_model, tmp_path):
    X, y = example_rows()
    model = new_model().fit(X, y)
    every = model.contributions(X)
    np.testing.assert_array_equal(model.contributions(X.iloc[[7]]), every[[7]])
    assert model.contributions(X.iloc[:0]).shape == (0, X.shape[1] + 1, 3)
    assert contributions(model, X.iloc[:0]).shape == (0, X.shape[1] + 1, 3)
    model.save(tmp_path)
    np.testing.assert_array_equal(type(model).load(tmp_path).contributions(X), every)


@pytest.mark.parametrize("new_model", MODELS)
def test_a_class_that_was_never_seen_disturbs_nothing(new_model):
    X, y = example_rows()
    rows = y != 0
    model = new_model().fit(X[rows], y[rows])
    table = top_contributions(model, X.iloc[:20], k=2)
    odds = np.log(model.predict_proba(X.iloc[:20])[:, [0, 2]])
    direction = table.groupby(level=0)["direction"].sum()
    np.testing.assert_allclose(direction, odds[:, 1] - odds[:, 0], atol=1e-5)


@pytest.mark.parametrize("new_model", MODELS)
@pytest.mark.parametrize("k", [1, 3, 5, 50])
def test_the_table_completes_the_log_odds(new_model, k):
    X, y = example_rows()
    X.index = pd.MultiIndex.from_product([["A"], pd.date_range("2024", periods=len(X), freq="h", tz="UTC")])
    model = new_model().fit(X, y)
    some = X.iloc[10:14]
    table = top_contributions(model, some, k)
    probability = model.predict_proba(some)
    for i, row in enumerate(some.index):
        lines = table.loc[[row]]
        assert len(lines) == min(k, 5) + (k < 5) + 1
        assert lines["direction"].sum() == pytest.approx(
            np.log(probability[i, 2] / probability[i, 0]), abs=1e-5
        )
        assert lines["range"].sum() - lines["down"].sum() == pytest.approx(
            np.log(probability[i, 1] / probability[i, 0]), abs=1e-5
        )
        log = np.log(probability[i])
        np.testing.assert_allclose(  # what the page of a prediction says that the parts sum to
            lines[["down", "range", "up"]].sum(), log - log.mean(), atol=1e-5
        )
        shown = lines[lines["rank"] > 0]
        assert shown["rank"].tolist() == list(range(1, min(k, 5) + 1))
        assert shown["strength"].is_monotonic_decreasing
        for _, line in shown.iterrows():
            np.testing.assert_equal(line["value"], float(some.loc[row, line["feature"]]))
        assert lines["feature"].iloc[-1] == BASE
        assert (OTHERS in lines["feature"].tolist()) == (k < 5)
    one = top_contributions(model, some.iloc[0], k)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), table.loc[[some.index[0]]].reset_index(drop=True)
    )


def test_which_models_explain_themselves():
    assert {name for name, model in CATALOG.items() if issubclass(model, Contributing)} == {
        "catboost",
        "lightgbm",
        "xgboost",
    }


def test_what_cannot_be_explained_is_refused():
    X, y = example_rows()
    with pytest.raises(ModelError, match=r"lightgbm, xgboost, catboost.*block_permutation_importance"):
        contributions(PriorModel().fit(X, y), X)
    model = LightGBMModel(n_rounds=3, n_threads=1)
    for unfitted in (model, XGBoostModel(), CatBoostModel()):
        with pytest.raises(ModelError, match="not fitted"):
            contributions(unfitted, X)
    model.fit(X, y)
    with pytest.raises(ModelError, match="not those the model was trained on"):
        contributions(model, X[[*"dcba", "unknown"]])
    with pytest.raises(ConfigError, match="k = 0"):
        top_contributions(model, X, k=0)


class Claims(LightGBMModel):
    """Says something else than it does."""

    def contributions(self, X):
        return self.wrong(super().contributions(X))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda parts: parts * 1.5, "do not add up"),
        (lambda parts: parts[:, :-1], "wrong shape"),
        (lambda parts: parts * np.nan, "do not add up"),
    ],
)
def test_contributions_that_do_not_add_up_are_refused(wrong, words):
    X, y = example_rows()
    model = Claims(n_rounds=10, n_threads=1).fit(X, y)
    model.wrong = wrong
    with pytest.raises(ModelError, match=words):
        contributions(model, X)
