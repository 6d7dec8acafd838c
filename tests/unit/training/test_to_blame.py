"""Which setting is to blame for a plan that does not fit its market: the one that has to be changed."""

from __future__ import annotations

from typing import Any

import pytest

from onward.data.loading import load_market
from onward.errors import DataError, OnwardError
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan
from onward.training.service import MLTrainingService
from onward.types import Market
from onward.wiring import build_application
from tests.unit.training.small_runs import SMALL


@pytest.fixture(scope="module")
def market() -> Market:
    return random_walk(700)


@pytest.fixture(scope="module")
def service() -> MLTrainingService:
    return MLTrainingService(make_trainer=make_trainer, conductor=None)  # type: ignore[arg-type]  # trains nothing


def refused(service: MLTrainingService, market: Market, **changed: Any) -> str | None:
    plan = TrainingPlan().with_overrides(
        {**SMALL, **{name.replace("__", "."): value for name, value in changed.items()}}
    )
    with pytest.raises(OnwardError) as caught:
        service.check(market, plan)
    return caught.value.setting


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"validation__n_splits": 600}, "validation.n_splits"),
        ({"validation__n_splits": 150}, "validation.n_splits"),
        ({"labels__horizon_bars": 690}, "labels.horizon_bars"),
        ({"labels__horizon_bars": 200}, "labels.horizon_bars"),
        ({"labels__window_bars": 5_000}, "labels.window_bars"),
        ({"validation__embargo": "90d"}, "validation.embargo"),
        ({"validation__method": "walk_forward", "validation__n_splits": 200}, "validation.n_splits"),
        ({"validation__method": "walk_forward", "validation__initial": "90d"}, "validation.initial"),
        ({"validation__method": "walk_forward", "validation__step": "90d"}, "validation.step"),
        (
            {"validation__method": "walk_forward", "validation__step": "5d", "validation__window": 3},
            "validation.window",
        ),
        (
            {
                "validation__method": "walk_forward",
                "validation__step": "5d",
                "validation__window": "rolling",
                "validation__window_bars": 9_000,
            },
            "validation.window_bars",
        ),
        (
            {
                "validation__method": "walk_forward",
                "validation__step": "5d",
                "validation__min_train_rows": 9_000,
            },
            "validation.min_train_rows",
        ),
        (
            {
                "validation__method": "combinatorial",
                "validation__n_groups": 300,
                "validation__n_test_groups": 1,
            },
            "validation.n_groups",
        ),
        ({"labels__horizon_bars": 600, "validation__n_splits": 600}, "validation.n_splits"),
        ({"training__calibration": "isotonic"}, "training.calibration"),
        ({"labels__mode": "fixed", "labels__threshold": 0.9}, "labels.threshold"),
        ({"labels__multiplier": 90.0}, "labels.multiplier"),
        (
            {"optimization__trials": 2, "optimization__space": {"labels.horizon_bars": [12, 5_000]}},
            "optimization.space",
        ),
    ],
)
def test_it_is_the_setting_that_put_back_to_its_default_lets_the_plan_fit(
    service: MLTrainingService, market: Market, changed: dict[str, Any], setting: str
) -> None:
    assert refused(service, market, **changed) == setting


def test_where_no_setting_mends_it_the_data_are_too_few(service: MLTrainingService) -> None:
    few = random_walk(60)
    assert refused(service, few) == "data.symbols"
    assert refused(service, few, data__timerange="20200101-20200103") == "data.timerange"
    assert refused(service, random_walk(20), labels__horizon_bars=2) == "data.symbols"


def test_what_contradicts_itself_says_where_without_a_market(
    service: MLTrainingService, market: Market
) -> None:
    assert refused(service, market, labels__method="triple_barrier", labels__profit=0.0) == "labels.profit"
    assert refused(service, market, labels__method="meta", labels__signal="nothing") == "labels.signal"
    assert refused(service, market, labels__method="meta", labels__signal="series:x") == "labels.signal"
    assert refused(service, market, features__stages=["manual", "nothing"]) == "features.stages"
    assert refused(service, market, model__name="nothing") == "model.name"
    fracdiff = {"features__stages": ["manual", "fracdiff"], "features__fracdiff__columns": ["nothing"]}
    assert refused(service, market, **fracdiff) == "features.fracdiff.columns"
    for values, setting in (
        ({"labels.mode": "adaptive", "labels.window_bars": 5}, "labels.window_bars"),
        ({"validation.step": "5d"}, "validation.step"),
        ({"validation.n_groups": 9}, "validation.n_groups"),
        ({"labels.horizon_bars": 0}, "labels.horizon_bars"),
        ({"labels.horizon": 3}, "labels.horizon"),
        ({"data.timerange": "15000101-"}, "data.timerange"),
    ):
        with pytest.raises(OnwardError) as caught:
            TrainingPlan().with_overrides(values)
        assert caught.value.setting == setting


def test_data_that_are_not_there_are_told_at_the_setting_that_asks_for_them(
    tmp_path_factory: pytest.TempPathFactory, market: Market
) -> None:
    home = tmp_path_factory.mktemp("home")
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    bars = market.bars.iloc[:300].reset_index().rename(columns={"open_time": "timestamp"})
    application.repositories.candles("1h").upsert("A/B", bars.drop(columns="symbol"))
    for values, setting in (
        ({"data.timerange": "20990101-"}, "data.timerange"),
        ({"data.symbols": ["C/D"]}, "data.symbols"),
        ({"data.timeframe": "4h"}, "data.timeframe"),
        ({"data.series": ["funding"]}, "data.series"),
        ({"data.series": ["nothing"]}, "data.series"),
    ):
        with pytest.raises(DataError) as caught:
            load_market(application.repositories, TrainingPlan().with_overrides(values).data)
        assert caught.value.setting == setting
