"""From the form of a new run to a request: no more than was asked for, every error at its field."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from onward.dashboard.views.run_fields import Values
from onward.dashboard.views.run_request import Asked, Refusal, bases_of, placed, read, sentence
from onward.dashboard.views.runs_new import copied_values, first_values, followed_values
from onward.errors import (
    DataError,
    ForbiddenError,
    LabelError,
    ModelError,
    NotEnoughDataError,
    OnwardError,
    PlanError,
    SplitError,
)
from onward.server.ownership import refuse_own_code
from onward.training.plan import PRESETS, TrainingPlan, preset_values

BASES = bases_of(TrainingPlan())
MARKET = {"market": ("1h BTC/USD",)}


def form(*, preset: str = "fast", **more: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the form as it is shown at first, changed."""
    changed = {name.replace("__", "."): value for name, value in more.items()}
    return {**first_values(BASES, (), preset=preset), **MARKET, **changed}


def asked(values: Values, *, may_alias: bool = True) -> tuple[Asked, tuple[Refusal, ...]]:
    check = partial(refuse_own_code, allowed=False)
    return read(values, BASES, may_alias=may_alias, check_text=check)


def refused(values: Values) -> dict[str, str]:
    return {one.field: one.key or one.setting or one.english for one in asked(values)[1]}


def plan_of(request: Asked) -> TrainingPlan:
    plan = request.plan
    if isinstance(plan, str):
        return TrainingPlan.preset(plan)
    return TrainingPlan().with_overrides(plan)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_untouched_form_asks_for_its_preset_alone(preset: str) -> None:
    request, refusals = asked(form(preset=preset))
    assert not refusals
    assert request.changes == {"data.symbols": ["BTC/USD"], "data.timeframe": "1h"}
    assert request.body == {"plan": {**preset_values(preset), **request.changes}}


def test_what_was_changed_goes_over_the_preset() -> None:
    request, refusals = asked(
        form(
            labels__horizon_bars=("12",),
            features__stages=("manual", "tsfresh"),
            validation__n_splits=("5",),
            model__learning_rate=("0.1",),
            selection__enabled=("false",),
            save=("btc",),
            alias=("champion",),
            audit=("true",),
        )
    )
    assert not refusals
    assert request.changes == {
        "data.symbols": ["BTC/USD"],
        "data.timeframe": "1h",
        "labels.horizon_bars": 12,
        "features.stages": ["manual", "tsfresh"],
        "validation.n_splits": 5,
        "model.learning_rate": 0.1,
        "selection.enabled": False,
    }
    assert (request.save, request.alias) == ("btc", "champion")
    assert plan_of(request).validation.n_splits == 5
    assert plan_of(request).model.n_rounds == 50


def test_a_preset_chosen_without_a_script_is_followed() -> None:
    values = {**form(preset="default"), "preset": ("fast",)}  # the fields still show the other preset
    request, _ = asked(values)
    assert plan_of(request).validation.n_splits == 3
    shown_again = followed_values({**values, "labels.horizon_bars": ("7",)}, BASES)
    assert shown_again["validation.n_splits"] == ("3",)
    assert asked(shown_again)[0].changes["labels.horizon_bars"] == 7
    assert "validation.n_splits" not in asked(shown_again)[0].changes


def test_what_does_not_matter_is_not_asked_for() -> None:
    request, refusals = asked(
        form(labels__method=("trend_scanning",), labels__multiplier=("9",), labels__profit=("-1",))
    )
    assert not refusals
    assert request.changes["labels.method"] == "trend_scanning"
    assert "labels.multiplier" not in request.changes


def test_every_error_is_found_at_once_and_at_its_field() -> None:
    found = refused(
        form(
            kind=("tune",),
            market=(),
            since=("2024-02-30",),
            labels__horizon_bars=("-3",),
            features__stages=(),
            model__learning_rate=("much",),
            data__timerange=("yesterday",),
            trials=("0",),
            seconds=("soon",),
            save=("..",),
            alias=("latest",),
        )
    )
    assert found == {
        "market": "no_market",
        "labels.horizon_bars": "labels.horizon_bars",
        "features.stages": "none_chosen",
        "model.learning_rate": "model.learning_rate",
        "data.timerange": "data.timerange",
        "trials": "trials",
        "seconds": "seconds",
        "save": "save",
        "alias": "alias",
    }
    assert refused(form(market=("1h A", "4h A"))) == {"market": "timeframes"}
    assert refused(form(since=("2024-02-30",))) == {"since": "date"}
    assert refused(form(since=("2024-03-02",), until=("2024-03-01",))) == {"until": "range"}
    assert refused(form(since=("2024-03-01",), until=("2024-03-01",))) == {"until": "range"}
    assert refused(form(until=("2024-02-30",))) == {"until": "date"}
    assert refused(form(since=("1500-01-01",), until=("9999-12-31",))) == {"since": "date", "until": "date"}
    assert refused(form(since=("today",))) == {"since": "date"}


def test_days_become_a_range_of_time() -> None:
    assert asked(form(since=("2024-01-01",)))[0].changes["data.timerange"] == "20240101-"
    assert asked(form(until=("2024-01-01",)))[0].changes["data.timerange"] == "-20240101"


def test_an_alias_needs_a_name_an_audit_and_the_right() -> None:
    assert refused(form(alias=("champion",))) == {"save": "alias_needs_name"}
    assert refused(form(alias=("champion",), save=("a",), audit=())) == {"alias": "alias_needs_audit"}
    _, refusals = asked(form(alias=("champion",), save=("a",)), may_alias=False)
    assert [(one.field, one.key) for one in refusals] == [("alias", "alias_admin")]


