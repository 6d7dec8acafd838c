"""A plan's sections and the classes that they configure name the same things with the same defaults."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import Any

import pytest

from onward.config import (
    AutoFeatConfig,
    EnsembleConfig,
    FeaturetoolsConfig,
    FracDiffConfig,
    LabelConfig,
    ModelConfig,
    SelectionConfig,
    TrainingConfig,
    TSFreshConfig,
    ValidationConfig,
)
from onward.config.describe import choices
from onward.ensembles import BOOTSTRAPS, VOTES, CalibratedModel, StackedModel, VotingModel
from onward.ensembles import CATALOG as ENSEMBLES
from onward.features.autofeat.stage import AutoFeatStage
from onward.features.featuretools.stage import FeaturetoolsStage
from onward.features.fracdiff import FracDiffStage
from onward.features.selection.parameters import SelectorParameters
from onward.features.tsfresh.stage import TSFreshStage
from onward.labels.catalog import CATALOG as LABELERS
from onward.models import LightGBMModel
from onward.models.calibration import CALIBRATORS
from onward.splits import CATALOG as SPLITTERS
from onward.splits import PurgedKFold, WalkForward
from onward.training.assembly import make_labeler, make_splitter, make_trainer
from onward.training.model_assembly import OF_METHOD
from onward.training.plan import TrainingPlan
from tests.unit.training.small_runs import small_plan, walk


def defaults(function: Any, *without: str) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: p.default for name, p in parameters.items() if name not in without}


def settings(section: Any, *without: str) -> dict[str, Any]:
    values = section.sealed()
    return {name: getattr(values, name) for name in section.model_fields if name not in without}


def test_the_model_section_is_the_model() -> None:
    assert settings(ModelConfig, "name", "extra") == defaults(LightGBMModel, "seed", "n_threads")
    assert ModelConfig.sealed().name == LightGBMModel.name


def test_the_ensemble_section_is_the_ensembles() -> None:
    section = settings(EnsembleConfig)
    methods = choices(EnsembleConfig.model_fields["method"].annotation)
    assert set(methods) == {"none", *ENSEMBLES} - {CalibratedModel.name}
    assert set(OF_METHOD) == set(methods)
    assert {name for names in OF_METHOD.values() for name in names} == set(section) - {"method"}
    for method, names in OF_METHOD.items():
        if method != "none":
            taken = defaults(ENSEMBLES[method])
            own = set(names) - {"members", "parameters", "out_of_bag"}
            assert own <= set(taken)
            assert all((section[name] or None) == (taken[name] or None) for name in own)
            assert set(taken) - own == {"members", "parameters", "seed", "n_threads"} | (
                set(taken) & {"n_folds"}
            )
    assert choices(EnsembleConfig.model_fields["votes"].annotation) == VOTES
    assert choices(EnsembleConfig.model_fields["bootstrap"].annotation) == BOOTSTRAPS


def test_calibration_and_inner_folds_are_those_of_the_classes() -> None:
    assert choices(TrainingConfig.model_fields["calibration"].annotation) == tuple(CALIBRATORS)
    folds = TrainingConfig.sealed().inner_folds
    for ensemble in (StackedModel, VotingModel, CalibratedModel):
        assert defaults(ensemble)["n_folds"] == folds
    assert make_trainer(small_plan(), walk(60)).inner == PurgedKFold(folds)


def test_the_selection_section_is_the_selector() -> None:
    expected = asdict(SelectorParameters())
    del expected["n_threads"]
    assert settings(SelectionConfig, "enabled") == expected


@pytest.mark.parametrize(
    ("section", "stage"),
    [(TSFreshConfig, TSFreshStage), (FeaturetoolsConfig, FeaturetoolsStage), (FracDiffConfig, FracDiffStage)],
)
def test_the_section_of_a_generating_stage_is_the_stage(section: Any, stage: Any) -> None:
    expected = defaults(stage.for_market, "market", "unknown")
    if section is TSFreshConfig:
        expected["parameters"] = {}  # an empty dictionary means the set
    assert settings(section) == expected


def test_the_autofeat_section_is_the_stage() -> None:
    assert settings(AutoFeatConfig) == defaults(AutoFeatStage, "generated_only")


def test_the_label_section_is_the_labeler() -> None:
    for method in choices(LabelConfig.model_fields["method"].annotation):
        assert make_labeler(TrainingPlan(labels={"method": method})) == LABELERS[method]()


def test_the_validation_section_is_the_splitters() -> None:
    for method in choices(ValidationConfig.model_fields["method"].annotation):
        plan = TrainingPlan(validation={"method": method})
        assert type(make_splitter(plan)) is SPLITTERS[method]
    assert ValidationConfig.sealed().n_splits == PurgedKFold().n_splits == WalkForward().n_splits
    assert ValidationConfig.sealed().embargo == PurgedKFold().embargo


@pytest.mark.parametrize("embargo", [None, 0, 12, "90m", "36h", "3d", "2w", "30s"])
def test_every_embargo_that_a_plan_takes_reaches_the_splitter(embargo: int | str | None) -> None:
    splitter = make_splitter(small_plan(validation__embargo=embargo))
    assert isinstance(splitter, PurgedKFold)
    assert splitter.embargo == embargo


def test_walk_forward_is_expanding_or_rolling() -> None:
    expanding = make_splitter(small_plan(validation__method="walk_forward"))
    assert isinstance(expanding, WalkForward)
    assert (expanding.n_splits, expanding.window) == (3, None)
    rolling = {"validation__window": "rolling", "validation__window_bars": 500}
    splitter = make_splitter(small_plan(validation__method="walk_forward", **rolling))
    assert isinstance(splitter, WalkForward)
    assert splitter.window == 500


@pytest.mark.parametrize("length", [336, "14d", "2w", "90m"])
def test_a_retraining_schedule_reaches_the_splitter(length: int | str) -> None:
    given = {"window": length, "step": length, "initial": length, "min_train_rows": 7}
    values = {f"validation__{name}": value for name, value in given.items()}
    splitter = make_splitter(small_plan(validation__method="walk_forward", **values))
    assert splitter == WalkForward(step=length, window=length, initial=length, min_train_rows=7)
