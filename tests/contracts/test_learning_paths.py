"""Every learner x splitter x labeler x sampling under the leak audit: every pair always, all nightly.

What joins a catalogue joins the matrix: models, ensembles, splitters and labelers are read there.
"""

from __future__ import annotations

import inspect
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from onward.config.labels import LabelConfig
from onward.ensembles import CATALOG as ENSEMBLES
from onward.errors import ModelError
from onward.labels import CATALOG as LABELERS
from onward.models import CATALOG as MODELS
from onward.models import model_class
from onward.protocols import Labeler
from onward.splits import CATALOG as SPLITTERS
from onward.testing.learning import audit_learning, check_learning
from onward.testing.markets import planted_signal
from onward.testing.pairs import pairwise_cover
from onward.training.assembly import make_trainer
from onward.training.dataset import Dataset
from onward.training.optimization import OptimizationCoordinator
from onward.training.seam import Trainer
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import FoldOutcome
from onward.types import Fold
from tests.unit.training.small_runs import small_plan

MARKET = planted_signal(420, seed=0, strength=0.004)

QUICK: dict[str, dict[str, Any]] = {
    "mlp": {"n_epochs": 2},
    "random_forest": {"n_trees": 4},
    "extra_trees": {"n_trees": 4},
    "logistic": {"max_passes": 10},
}
"""What makes a model quick that has no boosting rounds; one that is not named here runs as it is."""

MEMBERS = {"ensemble__members": ["lightgbm", "logistic"], "ensemble__parameters__logistic__max_passes": 10}
OF_ENSEMBLE: dict[str, dict[str, Any]] = {
    "bagging": {"ensemble__method": "bagging", "ensemble__n_estimators": 3},
    "stacking": {"ensemble__method": "stacking", "ensemble__passthrough": True, **MEMBERS},
    "voting": {"ensemble__method": "voting", "ensemble__votes": "score", **MEMBERS},
    "calibrated": {"training__calibration": "temperature"},
}
SEARCHES: dict[str, dict[str, Any]] = {
    "search": {"optimization__space": {"model.num_leaves": [2, 8], "model.learning_rate": [0.03, 0.1]}},
    "search of an ensemble": {
        **OF_ENSEMBLE["voting"],
        "ensemble__votes": "equal",
        "optimization__space": {"model.num_leaves": [2, 8], "selection.max_features": [2, 5]},
    },
}
SMALL_SPLITS: dict[str, dict[str, int]] = {
    "purged_kfold": {"n_splits": 3},
    "walk_forward": {"n_splits": 3},
    "combinatorial": {"n_groups": 3, "n_test_groups": 2},
}


def installed(name: str) -> bool:
    try:
        model_class(name)
    except ModelError:
        return False
    return True


CHOICES: dict[str, list[str]] = {
    "learner": [*sorted(filter(installed, MODELS)), *sorted(ENSEMBLES), *SEARCHES],
    "splitter": sorted(SPLITTERS),
    "labeler": sorted(LABELERS),
    "events": ["all", "cusum"],
}
SAMPLE = pairwise_cover(CHOICES)
EVERY = [dict(zip(CHOICES, chosen, strict=True)) for chosen in product(*CHOICES.values())]


def named(case: dict[str, str]) -> str:
    return "-".join(case.values())


def settings_of(learner: str) -> dict[str, Any]:
    if learner in SEARCHES:
        budget = {
            "optimization__trials": 2,
            "optimization__inner_splits": 2,
            "optimization__sampler": "random",
        }
        return SEARCHES[learner] | budget
    if learner in ENSEMBLES:
        # An ensemble that joins the catalogue is a method of plans by its own name.
        return OF_ENSEMBLE.get(learner, {"ensemble__method": learner, **MEMBERS})
    return {"model__name": learner, "model__extra": QUICK.get(learner, {})}


def trainer_of(case: dict[str, str]) -> Trainer:
    labels: dict[str, Any] = {"labels__method": case["labeler"], "labels__horizon_bars": 6}
    if case["events"] == "cusum":
        labels |= {"labels__events": "cusum", "labels__cusum_threshold": 0.4}
    elif "window_bars" not in inspect.signature(LABELERS[case["labeler"]]).parameters:
        labels["labels__window_bars"] = LabelConfig.model_fields["window_bars"].default
    plan = small_plan(
        **settings_of(case["learner"]),
        **labels,
        training__inner_folds=2,
        selection__null_importance=False,
        model__n_rounds=3,
    )
    trainer: Trainer
    if case["learner"] in SEARCHES:
        searcher = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer)
        trainer = searcher.rehearsal(searcher.pipeline)
    else:
        trainer = make_trainer(plan, MARKET)
    trainer.splitter = SPLITTERS[case["splitter"]](**SMALL_SPLITS.get(case["splitter"], {}))
    return trainer


@pytest.mark.parametrize("case", SAMPLE, ids=named)
def test_every_pair_of_choices_keeps_the_future_out(case: dict[str, str]) -> None:
    check_learning(trainer_of(case), MARKET, draws=1)


@pytest.mark.slow
@pytest.mark.parametrize("case", EVERY, ids=named)
def test_every_combination_keeps_the_future_out(case: dict[str, str]) -> None:
    check_learning(trainer_of(case), MARKET, draws=3, futures=("rise", "scramble"))


def test_the_sample_holds_every_pair_and_is_always_the_same() -> None:
    met = {pair for case in SAMPLE for pair in combinations(case.items(), 2)}
    assert met == {pair for case in EVERY for pair in combinations(case.items(), 2)}
    assert pairwise_cover(CHOICES) == SAMPLE
    assert len(SAMPLE) < len(EVERY) / 4


@pytest.mark.parametrize(
    ("choices", "size"),
    [({}, 1), ({"a": ["1", "2"]}, 2), ({"a": ["1"], "b": []}, 0), ({"a": ["1", "2"], "b": ["x", "y"]}, 4)],
)
def test_covers_of_few_kinds(choices: dict[str, list[str]], size: int) -> None:
    assert len(pairwise_cover(choices)) == size


def test_the_suite_finds_a_trainer_that_chooses_on_the_test_and_one_that_skips() -> None:
    class Chooses(SingleModelTrainer):
        def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
            outcomes = []
            for seed in range(4):
                self.seed = 100 * seed
                outcomes.append(super().fit_fold(dataset, labeler, fold))
            return max(outcomes, key=lambda o: np.mean(o.probability.argmax(axis=1) - 1 == o.y))

    case = {"learner": "lightgbm", "splitter": "purged_kfold", "labeler": "triple_barrier", "events": "cusum"}
    honest = trainer_of(case)
    assert isinstance(honest, SingleModelTrainer)
    honest.__class__ = Chooses
    with pytest.raises(AssertionError, match="test_label_perturbation"):
        check_learning(honest, MARKET, draws=4)
    with pytest.raises(AssertionError, match="did not run: \\['perturbation'\\]"):
        check_learning(trainer_of(case), MARKET, futures=())
    assert audit_learning(trainer_of(case), MARKET, draws=1).subject == "SingleModelTrainer"