def test_code_of_their_own_is_refused_at_its_field() -> None:
    found = refused(form(labels__method=("meta",), labels__signal=("os.path:join",)))
    assert "code of their own" in found["labels.signal"]


def test_the_budget_of_a_search_counts_only_for_a_search() -> None:
    request, _ = asked(form(kind=("tune",), trials=("7",), seconds=("90",)))
    assert request.body["trials"] == 7
    assert request.body["seconds"] == 90.0
    assert request.searched["optimization.trials"] == 7
    request, refusals = asked(form(kind=("train",), trials=("never",)))
    assert not refusals
    assert "trials" not in request.body


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (PlanError("a window is short", settings=("labels.window_bars",)), "labels.window_bars"),
        (
            PlanError("labels.horizon_bars is too long", settings=("validation.n_splits",)),
            "validation.n_splits",
        ),
        (PlanError("no", settings=("data.symbols", "labels.method")), "market"),
        (PlanError("no", settings=("data.timeframe",)), "market"),
        (PlanError("no", settings=("optimization.trials",)), "trials"),
        (PlanError("no", settings=("ensemble.parameters.mlp.depth",)), "ensemble.parameters"),
        (PlanError("no", settings=("features.tsfresh",)), "features.stages"),
        (PlanError("no", settings=("labels",)), "labels.method"),
        (PlanError("no", settings=("optimization.storage_url",)), "optimization.space"),
        (PlanError("no", settings=("server.port",)), ""),
        (LabelError("one class only"), "labels.method"),
        (SplitError("too few rows"), "validation.method"),
        (DataError("no such bars"), "market"),
        (ModelError("not installed"), "model.name"),
        (ForbiddenError("no"), "alias"),
        (OnwardError("something else"), ""),
    ],
)
def test_errors_of_the_services_are_put_where_they_belong(error: OnwardError, field: str) -> None:
    assert placed(error, Asked(), {}).field == field


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("2030-01-01", "", "since"),
        ("", "2010-01-01", "until"),
        ("2030-01-01", "2031-01-01", "since"),
        ("2010-01-01", "2011-01-01", "until"),
        ("2017-08-01", "2017-08-02", "since"),
        ("", "", "data.timerange"),
    ],
)
def test_a_range_of_time_is_wrong_at_the_side_that_has_to_be_changed(
    since: str, until: str, field: str
) -> None:
    error = NotEnoughDataError("no bar opens within", settings=("data.timerange",))
    first_bar = datetime(2017, 7, 1, 11, tzinfo=UTC)
    values = form(since=(since,), until=(until,))
    assert placed(error, Asked(), values, first_bar).field == field


def test_a_sentence_that_asks_ends_with_its_question_mark() -> None:
    assert sentence(DataError("no such series; did you mean 'funding'?", allowed="funding")) == (
        "No such series; did you mean 'funding'? Allowed: funding."
    )


def test_errors_of_models_belong_to_members_where_there_are_some() -> None:
    request = Asked(changes={"ensemble.method": "voting"})
    assert placed(ModelError("needs two"), request, {}).field == "ensemble.members"


CHANGES = {
    "data.symbols": ["BTC/USD", "ETH/USD"],
    "data.timeframe": "1h",
    "data.timerange": "20200101T1200-20210101",
    "labels.method": "triple_barrier",
    "labels.stop": 0.5,
    "labels.side": "long",
    "features.stages": ["manual", "fracdiff"],
    "model.extra": {"max_bin": 63},
    "validation.method": "walk_forward",
    "validation.step": "14d",
    "evaluation.fee_bps": 7.5,
    "selection.costs": {"tsfresh": 4.0},
}


@pytest.mark.parametrize(
    ("timerange", "since", "until"),
    [
        ("20200101-", "2020-01-01", ""),
        ("-20210101", "", "2021-01-01"),
        ("20200101-20210101", "2020-01-01", "2021-01-01"),
    ],
)
def test_a_copied_range_of_days_stands_in_the_fields_for_days(timerange: str, since: str, until: str) -> None:
    plan = TrainingPlan().with_overrides({**CHANGES, "data.timerange": timerange})
    values = copied_values(BASES, plan.model_dump(mode="json"), kind="train")
    assert (values["since"], values["until"]) == ((since,), (until,))
    assert plan_of(asked(values)[0]).content_hash == plan.content_hash


@pytest.mark.parametrize("preset", PRESETS)
def test_a_copy_asks_for_the_very_plan_that_it_copies(preset: str) -> None:
    plan = TrainingPlan.preset(preset).with_overrides(CHANGES)
    values = copied_values(BASES, plan.model_dump(mode="json"), kind="train", save="btc", audit=False)
    request, refusals = asked(values)
    assert not refusals
    assert plan_of(request).content_hash == plan.content_hash
    assert request.save == "btc"
    assert not request.audit


def test_a_plan_that_is_older_than_a_setting_leaves_it_at_its_base() -> None:
    old = {
        "labels": {"method": "threshold", "horizon_bars": 9},
        "data": {"symbols": ["A"], "timeframe": "1h"},
    }
    request, refusals = asked(copied_values(BASES, old, kind="train"))
    assert not refusals
    assert request.changes == {"labels.horizon_bars": 9, "data.symbols": ["A"], "data.timeframe": "1h"}


def test_a_copy_of_a_plan_that_named_no_market_takes_the_one_that_it_came_to() -> None:
    plan = TrainingPlan().model_dump(mode="json")
    assert "market" not in copied_values(BASES, plan, kind="train")
    values = copied_values(BASES, plan, kind="train", found={"symbols": ["A", "B"], "timeframe": "1h"})
    assert values["market"] == ("1h A", "1h B")
