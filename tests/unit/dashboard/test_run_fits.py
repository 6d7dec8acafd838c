"""How many fits a new run is told to make, against those that trainings make."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from onward.dashboard.views.run_cost import Fits, n_fits
from onward.models.forest import ExtraTreesModel
from onward.models.logistic import LogisticModel
from onward.training.assembly import make_trainer
from onward.training.optimization import OptimizationCoordinator
from onward.training.plan import TrainingPlan
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(400)
N_FOLDS = 3
CHEAP = {"model__name": "logistic", "model__extra": {"max_passes": 3}, "selection__enabled": False}
MEMBERS = {
    "model__name": "logistic",
    "selection__enabled": False,
    "ensemble__members": ["logistic", "extra_trees"],
    "ensemble__parameters__logistic__max_passes": 3,
    "ensemble__parameters__extra_trees__n_trees": 2,
}
STACKING = {**MEMBERS, "ensemble__method": "stacking", "ensemble__meta_parameters": {"max_passes": 3}}
BAGGING = {**CHEAP, "ensemble__method": "bagging", "ensemble__n_estimators": 3}
CALIBRATED = {"training__calibration": "sigmoid", "training__inner_folds": 2}
EXACT: dict[str, dict[str, Any]] = {
    "one model": CHEAP,
    "one model, walk-forward": {**CHEAP, "validation__method": "walk_forward"},
    "one model, calibrated": {**CHEAP, **CALIBRATED},
    "voting": {**MEMBERS, "ensemble__method": "voting"},
    "voting by score": {**MEMBERS, "ensemble__method": "voting", "ensemble__votes": "score"},
    "voting by score, calibrated": {
        **MEMBERS,
        **CALIBRATED,
        "ensemble__method": "voting",
        "ensemble__votes": "score",
    },
    "stacking": STACKING,
    "stacking, calibrated": {**STACKING, **CALIBRATED},
    "bagging": BAGGING,
    "bagging of two, calibrated": {
        **MEMBERS,
        **CALIBRATED,
        "ensemble__method": "bagging",
        "ensemble__n_estimators": 5,
    },
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every fit of a model, whoever makes it; not the few rows on which parameters are tried."""
    fits: list[str] = []
    for chosen in (LogisticModel, ExtraTreesModel):
        fit = chosen.fit_prepared

        def counted(self: Any, prepared: Any, fit: Any = fit) -> Any:
            if threading.current_thread().name != "onward-trial-fit":
                fits.append(type(self).name)
            return fit(self, prepared)

        monkeypatch.setattr(chosen, "fit_prepared", counted)
    return fits


def told(plan: TrainingPlan, *, search: bool, fitted: bool = False) -> Fits:
    found = n_fits(plan.model_dump(mode="json"), N_FOLDS, search=search, fitted=fitted)
    assert found is not None
    return found


@pytest.mark.parametrize("name", EXACT)
def test_as_many_fits_are_made_as_are_told(name: str, made: list[str]) -> None:
    plan = small_plan(**EXACT[name])
    make_trainer(plan, MARKET).train(MARKET)
    assert told(plan, search=False) == Fits(len(made), exact=True)


def test_bags_that_are_scored_with_stages_of_their_own_are_fitted_anew(made: list[str]) -> None:
    plan = small_plan(**{**BAGGING, "selection__enabled": True})
    trainer = make_trainer(plan, MARKET)
    assert trainer.pipeline.fitted
    trainer.train(MARKET)
    found = told(plan, search=False, fitted=True)
    assert not found.exact
    assert 3 * (N_FOLDS + 1) < len(made) <= found.n == 3 * (N_FOLDS + 1) + 3


@pytest.mark.parametrize(
    ("base", "space"),
    [
        (CHEAP, {"model.extra.penalty": {"low": 0.01, "high": 0.5}}),
        ({**CHEAP, **CALIBRATED}, {"model.extra.penalty": {"low": 0.01, "high": 0.5}}),
        (
            {**STACKING, "training__inner_folds": 2},
            {"ensemble.parameters.extra_trees.min_leaf_fraction": {"low": 0.05, "high": 0.2}},
        ),
        (BAGGING, {"ensemble.n_estimators": {"low": 2, "high": 6}}),
    ],
    ids=["one model", "calibrated", "stacking", "number of bags"],
)
def test_a_search_makes_no_more_fits_than_are_told(
    base: dict[str, Any], space: dict[str, Any], made: list[str]
) -> None:
    searched = {
        "optimization.trials": 3,
        "optimization.inner_splits": 2,
        "optimization.pruner": "none",
        "optimization.space": space,
    }
    plan = small_plan(**base).with_overrides(searched)
    OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer).train(MARKET)
    found = told(plan, search=True)
    assert not found.exact
    assert len(made) <= found.n
    if "ensemble.n_estimators" not in space:
        assert len(made) == found.n


def test_nobody_tells_fits_of_folds_that_the_data_decide() -> None:
    assert n_fits(small_plan(**CHEAP).model_dump(mode="json"), None, search=False) is None
