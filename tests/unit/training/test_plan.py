"""Training plans: frozen, hashed by what they resolve to, free of contradictions."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from onward.config import ModelConfig
from onward.errors import ConfigError, PlanError
from onward.training.plan import PRESETS, TrainingPlan

DEFAULT_HASH = TrainingPlan().content_hash


def test_the_bare_plan_is_the_defaults_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    before = TrainingPlan()
    monkeypatch.setenv("ONWARD_MODEL__N_ROUNDS", "7")
    monkeypatch.setenv("ONWARD_LABELS__MODE", "nonsense")
    assert TrainingPlan() == before
    assert TrainingPlan.preset("default") == before
    assert TrainingPlan(model={"learning_rate": 0.1}).model.n_rounds == before.model.n_rounds


def test_a_plan_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainingPlan().model = ModelConfig.sealed()


def test_sections_as_objects_or_dictionaries() -> None:
    assert TrainingPlan(model={"n_rounds": 9}) == TrainingPlan(model=ModelConfig.sealed(n_rounds=9))


def test_overrides_take_values_and_text() -> None:
    plan = TrainingPlan().with_overrides({"model.learning_rate": 0.1, "data.symbols": "A/B, C/D"})
    assert plan.model.learning_rate == 0.1
    assert plan.data.symbols == ("A/B", "C/D")
    again = plan.with_overrides({"model.extra": {"a": 1}}).with_overrides({"model.extra.b": 2})
    assert again.model.extra == {"a": 1, "b": 2}
    assert again.data.symbols == ("A/B", "C/D")
    assert plan.model.extra == {}


def test_unknown_overrides_teach() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean model\.learning_rate\?"):
        TrainingPlan().with_overrides({"model.learning_raet": 0.1})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_plans(name: str, tmp_path: Path) -> None:
    plan = TrainingPlan.preset(name)
    for path, value in PRESETS[name].items():
        section, _, field = path.partition(".")
        expected = tuple(value) if isinstance(value, list) else value
        assert getattr(getattr(plan, section), field) == expected
    assert (plan.content_hash == DEFAULT_HASH) is (name == "default")


def test_an_unknown_preset_teaches() -> None:
    with pytest.raises(PlanError, match=r"default, fast, financial.*Did you mean fast\?"):
        TrainingPlan.preset("fsat")


plans = st.builds(
    lambda rounds, rate, names, extra, horizon, series: TrainingPlan(
        model={"n_rounds": rounds, "learning_rate": rate, "extra": extra},
        data={"symbols": names, "series": series},
        labels={"horizon_bars": horizon},
    ),
    st.integers(1, 10_000),
    st.floats(1e-6, 1.0),
    st.none() | st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3),
    st.dictionaries(
        st.text("abcxyz_- é", min_size=1, max_size=6).filter(lambda k: "." not in k),
        st.integers() | st.text(max_size=8) | st.booleans() | st.lists(st.integers(), max_size=3),
        max_size=3,
    ),
    st.integers(1, 100),
    st.none() | st.just([]) | st.just(["funding"]),
)


@given(plan=plans)
@settings(max_examples=40)
def test_a_plan_survives_its_file(plan: TrainingPlan, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("plan") / "plan.toml"
    file.write_text(plan.to_toml(), encoding="utf-8")
    again = TrainingPlan.from_file(file)
    assert again == plan
    assert again.content_hash == plan.content_hash
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_plan_file_states_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[model]\nlearning_rate = 1\n\n[labels]\nmode = "quantile"\n')
    plan = TrainingPlan.from_file(file)
    assert plan == TrainingPlan(model={"learning_rate": 1.0}, labels={"mode": "quantile"})


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("[model\n", PlanError, "not valid TOML"),
        (b"\xff\xfe", PlanError, "not text"),
        ("[modle]\nname = 'x'\n", ConfigError, "Did you mean model.name?"),
        ("[model]\nlearning_rate = 9\n", ConfigError, "plan.toml"),
        ("model = 3\n", ConfigError, "model is a section"),
        ("[registry]\nmax_versions = 3\n", ConfigError, "registry.max_versions"),
        ("[validation]\nmethod = 'walk_forward'\nembargo = 3\n", PlanError, "nothing to embargo"),
    ],
)
def test_broken_plan_files(
    content: str | bytes, error: type[ConfigError], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "plan.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(error) as caught:
        TrainingPlan.from_file(file)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        TrainingPlan.from_file(tmp_path / name)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"labels": {"mode": "adaptive", "window_bars": 24}}, "Set labels.window_bars to 240"),
        ({"validation": {"method": "walk_forward", "embargo": 3}}, "Set validation.embargo to none"),
        ({"validation": {"window_bars": 100}}, "Set validation.window to rolling"),
        ({"validation": {"window": "rolling"}}, "Set validation.method to walk_forward"),
        ({"validation": {"method": "walk_forward", "window": "rolling"}}, "Set validation.window_bars"),
        ({"validation": {"window": "90d"}}, "Set validation.method to walk_forward"),
        ({"validation": {"step": "14d"}}, "Set validation.method to walk_forward"),
        ({"validation": {"initial": 100}}, "Set validation.method to walk_forward"),
        ({"validation": {"min_train_rows": 100}}, "Set validation.method to walk_forward"),
        (
            {"validation": {"method": "walk_forward", "window": "90d", "window_bars": 100}},
            "Set validation.window_bars to none",
        ),
    ],
)
def test_contradictions_say_how_to_repair_them(sections: dict[str, object], words: str) -> None:
    with pytest.raises(PlanError) as caught:
        TrainingPlan(**sections)
    assert words in str(caught.value)
    assert caught.value.got
    assert caught.value.allowed


def test_equal_values_have_equal_hashes_however_they_were_written() -> None:
    spelt = TrainingPlan(model={"learning_rate": "0.03", "n_rounds": 100.0}, data={"symbols": None})
    assert spelt.content_hash == DEFAULT_HASH
    assert len(DEFAULT_HASH) == 64


@pytest.mark.parametrize(
    "override",
    [
        {"model.n_rounds": 151},
        {"model.extra.a": 1},
        {"labels.mode": "fixed"},
        {"features.manual.without": ["temporal"]},
        {"training.seed": 1},
    ],
)
def test_other_values_have_other_hashes(override: dict[str, object]) -> None:
    assert TrainingPlan().with_overrides(override).content_hash != DEFAULT_HASH


def test_a_model_takes_the_parameters_and_what_is_extra() -> None:
    parameters = TrainingPlan(model={"n_rounds": 9, "extra": {"window": 3}}).model.parameters()
    assert parameters["n_rounds"] == 9
    assert parameters["window"] == 3
    assert "name" not in parameters


@pytest.mark.parametrize(
    "found",
    [{"timeframe": "1h"}, {"symbols": ("A/B",)}, {"timerange": "20200101-"}, {"series": ()}],
)
def test_how_data_are_found_is_not_asked_of_the_plan_but_of_the_data(found: dict[str, object]) -> None:
    assert TrainingPlan(data=found).content_hash == DEFAULT_HASH


def test_threads_change_how_fast_and_not_what() -> None:
    assert TrainingPlan(training={"n_threads": 1}).content_hash == DEFAULT_HASH


def test_the_hash_is_the_same_in_another_process() -> None:
    code = (
        "from onward.training.plan import TrainingPlan;"
        "print(TrainingPlan(model={'extra': {'b': 1, 'a': [2, 'x']}}).content_hash)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "ONWARD_MODEL__N_ROUNDS": "3"}
    other = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    here = TrainingPlan(model={"extra": {"a": [2, "x"], "b": 1}}).content_hash
    assert other.stdout.strip() == here


def test_the_label_family_is_the_question_not_the_border() -> None:
    plan = TrainingPlan()
    assert plan.label_family == "threshold"
    assert plan.with_overrides({"labels.mode": "fixed", "labels.threshold": 0.02}).label_family == "threshold"
    assert plan.with_overrides({"labels.horizon_bars": 12}).label_family == "threshold"
