"""The fields of a new run: all settings of a plan, each once, each with words in both languages."""

from __future__ import annotations

import pytest

from onward.config.describe import choices
from onward.dashboard.i18n import LANGUAGES, texts_of
from onward.dashboard.views.run_fields import (
    ADVANCED,
    CHOICES,
    ELSEWHERE,
    STAGES,
    as_text,
    limits,
    matters,
    parsed,
    plan_fields,
    takes,
    widget,
)
from onward.dashboard.views.run_request import bases_of
from onward.errors import ConfigError
from onward.features.catalog import CATALOG, FITTED
from onward.training.plan import TrainingPlan


def choice(name: str):  # type: ignore[no-untyped-def]
    return next(one for one in CHOICES if one.name == name)


def test_every_setting_of_a_plan_stands_in_the_form_once() -> None:
    names = [one.name for one in CHOICES] + list(ADVANCED)
    assert len(names) == len(set(names))
    assert set(names) | ELSEWHERE == set(plan_fields())


def test_stages_that_are_offered_exist() -> None:
    assert set(STAGES) <= {*CATALOG, *FITTED}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_is_explained(language: str) -> None:
    texts = texts_of(language)  # type: ignore[arg-type]
    for one in CHOICES:
        assert f"runs_new.field.{one.key}.label" in texts
        assert f"runs_new.field.{one.key}.help" in texts
        for option in choices(plan_fields()[one.name].annotation):
            assert f"runs_new.option.{one.key}.{option}" in texts
    for section in {name.rpartition(".")[0] for name in ADVANCED}:
        assert f"settings.section.{section.replace('.', '_')}" in texts


def test_what_a_field_shows_is_read_as_the_same_value() -> None:
    base = bases_of(TrainingPlan())["default"]
    for name, value in base.items():
        if name not in ELSEWHERE:
            text = tuple(value) if isinstance(value, list) else as_text(value)
            assert parsed(name, text) == value, name
    assert parsed("data.series", as_text([])) == []
    assert parsed("features.options", as_text({"own": {"n": 1}})) == {"own": {"n": 1}}
    assert parsed("labels.quantile", as_text(1 / 3)) == 1 / 3


def test_a_value_that_is_not_taken_says_what_is() -> None:
    with pytest.raises(ConfigError, match=r"labels\.horizon_bars") as caught:
        parsed("labels.horizon_bars", "-3")
    assert "whole number" in str(caught.value.allowed)
    assert takes("labels.horizon_bars") == caught.value.allowed


def test_widgets_and_limits_follow_the_setting() -> None:
    assert widget("labels.method") == "select"
    assert widget("features.stages") == "many"
    assert widget("selection.enabled") == "switch"
    assert widget("labels.horizon_bars") == "number"
    assert widget("labels.stop") == "text", "it may be none"
    assert widget("validation.embargo") == "text", "bars or a length of time"
    found = limits("labels.threshold")
    assert found is not None
    assert (found.low, found.high, found.open_low, found.open_high) == (0.0, 1.0, True, True)
    assert limits("labels.method") is None


def test_a_choice_matters_by_what_else_is_chosen() -> None:
    values = {"labels.method": ("threshold",), "labels.mode": ("volatility",)}
    assert matters(choice("labels.multiplier"), values)
    assert not matters(choice("labels.threshold"), values)
    assert not matters(choice("labels.profit"), values)
    assert matters(choice("labels.profit"), {"labels.method": ("meta",)})
    assert matters(choice("validation.method"), {})
