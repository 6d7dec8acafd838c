"""What the page of a new run shows: the form, the fullest market first, and what a check found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onward.dashboard.i18n import texts_of
from onward.dashboard.views.run_check import found_in, worded
from onward.dashboard.views.run_cost import Precedent, whole_job
from onward.dashboard.views.run_request import Asked, Refusal, bases_of, sentence
from onward.dashboard.views.runs_new import first_values, run_form_view
from onward.errors import PlanError
from onward.server.coverage import Reach
from onward.training.plan import TrainingPlan

BASES = bases_of(TrainingPlan())


def stored(symbol: str, timeframe: str, rows: int, kind: Any = "candles") -> Reach:
    first, gap = datetime(2024, 1, 1, tzinfo=UTC), timedelta(hours=1)
    return Reach(kind, symbol, timeframe, first, first + rows * gap, rows, 0, 0, gap)


STORED = (stored("ETH/USD", "4h", 10), stored("BTC/USD", "1h", 900), stored("BTC/USD", "", 999, "funding"))


def form(language: str = "en", **values: tuple[str, ...]) -> Any:
    begun = first_values(BASES, STORED)
    return run_form_view(
        values={**begun, **{name.replace("__", "."): value for name, value in values.items()}},
        bases=BASES,
        coverage=STORED,
        models=("btc",),
        learners=("lightgbm", "logistic"),
        errors=(worded(Refusal("model.learning_rate", setting="model.learning_rate"), texts_of("en")),),
        texts=texts_of(language),  # type: ignore[arg-type]
    )


def test_the_fullest_market_and_the_fast_preset_come_first() -> None:
    view = form()
    assert [(line.value, line.chosen) for line in view.markets] == [
        ("1h BTC/USD", True),
        ("4h ETH/USD", False),
    ]
    assert view.values["preset"] == "fast"
    fields = {one.name: one for group in view.groups.values() for one in group}
    assert fields["validation.n_splits"].value == "3"
    assert (fields["validation.n_splits"].low, fields["validation.n_splits"].high) == ("2", "1000")
    assert fields["labels.multiplier"].matters
    assert not fields["labels.threshold"].matters


def test_all_symbols_of_the_timeframe_are_chosen_as_by_a_plan_that_names_none() -> None:
    more = (*STORED, stored("ADA/USD", "1h", 300), stored("ADA/USD", "4h", 75))
    assert first_values(BASES, more)["market"] == ("1h ADA/USD", "1h BTC/USD")


def test_a_model_that_nobody_offers_stays_chosen() -> None:
    view = form(model__name=("of_another_package",))
    model = next(one for one in view.groups["model"] if one.name == "model.name")
    assert model.options == ("lightgbm", "logistic", "of_another_package")


def test_settings_that_are_folded_away_unfold_for_an_error_or_a_value() -> None:
    assert form().has_advanced_error
    assert not form().has_advanced_value
    assert form(model__learning_rate=("0.1",)).has_advanced_value


def test_a_help_without_translation_is_marked_as_english() -> None:
    fields = {one.name: one for _, members in form("ja").advanced for one in members}
    english = {one.name: one for _, members in form("en").advanced for one in members}
    for name, one in fields.items():
        assert one.help, name
        assert one.help_language == ("en" if one.help == english[name].help else "ja")


@pytest.mark.parametrize(
    ("refusal", "english", "japanese"),
    [
        (
            Refusal("a", setting="labels.horizon_bars"),
            "a whole number, 1 or more",
            "整数、1以上、100,000以下",
        ),
        (Refusal("a", setting="labels.threshold"), "above 0, below 1", "0より大きい、1未満"),
        (
            Refusal("a", setting="labels.method"),
            "one of threshold, triple_barrier",
            "threshold, triple_barrier",
        ),
        (Refusal("a", setting="model.extra"), 'such as {"depth": 6}', '{"depth": 6}のような'),
        (Refusal("a", key="no_market"), "at least one series", "1つ以上"),
    ],
)
def test_refusals_are_told_in_the_readers_language(refusal: Refusal, english: str, japanese: str) -> None:
    assert english in worded(refusal, texts_of("en")).text
    told = worded(refusal, texts_of("ja"))
    assert japanese in told.text
    assert told.language == "ja"


def test_what_only_the_product_can_say_is_marked_as_english() -> None:
    assert worded(Refusal("a", english="Too few rows."), texts_of("ja")).language == "en"
    error = PlanError("nobody foresaw this", remedy="Change model.name.")
    told = worded(Refusal("a", english=sentence(error), error=error), texts_of("ja"))
    assert (told.language, told.text) == ("en", "Nobody foresaw this. Change model.name.")


def test_errors_of_the_product_are_told_in_the_readers_language() -> None:
    error = PlanError(
        "validation.window: a rolling window needs a length (from the values given)",
        allowed="a whole number of bars, or validation.window = a length of time",
        remedy="Change validation.window.",
    )
    refusal = Refusal("a", english=sentence(error), error=error)
    assert worded(refusal, texts_of("en")).text.startswith(
        "validation.window: a rolling window needs a length. "
    )
    told = worded(refusal, texts_of("ja"))
    assert told.language == "ja"
    assert told.text == (
        "validation.window: 移動窓には長さが必要です。"
        "許される値: 足の本数(整数)、またはvalidation.window = 時間の長さ。"
        "validation.windowを変更してください。"
    )
    told = worded(Refusal("a", setting="validation.embargo"), texts_of("ja"))
    assert (told.language, "時間の長さ" in told.text) == ("ja", True)


def plan_view(**more: Any) -> dict[str, Any]:
    plan = TrainingPlan().with_overrides(more.pop("plan", {})).model_dump(mode="json")
    families = [
        {"stage": "manual", "family": "price", "off": "", "columns": ["manual__body"]},
        {"stage": "manual", "family": "funding", "off": "needs funding", "columns": []},
    ]
    return {
        "plan": plan,
        "plan_hash": "ab" * 32,
        "symbols": ["BTC/USD"],
        "timeframe": "1h",
        "rows": 900,
        "columns": 1,
        "lookback_bars": 100,
        "seconds": 0.5,
        "columns_of_unknown_cost": 0,
        "matrix_bytes": 900,
        "families": families,
        "fitted": [],
        **more,
    }


def test_a_whole_job_takes_as_long_as_one_like_it_and_more_bars_take_longer() -> None:
    same = whole_job(Precedent("a", 100.0, 1_000, same=True), 1_000)
    assert same.low < 100 < same.high
    shape = whole_job(Precedent("a", 100.0, 1_000, same=False), 1_000)
    assert shape.low < same.low
    assert same.high < shape.high
    longer = whole_job(Precedent("a", 100.0, 1_000, same=True), 3_000)
    assert (longer.low, longer.high) == (same.low, 3 * same.high)
    shorter = whole_job(Precedent("a", 100.0, 1_000, same=True), 500)
    assert shorter.low < same.low
    assert shorter.high == same.high
    assert whole_job(Precedent("a", 100.0, None, same=True), 9_999) == replace(
        same, before=Precedent("a", 100.0, None, same=True)
    )


def test_a_check_tells_costs_folds_and_what_to_know() -> None:
    found = found_in(plan_view(), Asked(save="btc"))
    assert (len(found.on), len(found.off), found.folds, found.trials) == (1, 1, 5, 0)
    assert found.warnings == ()
    assert "[labels]" in found.toml
    wary = found_in(plan_view(rows=100, matrix_bytes=2**33, columns_of_unknown_cost=2), Asked(audit=False))
    assert [name for name, _ in wary.warnings] == ["few", "memory", "unknown", "no_audit", "not_saved"]
    combined = found_in(plan_view(plan={"validation.method": "combinatorial"}), Asked())
    assert combined.folds == 15
    stepped = {"validation.method": "walk_forward", "validation.step": "14d"}
    assert found_in(plan_view(plan=stepped), Asked()).folds is None
    searched = found_in(plan_view(plan={"optimization.trials": 7}), Asked(kind="tune"))
    assert searched.trials == 7


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_setting_without_a_value_says_what_that_means(language: str) -> None:
    shown = {one.name: one for _, fields in form(language).advanced for one in fields}
    told = [name for name, one in shown.items() if "none = " in one.help]
    assert {"data.series", "data.timerange", "validation.embargo"} <= set(told)
    assert [name for name in told if shown[name].base == "none"] == []
    assert (
        shown["data.series"].base
        == {
            "en": "none: every stored series",
            "ja": "none: 保存済みのすべて",
        }[language]
    )
