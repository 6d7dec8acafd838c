"""Feature stages of a plan: membership and order come from the settings, refusals name them."""

from __future__ import annotations

import pytest

from onward.errors import PlanError
from onward.features.autofeat import AutoFeatStage
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.training.assembly import plan_cautions
from onward.training.plan import PRESETS, TrainingPlan
from onward.training.stages import make_pipeline, make_selector, unused_stage_options
from tests.unit.training.small_runs import walk

MARKET = walk(300)


def plan_of(*stages: str, **features: object) -> TrainingPlan:
    return TrainingPlan(features={"stages": list(stages), **features})


def test_fitted_parts_follow_the_causal_ones_and_the_selector_is_last() -> None:
    pipeline = make_pipeline(plan_of("autofeat", "alpha158", "manual"), MARKET)
    assert [stage.name for stage in pipeline.causal] == ["alpha158", "manual"]
    assert [type(stage) for stage in pipeline.fitted] == [AutoFeatStage, AdvancedFeatureSelector]


def test_options_of_autofeat_arrive() -> None:
    plan = plan_of("manual", "autofeat", autofeat={"max_inputs": 5, "on_failure": "skip", "max_gb": 1.5})
    stage = make_pipeline(plan, MARKET).fitted[0]
    assert isinstance(stage, AutoFeatStage)
    assert (stage.parameters.max_inputs, stage.parameters.on_failure, stage.parameters.max_gb) == (
        5,
        "skip",
        1.5,
    )


def test_without_selection_nothing_is_fitted() -> None:
    plan = TrainingPlan(selection={"enabled": False}, features={"tsfresh": {"relevance": False}})
    assert [stage.name for stage in make_pipeline(plan, MARKET).causal] == [
        "manual",
        "tsfresh",
        "featuretools",
    ]
    assert make_pipeline(plan, MARKET).fitted == ()
    assert make_selector(plan) is None


@pytest.mark.parametrize("name", ["selection", "advanced_selection", "tsfresh_relevance"])
def test_steps_with_a_place_of_their_own_are_no_stages(name: str) -> None:
    with pytest.raises(PlanError, match="place of its own"):
        make_pipeline(plan_of("manual", name), MARKET)


@pytest.mark.parametrize(
    ("stages", "options", "message"),
    [
        (("autofeat",), {}, "no causal stage"),
        (("manul",), {}, "Did you mean 'manual'"),
        (
            ("manual",),
            {"options": {"manual": {"families": ["price"]}}},
            r"section of its own.*features\.manual",
        ),
        (("manual",), {"options": {"sessions": {}}}, "does not take part"),
        (("manual", "alpha158"), {"options": {"alpha158": {"window": 3}}}, "has no options"),
        (("manual", "autofeat"), {"autofeat": {"transformations": ["lg"]}}, r"features\.autofeat.*'log'"),
    ],
)
def test_plans_that_cannot_be_carried_out_are_refused(
    stages: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        make_pipeline(plan_of(*stages, **options), MARKET)


def test_options_of_stages_that_do_not_take_part_are_said() -> None:
    plan = plan_of(
        "manual",
        tsfresh={"windows": [12], "relevance": False},
        manual={"without": ["temporal"]},
        featuretools={"max_depth": 3},
    )
    (said,) = unused_stage_options(plan)
    assert "'tsfresh' does not take part (features.stages: manual)" in said
    assert "features.tsfresh.windows, features.tsfresh.relevance for nothing" in said
    assert "Name it in features.stages" in said
    assert said in plan_cautions(plan, MARKET)
    assert make_pipeline(plan, MARKET).causal[0].name == "manual"


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_set_nothing_for_nothing(preset: str) -> None:
    assert unused_stage_options(TrainingPlan.preset(preset)) == ()
