"""Searches whose inner folds cannot be cut are refused before a feature is computed."""

from __future__ import annotations

from typing import Any

import pytest

from onward.errors import ModelError, OnwardError, SplitError
from onward.features.pipeline import FeaturePipeline
from onward.training.assembly import make_trainer
from onward.training.optimization import OptimizationCoordinator
from onward.training.plan import TrainingPlan
from onward.types import Market
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
SPACE = {"model.num_leaves": [2, 4]}


class Untouched(FeaturePipeline):
    """A pipeline that computes nothing."""

    def compute(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("features were computed")


def make_untouched(plan: TrainingPlan, market: Market) -> Any:
    trainer = make_trainer(plan, market)
    trainer.pipeline.__class__ = Untouched
    return trainer


def refused(**values: Any) -> OnwardError:
    plan = small_plan(
        **{"optimization__trials": 2, "optimization__space": SPACE, "validation__n_splits": 3, **values}
    )
    with pytest.raises(OnwardError) as caught:
        OptimizationCoordinator(plan, MARKET, make_trainer=make_untouched).train(MARKET)
    assert caught.value.remedy is not None
    return caught.value


def test_inner_folds_that_purging_empties() -> None:
    error = refused(labels__horizon_bars=50)
    assert isinstance(error, SplitError)
    assert "the search inside fold 0" in error.what
    assert "optimization.inner_splits" in str(error)


def test_folds_inside_inner_folds() -> None:
    values = {"labels__horizon_bars": 24, "training__inner_folds": 2, "optimization__inner_splits": 3}
    error = refused(ensemble__method="stacking", ensemble__members=["lightgbm", "logistic"], **values)
    assert isinstance(error, SplitError)
    assert "training rows" in str(error.got)


def test_calibration_on_too_few_outcomes_of_an_inner_fold() -> None:
    assert isinstance(refused(training__calibration="isotonic"), ModelError)


def test_a_horizon_that_cannot_be_judged_is_no_reason_when_a_shorter_one_can() -> None:
    space = {"labels.horizon_bars": [6, 50]}
    plan = small_plan(optimization__trials=2, optimization__space=space, labels__horizon_bars=50)
    with pytest.raises(AssertionError, match="features were computed"):
        OptimizationCoordinator(plan, MARKET, make_trainer=make_untouched).train(MARKET)
