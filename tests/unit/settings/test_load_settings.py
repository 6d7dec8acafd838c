"""Every field of every section, from every source, in the documented order."""

from __future__ import annotations

import json
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from onward.config import PlanSections
from onward.config.describe import choices
from onward.config.layers import Origin, field_paths, nested
from onward.config.text import options_of
from onward.config.toml import to_toml
from onward.errors import ConfigError, PlanError
from onward.settings import FILE_NAME, ResolvedSettings, Settings, flattened_values, load_settings
from onward.training.plan import TrainingPlan

FIELDS = field_paths(Settings)
PLAN_FIELDS = set(field_paths(PlanSections))
RANKS = ("home file", "project file", ".env", "environment", "preset", "plan", "--set")

SPECIAL: dict[str, list[Any]] = {
    "data.timeframe": ["1m", "5m", "15m", "1h", "4h", "1d"],
    "data.timerange": [f"202{n}0101-20251231" for n in range(5)] + ["-20251231"],
    "features.autofeat.feateng_steps": [1, 3, 4, 5, 1, 3],
    "features.fracdiff.orders": [[0.1 + n / 10, 0.9] for n in range(6)],
    "features.tsfresh.windows": [[24 + n, 96] for n in range(6)],
    "features.featuretools.max_depth": [1, 2, 4, 1, 2, 4],
    "features.featuretools.training_window": [f"{n}d" for n in range(1, 7)],
    "server.trusted_proxies": [[f"192.0.2.{n}", "10.0.0.0/8"] for n in range(6)],
    "evaluation.size_step": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    "evaluation.min_change": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06],
    "selection.costs": [{"tsfresh": 1.5 + n} for n in range(6)],
    "jobs.backends": [["ray"], ["local", "ray"]] * 3,
    "validation.embargo": [1, "36h", 2, "3d", 3, "90m"],
}


def examples(path: str, field: FieldInfo) -> list[Any]:
    """Return six valid values, no two neighbours alike where the field knows two."""
    if path in SPECIAL:
        return SPECIAL[path]
    if words := choices(field.annotation):
        return [words[n % len(words)] for n in range(6)]
    options = options_of(field.annotation)
    default = field.get_default(call_default_factory=True)
    kind = next(typing.get_origin(o) or o for o in options if o is not type(None))
    if kind is bool:
        return [not default, default] * 3
    if kind is int:
        return [(default or 200) + n for n in range(1, 7)]
    if kind is float:
        return [(default or 0.5) * (1 - n / 100) for n in range(1, 7)]
    if kind is tuple:
        return [[f"name{n}", "other"] for n in range(6)]
    if kind is dict:
        return [{"entry": {"depth": n}} for n in range(6)]
    assert kind in (str, SecretStr, Path), f"teach this test about {path}"
    return [f"text{n}" for n in range(6)]


