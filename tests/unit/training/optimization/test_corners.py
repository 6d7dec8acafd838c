"""Values that a search would hand over to its models are tried at their ends before it begins."""

from __future__ import annotations

import time
from typing import Any

import pytest

from onward.errors import PlanError
from onward.testing.markets import planted_signal
from onward.training.assembly import make_trainer
from onward.training.optimization import OptimizationCoordinator, corners
from onward.training.optimization.corners import require_corners
from onward.training.optimization.space import Space
from tests.unit.training.small_runs import small_plan

PENALTY = "model.extra.penalty"


def space(table: dict[str, Any], **settings: Any) -> Space:
    return Space.of(small_plan(optimization__trials=4, optimization__space=table, **settings))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"low": -1, "high": 1}, "-1"),
        ({"low": -1.0, "high": 0.5}, "-1.0"),
        ([0.1, "strong"], "'strong'"),
        ([0.1, 0.2, None], "None"),
    ],
)
def test_an_end_that_the_model_does_not_take_is_refused(spec: Any, told: str) -> None:
    with pytest.raises(PlanError) as caught:
        require_corners(space({PENALTY: spec}, model__name="logistic"))
    error = caught.value
    assert f"optimization.space: the model 'logistic' cannot learn with {PENALTY} = {told}" in error.what
    assert error.settings == ("optimization.space", "model.extra")
    assert error.got
    assert error.remedy


@pytest.mark.parametrize("spec", [{"low": 0.005, "high": 0.5, "log": True}, [0.1, 1, 10]])
def test_ends_that_it_takes_are_none_of_our_business(spec: Any) -> None:
    require_corners(space({PENALTY: spec}, model__name="logistic"))


def test_a_value_is_refused_beside_no_model_that_takes_the_parameter() -> None:
    table = {"model.name": ["logistic", "prior"], PENALTY: {"low": -1, "high": 1}}
    with pytest.raises(PlanError, match="penalty = -1"):
        require_corners(space(table))
    require_corners(space({**table, PENALTY: {"low": 0.1, "high": 1}}))


def test_members_of_ensembles_and_what_joins_them_are_tried_too() -> None:
    votes: dict[str, Any] = {"ensemble__method": "voting", "ensemble__members": ["logistic", "prior"]}
    with pytest.raises(PlanError, match="penalty = -1"):
        require_corners(space({"ensemble.parameters.logistic.penalty": {"low": -1, "high": 1}}, **votes))


def test_corners_are_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corners, "SECONDS", -1.0)
    began = time.monotonic()
    require_corners(space({PENALTY: {"low": -1, "high": 1}}, model__name="logistic"))
    assert time.monotonic() - began < 5


def test_a_search_with_such_an_end_is_refused_before_it_begins() -> None:
    plan = small_plan(
        model__name="logistic",
        optimization__trials=4,
        optimization__space={PENALTY: {"low": -1, "high": 1}},
    )
    with pytest.raises(PlanError, match="penalty = -1"):
        OptimizationCoordinator(plan, planted_signal(600), make_trainer=make_trainer)
