"""Spaces: what is read from a plan, what is refused before any work, which values a trial has a use for."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from onward.errors import PlanError
from onward.training.optimization.defaults import DEFAULT_SPACES, default_space
from onward.training.optimization.parameters import Choice, Range
from onward.training.optimization.reading import read_parameters
from onward.training.optimization.requests import asks_for_search, with_search
from onward.training.optimization.space import Space
from onward.training.optimization.values import read_value, with_values
from onward.training.plan import TrainingPlan

optuna.logging.set_verbosity(optuna.logging.ERROR)


def plan_of(space: dict[str, Any], **values: Any) -> TrainingPlan:
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return TrainingPlan().with_overrides({"optimization.trials": 4, "optimization.space": space, **changes})


def drawn(space: Space, n_trials: int = 30) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    found = []
    for _ in range(n_trials):
        trial = study.ask()
        found.append(space.draw(trial))
        study.tell(trial, 0.0)
    return found


def test_choices_and_ranges_are_read_from_nested_tables_and_dotted_names_alike() -> None:
    dotted = {
        "model.num_leaves": {"low": 2, "high": 32, "log": True},
        "labels.horizon_bars": [12, 24],
        "selection.max_features": {"low": 10, "high": 60, "step": 10},
        "model.learning_rate": {"low": 0.01, "high": 0.1},
    }
    nested: dict[str, Any] = {"model": {}, "labels": {}, "selection": {}}
    for path, spec in dotted.items():
        section, _, name = path.partition(".")
        nested[section][name] = spec
    assert read_parameters(dotted) == read_parameters(nested)
    by_path = {parameter.path: parameter for parameter in read_parameters(dotted)}
    assert by_path["labels.horizon_bars"] == Choice("labels.horizon_bars", (12, 24))
    assert by_path["model.num_leaves"] == Range("model.num_leaves", 2, 32, log=True, whole=True)
    assert by_path["model.learning_rate"] == Range("model.learning_rate", 0.01, 0.1)
    assert by_path["selection.max_features"].size == 6


def test_a_plan_file_names_a_space(tmp_path: Any) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[optimization]\ntrials = 3\n[optimization.space]\n"model.num_leaves" = { low = 2, high = 8 }\n'
        '"features.manual.without" = [[], ["market"]]\n'
    )
    plan = TrainingPlan.from_file(file)
    again = tmp_path / "again.toml"
    again.write_text(plan.to_toml())
    assert TrainingPlan.from_file(again) == plan
    space = Space.of(plan)
    assert [parameter.path for parameter in space.parameters] == [
        "features.manual.without",
        "model.num_leaves",
    ]
    assert {str(values["features.manual.without"]) for values in drawn(space)} == {"[]", "['market']"}


def test_a_level_that_holds_dots_is_quoted_or_stands_in_its_table() -> None:
    own = "package.stages:Shape"
    dotted = {f'features.options."{own}".window': [5, 9], "features.stages": [["manual"], ["manual", own]]}
    nested = {"features": {"options": {own: {"window": [5, 9]}}, "stages": dotted["features.stages"]}}
    assert read_parameters(dotted) == read_parameters(nested)
    space = Space.of(plan_of(dotted, features__stages=["manual", own]))
    path = f'features.options."{own}".window'
    assert [parameter.path for parameter in space.parameters] == ["features.stages", path]
    for values in drawn(space):
        plan = space.plan_with(values)
        assert (path in values) == (own in plan.features.stages)
        if path in values:
            assert plan.features.options[own] == {"window": values[path]}
            assert read_value(plan, path) == values[path]
    assert read_value(space.plan, path) is None


def test_a_quote_that_is_not_closed_is_refused() -> None:
    with pytest.raises(PlanError, match="quotes") as caught:
        Space.of(plan_of({'model.extra."depth': [2, 4]}))
    assert "optimization.space" in caught.value.what


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"model.num_leafs": [2, 4]}, "model.num_leaves"),
        ({"modell.num_leaves": [2, 4]}, "model.num_leaves"),
        ({"validation.n_splits": [3, 5]}, "not for a search to vary"),
        ({"training.seed": [1, 2]}, "not for a search to vary"),
        ({"model.num_leaves": []}, "empty"),
        ({"model.num_leaves": [4]}, "nothing to choose"),
        ({"model.num_leaves": [4, 4]}, "nothing to choose"),
        ({"model.num_leaves": [4, 8, 4]}, "twice"),
        ({"model.num_leaves": 4}, "single value"),
        ({"model.num_leaves": {"low": 8, "high": 2}}, "Exchange"),
        ({"model.num_leaves": {"low": 8, "high": 8}}, "single value"),
        ({"model.num_leaves": {"low": 2}}, "needs high"),
        ({"model.num_leaves": {"low": 2, "hihg": 8}}, "high"),
        ({"model.num_leaves": {"low": 2, "high": 8, "choices": [2, 8]}}, "contradict"),
        ({"model.num_leaves": {"low": 1, "high": 8}}, ">= 2"),
        ({"model.num_leaves": {"low": 2.5, "high": 8}}, "whole"),
        ({"model.num_leaves": {"low": "two", "high": 8}}, "not a number"),
        ({"model.num_leaves": {"low": 2, "high": 8, "step": 7}}, "step"),
        ({"model.num_leaves": {"low": 2, "high": 8, "step": 2, "log": True}}, "steps"),
        ({"model.learning_rate": {"low": 0.0, "high": 0.1}}, "learning_rate"),
        ({"selection.range_share": {"low": 0.0, "high": 0.5, "log": True}}, "begin above 0"),
        ({"labels.multiplier": [0.4, -1.0]}, "multiplier"),
        ({"labels.mode": {"low": 1, "high": 2}}, "not a number"),
        ({"labels.mode": ["volatility", "volatile"]}, "volatility"),
        ({"model.name": ["lightgbm", "lightgmb"]}, "lightgbm"),
        ({"model.extra_trees": {"low": 0, "high": 1}}, "list"),
    ],
)
def test_spaces_that_cannot_be_are_refused_with_the_repair(space: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        Space.of(plan_of(space))


@pytest.mark.parametrize(
    ("space", "values", "decides"),
    [
        ({"model.num_leaves": [4, 8]}, {"model__name": "logistic"}, "model.name"),
        ({"labels.profit": [0.5, 1.0]}, {}, "labels.method"),
        ({"labels.quantile": [0.2, 0.3]}, {}, "labels.mode"),
        ({"selection.max_features": [10, 20]}, {"selection__enabled": False}, "selection.enabled"),
        (
            {"features.tsfresh.set": ["minimal", "financial"]},
            {"features__stages": ["manual"]},
            "features.stages",
        ),
        ({"ensemble.n_estimators": [5, 10]}, {}, "ensemble.method"),
    ],
)
def test_a_parameter_that_no_trial_has_a_use_for_is_refused(
    space: dict[str, Any], values: dict[str, Any], decides: str
) -> None:
    with pytest.raises(PlanError, match="no trial has a use for") as refused:
        Space.of(plan_of(space, **values))
    assert decides in str(refused.value.remedy)


def test_values_that_contradict_each_other_are_refused_before_any_trial() -> None:
    space = {"labels.window_bars": [48, 200], "labels.horizon_bars": [24, 96]}
    with pytest.raises(PlanError, match="contradict the plan"):
        Space.of(plan_of(space, labels__mode="adaptive"))
    Space.of(
        plan_of({"labels.window_bars": [120, 200], "labels.horizon_bars": [24, 96]}, labels__mode="adaptive")
    )


def test_a_trial_draws_what_it_has_a_use_for_and_its_plan_is_that_of_overrides() -> None:
    space = Space.of(
        plan_of(
            {
                "labels.method": ["threshold", "triple_barrier"],
                "labels.multiplier": {"low": 0.3, "high": 0.6},
                "labels.profit": {"low": 0.5, "high": 1.5},
                "model.name": ["lightgbm", "logistic"],
                "model.num_leaves": {"low": 2, "high": 8},
                "selection.enabled": [True, False],
                "selection.max_features": {"low": 10, "high": 60, "step": 10},
            }
        )
    )
    seen = drawn(space)
    for values in seen[:4]:
        assert space.plan_with(values) == space.plan.with_overrides(values)
    for values in seen:
        assert ("labels.profit" in values) == (values["labels.method"] == "triple_barrier")
        assert ("labels.multiplier" in values) == (values["labels.method"] == "threshold")
        assert ("model.num_leaves" in values) == (values["model.name"] == "lightgbm")
        assert ("selection.max_features" in values) == values["selection.enabled"]
    assert len({values["labels.method"] for values in seen}) == 2


def test_the_plan_as_it_was_written_is_a_trial_when_it_lies_inside() -> None:
    inside = Space.of(plan_of({"model.num_leaves": {"low": 2, "high": 8}, "labels.horizon_bars": [12, 24]}))
    assert inside.own_values() == {"labels.horizon_bars": "24", "model.num_leaves": 4}
    assert Space.of(plan_of({"labels.horizon_bars": [6, 12]})).own_values() is None
    assert Space.of(plan_of({"model.num_leaves": {"low": 2, "high": 11, "step": 3}})).own_values() is None


def test_a_small_space_is_gone_through_and_repeats_nothing() -> None:
    space = Space.of(
        plan_of(
            {
                "selection.enabled": [True, False],
                "selection.max_features": {"low": 10, "high": 30, "step": 10},
                "model.num_leaves": [2, 4],
            }
        )
    )
    assert space.size == 12
    found = space.combinations()
    assert len(found) == 2 * (3 + 1)
    assert len({str(one) for one in found}) == len(found)


@pytest.mark.parametrize("model", sorted(DEFAULT_SPACES))
def test_every_default_space_is_one_that_its_model_takes(model: str) -> None:
    pytest.importorskip({"xgboost": "xgboost", "catboost": "catboost"}.get(model, "sklearn"))
    plan = TrainingPlan().with_overrides({"optimization.trials": 2, "model.name": model})
    space = Space.of(plan)
    assert {parameter.path for parameter in space.parameters} == set(default_space([model]))
    for values in drawn(space, 5):
        space.plan_with(values)


def test_models_without_a_space_of_their_own_and_ensembles_have_one() -> None:
    assert set(default_space(["prior"])) == {"selection.max_features"}
    together = default_space(["lightgbm", "logistic", "extra_trees"])
    assert "model.num_leaves" in together
    assert not any(".extra." in path for path in together)
    plan = TrainingPlan().with_overrides(
        {
            "optimization.trials": 2,
            "ensemble.method": "voting",
            "ensemble.members": ["lightgbm", "extra_trees"],
        }
    )
    assert {p.path for p in Space.of(plan).parameters} == set(default_space(["lightgbm", "extra_trees"]))


def test_values_below_free_tables_are_set_and_read() -> None:
    plan = with_values(TrainingPlan(), {"model.extra.depth": 3, "model.name": "catboost"})
    assert plan.model.extra == {"depth": 3}
    assert read_value(plan, "model.extra.depth") == 3
    assert read_value(plan, "model.extra.border_count") is None


def test_trials_make_a_search_and_a_space_alone_does_not() -> None:
    assert not asks_for_search(TrainingPlan())
    assert asks_for_search(TrainingPlan().with_overrides({"optimization.trials": 1}))
    assert not asks_for_search(
        TrainingPlan().with_overrides({"optimization.space": {"model.num_leaves": [2, 4]}})
    )
    assert not asks_for_search(TrainingPlan().with_overrides({"optimization.seconds": 60}))
    with pytest.raises(PlanError, match="there is nothing to choose"):
        asks_for_search(TrainingPlan().with_overrides({"optimization.space": {"model.num_leaves": [2]}}))


def test_a_budget_of_nothing_is_refused() -> None:
    for budget in ({"trials": 0}, {"seconds": 0.0}, {"trials": -3}):
        with pytest.raises(PlanError, match="the budget of a search is nothing"):
            with_search(TrainingPlan(), **budget)
    assert with_search(TrainingPlan()).optimization.trials == 40
    assert with_search(TrainingPlan(), trials=7, seconds=60.0).optimization.seconds == 60.0
    kept = TrainingPlan().with_overrides({"optimization.trials": 3})
    assert with_search(kept) is kept


@pytest.mark.parametrize(
    ("path", "values", "decides", "plan"),
    [
        ("selection.n_null", [10, 20], "selection.null_importance", {"selection.null_importance": False}),
        ("selection.z", [1.0, 2.0], "selection.enabled", {"selection.enabled": False}),
        ("labels.quantile", [0.2, 0.4], "labels.mode", {}),
        ("labels.tie", ["stop", "drop"], "labels.price", {"labels.method": "triple_barrier"}),
    ],
)
def test_a_parameter_behind_a_switch_needs_the_switch(
    path: str, values: list[Any], decides: str, plan: dict[str, Any]
) -> None:
    own = TrainingPlan().with_overrides(plan)
    with pytest.raises(PlanError, match=f"no trial has a use for {path}") as caught:
        Space.of(own.with_overrides({"optimization.space": {path: values}}))
    assert caught.value.got is not None
    assert caught.value.got.startswith(f"{decides} = ")


def test_a_switch_that_varies_is_drawn_before_what_it_switches() -> None:
    space = {"selection.n_null": [10, 20], "selection.null_importance": [True, False]}
    plan = TrainingPlan().with_overrides(
        {"selection.null_importance": False, "optimization.space": space, "optimization.trials": 9}
    )
    searched = Space.of(plan)
    assert [p.path for p in searched.parameters] == ["selection.null_importance", "selection.n_null"]
    drawn = searched.combinations()
    assert len(drawn) == 3