def as_text(value: Any) -> str:
    """Spell a value the way a shell would hand it over."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


class Places:
    """A home and a project directory, an environment and a command line, all empty at first."""

    def __init__(self, root: Path) -> None:
        self.home, self.project = root / "home", root / "project"
        self.home.mkdir(parents=True)
        self.project.mkdir()
        self.environment: dict[str, str] = {"PATH": "/bin", "FOREIGN_MODEL__NAME": "x"}
        self.arguments: list[str] = []
        self.plan: Path | None = None

    def put(self, rank: str, path: str, value: Any) -> None:
        variable = "ONWARD_" + path.upper().replace(".", "__")
        if rank == "home file":
            (self.home / FILE_NAME).write_text(to_toml(nested({path: value})))
        elif rank == "project file":
            (self.project / FILE_NAME).write_text(to_toml(nested({path: value})))
        elif rank == ".env":
            (self.project / ".env").write_text(f"# mine\nFOREIGN=1\nexport {variable}='{as_text(value)}'\n")
        elif rank == "environment":
            self.environment[variable] = as_text(value)
        elif rank == "plan":
            self.plan = self.project / "plan.toml"
            self.plan.write_text(to_toml(nested({path: value})))
        else:
            self.arguments.append(f"{path}={as_text(value)}")

    def load(self, **more: Any) -> ResolvedSettings:
        given: dict[str, Any] = {
            "home": self.home,
            "cwd": self.project,
            "environ": self.environment,
            "plan_file": self.plan,
            "overrides": self.arguments,
        }
        return load_settings(**{**given, **more})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.mark.parametrize("path", FIELDS)
def test_each_source_overrides_those_below_it(path: str, places: Places) -> None:
    field = FIELDS[path]
    section, _, rest = path.partition(".")
    sources = ["home file", "project file", ".env", "environment", "plan", "--set"]
    if path not in PLAN_FIELDS:
        sources.remove("plan")
    origins = {
        "home file": Origin("onward.toml", str(places.home / FILE_NAME)),
        "project file": Origin("onward.toml", str(places.project / FILE_NAME)),
        ".env": Origin(".env"),
        "environment": Origin("environment", "ONWARD_" + path.upper().replace(".", "__")),
        "plan": Origin("plan", str(places.project / "plan.toml")),
        "--set": Origin("--set"),
    }
    default = flattened_values(Settings())[path]
    before = places.load()
    assert flattened_values(before.settings)[path] == default
    assert {row.name: row.origin for row in before.rows()}[path] == Origin("default")
    for source, value in zip(sources, examples(path, field), strict=False):
        places.put(source, path, value)
        loaded = places.load()
        expected = flattened_values(Settings(**{section: nested({rest: value})}))[path]
        assert flattened_values(loaded.settings)[path] == expected, source
        origin = {row.name: row.origin for row in loaded.rows()}[path]
        assert origin.source == origins[source].source, source
        if source != ".env":
            assert origin == origins[source], source
        untouched = {n: v for n, v in flattened_values(loaded.settings).items() if n != path}
        assert untouched == {n: v for n, v in flattened_values(Settings()).items() if n != path}


def test_examples_differ_so_that_the_walk_proves_something() -> None:
    single = {path for path, field in FIELDS.items() if examples(path, field)[0] == examples(path, field)[1]}
    assert not single


def test_a_preset_ranks_between_environment_and_plan_file(places: Places) -> None:
    places.put("environment", "validation.n_splits", 9)
    assert places.load(preset="fast").settings.validation.n_splits == 3
    places.put("plan", "validation.n_splits", 4)
    loaded = places.load(preset="fast")
    assert loaded.settings.validation.n_splits == 4
    assert loaded.settings.model.n_rounds == 50
    assert loaded.origins["model.n_rounds"] == Origin("preset", "fast")


def test_the_real_environment_is_read_when_none_is_given(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONWARD_MODEL__N_ROUNDS", "7")
    monkeypatch.setenv("ONWARD_HOME", str(places.home))
    monkeypatch.chdir(places.project)
    (places.project / FILE_NAME).write_text("[model]\nnum_leaves = 6\n")
    loaded = load_settings()
    assert (loaded.settings.model.n_rounds, loaded.settings.model.num_leaves) == (7, 6)
    assert loaded.home.root == places.home
    assert loaded.files == (places.project / FILE_NAME,)
    assert list(places.home.iterdir()) == []  # reading creates nothing


def test_a_plan_file_beats_the_environment_although_sections_could_read_it(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONWARD_MODEL__LEARNING_RATE", "0.5")
    places.put("plan", "model.learning_rate", 0.25)
    loaded = places.load(environ=None)
    assert loaded.settings.model.learning_rate == 0.25
    assert loaded.plan.model.learning_rate == 0.25
    assert TrainingPlan().model.learning_rate == 0.03


@pytest.mark.parametrize(
    ("home", "environment", "dotenv", "expected"),
    [
        ("a", "b", "c", "a"),
        (None, "b", "c", "b"),
        (None, None, "c", "c"),
        (None, "", "c", "c"),
    ],
)
def test_where_home_is(
    tmp_path: Path, home: str | None, environment: str | None, dotenv: str | None, expected: str
) -> None:
    (tmp_path / ".env").write_text(f"ONWARD_HOME={tmp_path / dotenv}\n" if dotenv else "")
    loaded = load_settings(
        home=None if home is None else tmp_path / home,
        cwd=tmp_path,
        environ={} if environment is None else {"ONWARD_HOME": environment and str(tmp_path / environment)},
    )
    assert loaded.home.root == tmp_path / expected


def test_one_file_serving_as_both_is_read_once(places: Places) -> None:
    (places.home / FILE_NAME).write_text("[model]\nn_rounds = 3\n")
    assert places.load(cwd=places.home).files == (places.home / FILE_NAME,)


def test_free_form_tables_merge_entry_by_entry(places: Places) -> None:
    (places.home / FILE_NAME).write_text('[model.extra]\na = 1\nb = "file"\n')
    places.environment["ONWARD_MODEL__EXTRA__B"] = "[2, 3]"
    places.arguments.append("model.extra.c.deep=true")
    loaded = places.load()
    assert loaded.settings.model.extra == {"a": 1, "b": [2, 3], "c": {"deep": True}}


def test_a_free_form_table_given_whole_replaces(places: Places) -> None:
    (places.home / FILE_NAME).write_text("[model.extra]\na = 1\n")
    places.arguments.append("model.extra=b=2")
    assert places.load().settings.model.extra == {"b": 2}
    places.arguments.append("model.extra={}")
    assert places.load().settings.model.extra == {}


def test_requests_give_values_not_text(places: Places) -> None:
    loaded = places.load(overrides={"model.n_rounds": 5, "data.symbols": ["X/Y"]})
    assert (loaded.settings.model.n_rounds, loaded.settings.data.symbols) == (5, ("X/Y",))
    assert loaded.origins["model.n_rounds"] == Origin("request")


UNKNOWN = [
    ("home file", "model.learning_raet", "Did you mean model.learning_rate?"),
    ("project file", "model.learning_raet", "Did you mean model.learning_rate?"),
    (".env", "model.learning_raet", "Did you mean ONWARD_MODEL__LEARNING_RATE?"),
    ("environment", "model.learning_raet", "Did you mean ONWARD_MODEL__LEARNING_RATE?"),
    ("plan", "model.learning_raet", "Did you mean model.learning_rate?"),
    ("--set", "model.learning_raet", "Did you mean model.learning_rate?"),
    ("--set", "modle.learning_rate", "Did you mean model.learning_rate?"),
    ("environment", "modle.learning_rate", "Did you mean ONWARD_MODEL__LEARNING_RATE?"),
    ("--set", "features.manuel.families", "Did you mean features.manual.families?"),
]


@pytest.mark.parametrize(("source", "path", "hint"), UNKNOWN)
def test_unknown_names_are_errors_in_every_source(source: str, path: str, hint: str, places: Places) -> None:
    places.put(source, path, 0.1)
    with pytest.raises(ConfigError) as caught:
        places.load()
    assert hint in str(caught.value)
    assert "(from " in caught.value.what


@pytest.mark.parametrize("path", FIELDS)
def test_a_misspelt_name_is_an_error_for_every_field(path: str, places: Places) -> None:
    places.environment["ONWARD_" + path.upper().replace(".", "__") + "X"] = "1"
    with pytest.raises(ConfigError) as caught:
        places.load()
    assert "ONWARD_" + path.upper().replace(".", "__") + "?" in str(caught.value)


@pytest.mark.parametrize(
    "variable", ["ONWARD_MODEL", "ONWARD_MODEL_LEARNING_RATE", "ONWARD_NONSENSE", "onward_modle__name"]
)
def test_variables_with_our_prefix_must_be_settings(variable: str, places: Places) -> None:
    places.environment[variable] = "1"
    with pytest.raises(ConfigError, match=variable.upper()):
        places.load()


@pytest.mark.parametrize("source", [s for s in RANKS if s != "preset"])
def test_values_out_of_range_say_where_they_came_from(source: str, places: Places) -> None:
    places.put(source, "model.learning_rate", 9)
    with pytest.raises(ConfigError) as caught:
        places.load()
    message = str(caught.value)
    assert "model.learning_rate" in message
    assert "9" in str(caught.value.got)
    assert "> 0.0 and <= 1.0" in str(caught.value.allowed)
    where = {
        "home file": str(places.home / FILE_NAME),
        "project file": str(places.project / FILE_NAME),
        ".env": ".env",
        "environment": "environment: ONWARD_MODEL__LEARNING_RATE",
        "plan": "plan.toml",
        "--set": "--set",
    }[source]
    assert where in caught.value.what


def test_a_wrong_value_that_does_not_count_can_be_overridden(places: Places) -> None:
    places.put("home file", "model.learning_rate", 9)
    places.put("--set", "model.learning_rate", 0.5)
    assert places.load().settings.model.learning_rate == 0.5


@pytest.mark.parametrize("lease", [12, 240])
@pytest.mark.parametrize("source", ["environment", "--set"])
def test_values_are_held_to_each_other_and_not_to_defaults(source: str, lease: int, places: Places) -> None:
    """A lease below the default fence, or a fence above the default lease, counts beside its own partner."""
    places.put(source, "jobs.lease_seconds", lease)
    places.put(source, "jobs.fence_seconds", lease - 4)
    jobs = places.load().settings.jobs
    assert (jobs.fence_seconds, jobs.lease_seconds) == (lease - 4, lease)


def test_values_of_several_sources_that_do_not_fit_name_all_of_them(places: Places) -> None:
    places.put("environment", "jobs.lease_seconds", 12)
    places.put("--set", "jobs.fence_seconds", 20)
    with pytest.raises(ConfigError, match="environment: ONWARD_JOBS__LEASE_SECONDS, --set") as caught:
        places.load()
    assert "fence_seconds = 20, lease_seconds = 12" in str(caught.value.got)


def test_of_two_wrong_values_the_one_that_is_told_has_its_own_origin(places: Places) -> None:
    places.put("environment", "jobs.lease_seconds", 12)
    places.put("--set", "jobs.concurrency", 0)
    with pytest.raises(ConfigError) as caught:
        places.load()
    assert caught.value.what == "jobs.concurrency does not take this value (from --set)"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model.learning_rate"], ["--set takes a name and a value", "--set model.learning_rate=0.03"]),
        (["=3"], ["--set takes a name and a value"]),
        (["model=3"], ["model is a section"]),
        (["modle.x=3"], ["modle.x", "model"]),
        (["validation.method=purged_kfld"], ["Did you mean purged_kfold?", "--set"]),
        ({"model.extra": 3}, ["model.extra is a table", "request"]),
        (["model.extra={x"], ["model.extra", "JSON", "--set"]),
    ],
)
def test_overrides_that_make_no_sense(overrides: Any, words: list[str], places: Places) -> None:
    with pytest.raises(ConfigError) as caught:
        places.load(overrides=overrides)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["[model\n", "model = ", "[model]\nn_rounds = 3\nn_rounds = 4\n"])
def test_broken_settings_files(text: str, places: Places) -> None:
    (places.project / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match="not valid TOML"):
        places.load()


def test_files_that_are_no_text(places: Places) -> None:
    (places.project / FILE_NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        places.load()
    (places.project / FILE_NAME).unlink()
    (places.project / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"\.env"):
        places.load()


@pytest.mark.parametrize("text", ["[modle]\n", "modle = {}\n"])
def test_an_empty_section_must_exist_too(text: str, places: Places) -> None:
    (places.project / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match="Did you mean model"):
        places.load()
    (places.project / FILE_NAME).write_text("[model]\n[features.manual]\n")
    assert places.load().settings == Settings()


def test_only_plan_sections_may_stand_in_a_plan(places: Places) -> None:
    places.put("plan", "registry.max_versions", 3)
    with pytest.raises(PlanError, match=r"no part of a plan.*Move it to onward\.toml"):
        places.load()


def test_secrets_are_masked_wherever_settings_are_shown(places: Places) -> None:
    places.put("--set", "storage.database_url", "postgresql://me:hidden@host/db")
    loaded = places.load()
    assert loaded.database_url == "postgresql://me:hidden@host/db"
    shown = repr(loaded) + repr(loaded.rows())
    assert "hidden" not in shown
    assert "postgresql://me:***@host/db" in shown


def test_the_embedded_database_lies_in_home(places: Places) -> None:
    assert places.load().database_url == f"sqlite:///{places.home / 'onward.db'}"


def test_contradictions_show_when_the_plan_is_made(places: Places) -> None:
    places.put("--set", "validation.window", "rolling")
    loaded = places.load()  # other commands go on working
    with pytest.raises(PlanError, match="rolling"):
        _ = loaded.plan


def test_files_of_editors_that_put_a_mark_before_utf_8(places: Places) -> None:
    """Notepad does."""
    (places.home / FILE_NAME).write_text("[model]\nn_rounds = 31\n", encoding="utf-8-sig")
    (places.project / ".env").write_text("ONWARD_MODEL__LEARNING_RATE=0.031\n", encoding="utf-8-sig")
    plan = places.project / "marked.toml"
    plan.write_text("[labels]\nhorizon_bars = 31\n", encoding="utf-8-sig")
    settings = load_settings(home=places.home, cwd=places.project, environ={}, plan_file=plan).settings
    assert settings.model.n_rounds == 31
    assert settings.model.learning_rate == 0.031
    assert settings.labels.horizon_bars == 31
