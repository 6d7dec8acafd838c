"""Rows made ready once for many fits."""

import numpy as np
import pytest

from onward.errors import ModelError
from onward.models import LightGBMModel, LogisticModel, PriorModel
from onward.models.lightgbm import BINNING
from onward.testing.models import example_rows

TRIALS = [
    {"num_leaves": 15, "min_leaf_fraction": 0.01},
    {"min_leaf_fraction": 0.3, "seed": 4},
    {"extra_trees": False, "feature_fraction": 1.0, "class_weight": "balanced"},
    {"balance_directions": False, "lambda_l2": 0.0},
    {},
]


def test_one_binning_serves_every_trial_bit_by_bit():
    X, y = example_rows(1_500)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, len(y))
    X["rare"] = (np.arange(len(X)) < 9).astype(np.float32)  # too rare to split on, for some of them
    prepared = LightGBMModel().prepare(X, y, weight)
    for trial in TRIALS + TRIALS[::-1]:
        shared = LightGBMModel(n_rounds=6, n_threads=1, **trial).fit_prepared(prepared)
        alone = LightGBMModel(n_rounds=6, n_threads=1, **trial).fit(X, y, weight)
        np.testing.assert_array_equal(shared.predict_proba(X), alone.predict_proba(X))
        assert shared.booster_.model_to_string() == alone.booster_.model_to_string()


def test_the_bins_do_not_hang_on_what_a_trial_changes():
    assert LightGBMModel(seed=3, num_leaves=9)._preparation_settings() == BINNING
    assert BINNING.items() <= LightGBMModel(seed=3).native_parameters(100, 3).items()


def test_rows_prepared_for_another_model_are_refused():
    X, y = example_rows(200)
    prepared = LogisticModel().prepare(X, y)
    with pytest.raises(ModelError, match="prepared for another model; got logistic; allowed: prior"):
        PriorModel().fit_prepared(prepared)


def test_rows_prepared_in_another_way_are_refused():
    class Finer(LightGBMModel):
        def _preparation_settings(self):
            return {**BINNING, "max_bin": 255}

    X, y = example_rows(200)
    with pytest.raises(ModelError, match="another max_bin; got 63; allowed: 255"):
        Finer().fit_prepared(LightGBMModel().prepare(X, y))


def test_names_go_with_the_rows():
    X, y = example_rows(200)
    model = PriorModel().fit_prepared(PriorModel().prepare(X, y))
    with pytest.raises(ModelError, match="first difference at 'a'"):
        model.predict_proba(X.rename(columns={"a": "z"}))
    assert not hasattr(model.fit(X.to_numpy(), y), "feature_names_in_")
