import inspect
import json
from functools import partial
from threading import Thread

import numpy as np
import pytest

from onward.errors import ModelError
from onward.models import CATALOG, PriorModel, threads
from onward.testing import models as suite
from onward.testing.models import check_model, check_notices_damage, example_rows

QUICK = {
    "n_rounds": 8,
    "n_trees": 8,
    "n_epochs": 15,
    "batch_rows": 32,
    "max_passes": 20,
    "n_threads": 1,
}
"""Little effort, one thread: what a contract needs to be quick."""


def quick(model_class):
    accepted = model_class().get_params()
    return partial(model_class, **{k: v for k, v in QUICK.items() if k in accepted})


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_model_of_the_catalog_keeps_the_contract(name):
    check_model(quick(CATALOG[name]))


@pytest.mark.parametrize("name", sorted(n for n, c in CATALOG.items() if "n_threads" in c().get_params()))
def test_threads_that_really_run_change_nothing(name, monkeypatch):
    monkeypatch.setattr(threads, "CELLS_A_THREAD", 1_000)
    assert threads.threads_for(4_000 * 5, 3) == 3
    suite.check_ignores_threads(quick(CATALOG[name]))


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


class CountsRowsNotWeights(PriorModel):
    def _fit(self, values, codes, weight):
        super()._fit(values, codes, None)


class SpendsThreads(PriorModel):
    """Lets another thread do the work."""

    def __init__(self, n_threads=1):
        self.n_threads = n_threads

    def _fit(self, values, codes, weight):
        super()._fit(values, codes, weight)
        workers = [Thread(target=lambda: [np.sort(values, axis=0) for _ in range(200)]) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


class SpoilsPreparedRows(PriorModel):
    def _fit(self, values, codes, weight):
        super()._fit(values, codes, weight)
        codes[:] = 0


class ReadsFloat64(PriorModel):
    def predict_proba(self, X):
        wide = np.asarray(X, dtype=np.float64)
        cut = (np.nan_to_num(wide) != np.nan_to_num(wide.astype(np.float32))).any(axis=1)
        return np.where(cut[:, None], np.roll(self.frequency_, 1), super().predict_proba(X))


class Talks(PriorModel):
    def _fit(self, values, codes, weight):
        super()._fit(values, codes, weight)
        print("fitting")


class HidesItsOnlyClass(PriorModel):
    def _fit(self, values, codes, weight):
        super()._fit(values, codes, weight)
        if self.frequency_.max() == 1.0:
            self.frequency_ = np.full(3, 1 / 3)


@pytest.mark.parametrize(
    ("broken", "check", "promise"),
    [
        (ForgetsItsSeed, suite.check_repeats_itself, "two fits are bit-equal"),
        (PeeksAtItsBatch, suite.check_ignores_batch, "one row alone equals the batch"),
        (SavesLess, suite.check_save_and_load, "the loaded model is bit-equal"),
        (GainsFromNothing, suite.check_gain, "gains nothing"),
        (KeepsItsThreads, suite.check_ignores_threads, "do not depend on the number of threads"),
        (CountsRowsNotWeights, suite.check_weights, "a heavier class becomes more probable"),
        (SpendsThreads, suite.check_honours_thread_cap, "n_threads=1 means one thread"),
        (SpoilsPreparedRows, suite.check_prepared_rows, "prepared rows"),
        (ReadsFloat64, suite.check_ignores_precision, "float64"),
        (Talks, suite.check_save_and_load, "training prints nothing"),
        (HidesItsOnlyClass, suite.check_one_class, "the only class is certain"),
    ],
)
def test_the_suite_catches_a_broken_model(broken, check, promise):
    with pytest.raises(AssertionError, match=f"broken promise: .*{promise}"):
        check(broken)


def test_every_check_is_part_of_the_suite():
    body = inspect.getsource(check_model)
    checks = [name for name in dir(suite) if name.startswith("check_") and name != "check_model"]
    assert len(checks) >= 15
    assert [name for name in checks if f"    {name}(new_model)" not in body] == []


def test_the_suite_catches_a_model_that_loads_damaged_files():
    with pytest.raises(AssertionError, match="broken promise: byte"):
        check_notices_damage(TakesDamage)


LEARNERS = sorted(n for n, c in CATALOG.items() if "class_weight" in c().get_params())


@pytest.mark.parametrize("name", LEARNERS)
def test_one_class_only_cannot_be_learnt_from(name):
    X, y = example_rows()
    model = quick(CATALOG[name])()
    with pytest.raises(ModelError, match="one class only"):
        model.fit(X, np.zeros_like(y))
    with pytest.raises(ModelError, match="not fitted yet"):
        model.predict_proba(X)
    with pytest.raises(ModelError, match="one class only"):
        model.fit(X, y, np.where(y == 1, 1.0, 0.0))


@pytest.mark.parametrize("name", LEARNERS)
def test_class_weight_balances_what_is_rare(name):
    X, y = example_rows()
    rare = (y != 0) | (np.arange(len(y)) % 8 == 0)
    plain, balanced = (
        quick(CATALOG[name])().set_params(class_weight=w).fit(X[rare], y[rare]).predict_proba(X)
        for w in ("none", "balanced")
    )
    assert balanced[:, 1].mean() > plain[:, 1].mean() + 0.005
    with pytest.raises(ModelError, match="none or balanced"):
        quick(CATALOG[name])().set_params(class_weight="heavy").fit(X, y)
