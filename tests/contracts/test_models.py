import json
from functools import partial

import numpy as np
import pytest

from onward.errors import ModelError
from onward.models import CATALOG, LightGBMModel, PriorModel
from onward.testing.models import check_model, check_notices_damage, example_rows


def quick(model_class):
    """Few rounds, one thread: what a contract needs to be quick."""
    wanted = {"n_rounds": 8, "n_threads": 1}
    accepted = model_class().get_params()
    return partial(model_class, **{k: v for k, v in wanted.items() if k in accepted})


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_model_of_the_catalog_keeps_the_contract(name):
    check_model(quick(CATALOG[name]))


class ForgetsItsSeed(PriorModel):
    def _fit(self, values, codes, weight):
        super()._fit(values, codes, weight)
        self.frequency_ = np.random.default_rng().dirichlet(np.ones(3))


class PeeksAtItsBatch(PriorModel):
    def _probabilities(self, values):
        shift = 0.1 * np.tanh(np.nan_to_num(values[:, 0]).mean()) if len(values) else 0.0
        return np.tile(self.frequency_ * (1 - shift) + shift / 3, (len(values), 1))


class SavesLess(PriorModel):
    def _state(self):
        return {"frequency": [round(f, 3) for f in self.frequency_]}


class TakesDamage(PriorModel):
    @classmethod
    def load(cls, directory):
        text = (directory / "model.json").read_bytes().decode("utf-8", errors="replace")
        model = cls().fit(*example_rows())
        try:
            model._restore(json.loads(text)["state"])
        except (ValueError, KeyError):
            model.frequency_ = np.ones(3) / 3
        return model


class GainsFromNothing(PriorModel):
    def _gain(self):
        return np.ones(self.n_features_in_)


class KeepsItsThreads(PriorModel):
    not_saved = ()

    def __init__(self, n_threads=1):
        self.n_threads = n_threads


@pytest.mark.parametrize(
    "broken", [ForgetsItsSeed, PeeksAtItsBatch, SavesLess, GainsFromNothing, KeepsItsThreads]
)
def test_the_suite_catches_a_broken_model(broken):
    with pytest.raises(AssertionError, match="broken promise"):
        check_model(broken)


def test_the_suite_catches_a_model_that_loads_damaged_files():
    with pytest.raises(AssertionError, match="broken promise: byte"):
        check_notices_damage(TakesDamage)


def test_one_class_only_cannot_be_learnt_by_a_booster():
    X, y = example_rows()
    with pytest.raises(ModelError, match="one class only"):
        LightGBMModel(n_rounds=2).fit(X, np.zeros_like(y))
