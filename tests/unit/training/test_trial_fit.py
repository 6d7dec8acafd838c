"""Parameters that a plan hands over to its model are refused before a job is started, not while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from onward.errors import PlanError
from onward.models import CATALOG, PriorModel
from onward.training import trial_fit
from onward.training.assembly import make_model
from onward.training.trial_fit import check_values
from tests.unit.training.small_runs import small_plan

OF_PLAN = {"name", "seed", "n_threads", *type(small_plan().model).model_fields}
OWN = [
    (name, parameter)
    for name, model in sorted(CATALOG.items())
    for parameter in sorted(set(model().get_params()) - OF_PLAN)
]
"""Parameters that one model alone has, by model: those of every model of the catalog."""


def refused(**settings: Any) -> PlanError:
    with pytest.raises(PlanError) as caught:
        make_model(small_plan(**settings))
    return caught.value


@pytest.mark.parametrize("value", [{}, [], {"a": 1}, True], ids=repr)
@pytest.mark.parametrize(("model", "parameter"), OWN, ids=".".join)
def test_every_model_refuses_values_of_another_kind(model: str, parameter: str, value: object) -> None:
    error = refused(model__name=model, model__extra={parameter: value})
    assert error.settings == ("model.extra",)
    assert f"model.extra.{parameter} = {value!r}" in error.what
    assert error.got
    assert error.allowed
    assert error.remedy


@pytest.mark.parametrize(("model", "parameter"), OWN, ids=".".join)
def test_every_model_takes_its_own_defaults(model: str, parameter: str) -> None:
    value = CATALOG[model]().get_params()[parameter]
    assert make_model(small_plan(model__name=model, model__extra={parameter: value}))(0) is not None


@pytest.mark.parametrize("model", sorted({model for model, _ in OWN}))
def test_every_model_refuses_numbers_below_its_range(model: str) -> None:
    for parameter in (own for name, own in OWN if name == model and own != "column"):
        error = refused(model__name=model, model__extra={parameter: -1})
        assert f"model.extra.{parameter} = -1" in error.what


def test_a_parameter_without_a_value_is_refused_where_the_library_would_take_its_own() -> None:
    error = refused(model__name="catboost", model__extra={"depth": None})
    assert error.what == "the model 'catboost' cannot learn with model.extra.depth = None"
    assert error.allowed == "a value like the default, 2"


def test_one_of_several_is_named_and_the_models_own_range_told() -> None:
    error = refused(model__name="logistic", model__extra={"l1_ratio": 0.1, "penalty": -1.0})
    assert "model.extra.penalty = -1.0" in error.what
    assert "l1_ratio" not in str(error)
    assert error.allowed == "a number of at least 0"
    assert error.remedy == "Change or remove model.extra.penalty."


def test_a_network_that_takes_the_memory_of_the_machine_is_never_made() -> None:
    error = refused(model__name="mlp", model__extra={"hidden_units": 10**9})
    assert error.allowed == "1 to 8 layers of 1 to 1,024 units"
    refused(model__name="mlp", model__extra={"hidden_units": [4] * 9})
    make_model(small_plan(model__name="mlp", model__extra={"hidden_units": [8, 4]}))


def test_members_of_ensembles_and_what_joins_them_are_tried_too() -> None:
    votes: dict[str, Any] = {"ensemble__method": "voting", "ensemble__members": ["logistic", "prior"]}
    error = refused(**votes, ensemble__parameters={"logistic": {"penalty": "x"}})
    assert error.settings == ("ensemble.parameters.logistic",)
    stack = votes | {"ensemble__method": "stacking", "ensemble__meta": "logistic"}
    error = refused(**stack, ensemble__meta_parameters={"penalty": -1})
    assert error.settings == ("ensemble.meta_parameters",)


def test_a_column_is_not_known_before_there_are_features() -> None:
    make_model(small_plan(model__name="momentum", model__extra={"column": "manual__return_5"}))


def test_nothing_is_tried_without_parameters_of_ones_own_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[object] = []
    fit = trial_fit._fit
    monkeypatch.setattr(trial_fit, "_fit", lambda *told: (tried.append(told), fit(*told)))
    make_model(small_plan(model__name="logistic"))
    assert not tried
    for _ in range(3):
        make_model(small_plan(model__name="logistic", model__extra={"penalty": 0.0321}))
    assert len(tried) == 1


class Slow(PriorModel):
    """Learns for longer than anybody waits."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    def _fit(self, *told: Any) -> None:
        time.sleep(self.pause)
        super()._fit(*told)


class Blind(PriorModel):
    """Cannot learn from a few rows, whatever its parameters."""

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth

    def _fit(self, *told: Any) -> None:
        raise ValueError("too few rows")


class Lost(PriorModel):
    """Finds no probabilities at some depths."""

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth

    def _probabilities(self, values: Any) -> Any:
        return super()._probabilities(values) * (np.nan if self.depth > 5 else 1.0)


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trial_fit, "SECONDS", 0.2)
    yield
    trial_fit._tried.cache_clear()


@pytest.mark.usefixtures("short_wait")
def test_a_slow_model_is_not_waited_for() -> None:
    began = time.monotonic()
    check_values(Slow, {"pause": 20.0}, {"pause": 20.0}, "model.extra")
    assert time.monotonic() - began < 15


def test_a_model_that_cannot_learn_from_few_rows_anyway_is_left_to_its_job() -> None:
    check_values(Blind, {"depth": 3}, {"depth": 3}, "model.extra")


def test_probabilities_that_are_no_numbers_are_no_learning() -> None:
    with pytest.raises(PlanError, match="its probabilities are no numbers"):
        check_values(Lost, {"depth": 7}, {"depth": 7}, "model.extra")
