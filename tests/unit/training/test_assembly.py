"""A plan becomes the objects that it asks for, or is refused before any work is done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onward.errors import PlanError
from onward.features.manual import ManualFeaturesStage
from onward.features.manual.catalog import GROUPS
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.parameters import SelectorParameters
from onward.labels import ThresholdLabeler
from onward.models import LightGBMModel, MeanReversionModel, PriorModel
from onward.training.assembly import (
    make_labeler,
    make_model,
    make_pipeline,
    make_selector,
    make_trainer,
    plan_cautions,
)
from onward.training.plan import TrainingPlan
from onward.training.single_model import SingleModelTrainer
from tests.unit.training.small_runs import panel, planted, small_plan, walk

MARKET = walk(300)


def families(plan: TrainingPlan) -> tuple[str, ...]:
    stage = make_pipeline(plan, MARKET).causal[0]
    assert isinstance(stage, ManualFeaturesStage)
    return stage.families


def test_every_value_of_the_plan_arrives() -> None:
    plan = TrainingPlan(
        labels={"mode": "quantile", "horizon_bars": 7, "quantile": 0.4},
        selection={"max_features": 9, "z": 2.0, "n_shifts": 33, "range_share": 0.5},
        model={"n_rounds": 9, "num_leaves": 7, "balance_directions": False},
        training={"seed": 5, "n_threads": 2},
        evaluation={"n_shifts": 123},
    )
    trainer = make_trainer(plan, MARKET)
    assert isinstance(trainer, SingleModelTrainer)
    assert trainer.labeler == ThresholdLabeler(horizon_bars=7, mode="quantile", quantile=0.4)
    selector = trainer.pipeline.fitted[-1]
    assert isinstance(selector, AdvancedFeatureSelector)
    assert selector.parameters == SelectorParameters(
        max_features=9, z=2.0, n_shifts=33, range_share=0.5, n_threads=2
    )
    assert (trainer.seed, trainer.n_shifts) == (5, 123)
    model = trainer.new_model(77)
    assert isinstance(model, LightGBMModel)
    expected = LightGBMModel(n_rounds=9, num_leaves=7, balance_directions=False, seed=77, n_threads=2)
    assert model.get_params() == expected.get_params()


def test_threads_are_the_models_business_when_the_plan_does_not_say() -> None:
    model = make_model(TrainingPlan())(0)
    assert isinstance(model, LightGBMModel)
    assert model.get_params() == LightGBMModel().get_params()


def test_a_model_gets_the_parameters_that_it_has_and_the_rest_is_told() -> None:
    plan = TrainingPlan(model={"name": "mean_reversion", "extra": {"stretch": 2.0}})
    model = make_model(plan)(3)
    assert isinstance(model, MeanReversionModel)
    assert model.stretch == 2.0
    assert plan_cautions(plan, MARKET) == ()
    plan = TrainingPlan(model={"name": "prior", "n_rounds": 7, "num_leaves": 9})
    assert isinstance(make_model(plan)(0), PriorModel)
    (sentence,) = plan_cautions(plan, MARKET)
    assert "'prior' has no use for model.n_rounds, model.num_leaves" in sentence


def test_no_selection_and_few_places() -> None:
    assert make_selector(small_plan(selection__enabled=False)) is None
    few = make_selector(small_plan(selection__max_features=3))
    assert few is not None
    assert (few.parameters.max_features, few.parameters.min_features) == (3, 3)


def test_families_and_groups_are_switched_off_by_name() -> None:
    everything = families(TrainingPlan())
    without = families(TrainingPlan(features={"manual": {"without": ["technical", "price"]}}))
    assert set(everything) - set(without) == {"price", *GROUPS["technical"]}
    only = {"families": ["technical", "price"], "without": ["trend"]}
    assert families(TrainingPlan(features={"manual": only})) == (
        "price",
        "oscillators",
        "levels",
        "divergence",
    )


def test_stages_come_in_plan_order_with_their_options() -> None:
    plan = small_plan(
        features__stages=["alpha158", "manual"], features__manual__options={"returns": {"windows": [5]}}
    )
    alpha, manual = make_pipeline(plan, MARKET).causal
    assert (alpha.name, manual.name) == ("alpha158", "manual")
    plain = make_pipeline(small_plan(), MARKET).causal[0]
    assert set(manual.columns()) < set(plain.columns()) | {"manual__return_5", "manual__log_return_5"}
    assert len(manual.columns()) < len(plain.columns())


def test_a_panel_gets_what_compares_symbols() -> None:
    stage = make_pipeline(TrainingPlan(), panel(120)).causal[0]
    assert isinstance(stage, ManualFeaturesStage)
    assert "cross_asset" in stage.families
    assert set(stage.series) == {"mood", "funding_rate"}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"model.name": "lightgmb"}, ["model.name", "Did you mean 'lightgbm'?", "prior"]),
        ({"model.extra.num_leafs": 7}, ["num_leafs", "Did you mean num_leaves?"]),
        ({"model.extra.num_leaves": 7}, ["of its own", "Set model.num_leaves"]),
        ({"model.extra.seed": 7}, ["Set training.seed"]),
        ({"model.extra.n_threads": 7}, ["Set training.n_threads"]),
        ({"features.stages": ["manuel"]}, ["features.stages", "Did you mean 'manual'?"]),
        ({"features.stages": ["nowhere:Stage"]}, ["features.stages", "nowhere"]),
        ({"features.manual.families": ["retruns"]}, ["features.manual.families", "Did you mean 'returns'?"]),
        ({"features.manual.without": ["tecnical"]}, ["features.manual.without", "Did you mean 'technical'?"]),
        ({"features.manual.without": ["returns"]}, ["switches off every family"]),
        ({"features.manual.options": {"returns": {"widnows": [3]}}}, ["features.manual", "widnows"]),
        ({"features.manual.options": {"retruns": {}}}, ["features.manual", "Did you mean 'returns'?"]),
        ({"features.manual.families": ["funding"]}, ["features.manual", "funding_rate"]),
        ({"data.timeframe": "4h"}, ["got 1h", "data.timeframe = 4h"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_and_says_how_to_repair_it(
    overrides: dict[str, Any], words: list[str]
) -> None:
    plan = small_plan().with_overrides(overrides)
    with pytest.raises(PlanError) as caught:
        make_trainer(plan, MARKET)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.got
    assert caught.value.allowed or caught.value.remedy


def test_a_market_that_the_plan_does_not_describe_is_told() -> None:
    plan = small_plan(data__symbols=["BTC/USD"], data__series=["funding"])
    first, second = plan_cautions(plan, MARKET)
    assert "BTC/USD" in first
    assert "SYNTH/USD" in first
    assert "funding" in second


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"data__timerange": "20200105-"}, ["20200105-", "96 bars", "the market counts"]),
        ({"data__timerange": "-20200105"}, ["204 bars"]),
        ({"data__series": []}, ["asks for no series", "driver"]),
        ({"data__series": ["funding"]}, ["which the market that was given lacks", "also holds driver"]),
    ],
)
def test_a_market_that_was_not_cut_as_the_plan_asks_is_told(plan: dict[str, Any], words: list[str]) -> None:
    market = planted(300)
    told = " ".join(plan_cautions(small_plan(**plan), market))
    assert all(word in told for word in words)
    assert plan_cautions(small_plan(data__timerange="20200101-20200201"), market) == ()


def test_the_market_itself_is_not_read() -> None:
    broken = MARKET.replace(bars=MARKET.bars * np.nan)
    assert make_pipeline(small_plan(), broken).columns() == make_pipeline(small_plan(), MARKET).columns()
    assert make_labeler(small_plan()) == ThresholdLabeler(horizon_bars=6, window_bars=24)
