"""Config classes: frozen, strict, described, bounded, each with its own prefix."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from onward import config
from onward.config import (
    DataProcessingConfig,
    FeatureEngineeringConfig,
    ManualFeaturesConfig,
    ModelConfig,
    PlanSections,
    Section,
    Sections,
    SelectionConfig,
    StorageConfig,
    TrainingConfig,
    ValidationConfig,
    sealed,
)
from onward.config.describe import allowed
from onward.config.layers import field_paths
from onward.errors import ConfigError, StageError
from onward.features.tsfresh.relevance import TSFreshRelevance


def every_section(kind: type[Section] | type[Sections] = Sections) -> list[type[Section]]:
    found = []
    for field in kind.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found += [field.annotation, *every_section(field.annotation)]
    return found


SECTIONS = every_section()


def test_every_exported_section_is_composed() -> None:
    exported = {
        value
        for name in config.__all__
        if isinstance(value := getattr(config, name), type) and issubclass(value, Section)
    }
    bases = {base for section in SECTIONS for base in section.__mro__[1:]}
    assert exported - bases == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_a_section_keeps_the_house_rules(section: type[Section]) -> None:
    assert issubclass(section, BaseSettings)
    assert section.__name__.endswith("Config")
    assert section.model_config["frozen"] is True
    assert section.model_config["extra"] == "forbid"
    prefix = section.model_config["env_prefix"]
    assert prefix == "ONWARD_" + section.path().upper().replace(".", "__") + "__"
    assert section.sealed() == section.sealed()


def test_prefixes_say_where_a_section_stands() -> None:
    assert len({s.model_config["env_prefix"] for s in SECTIONS}) == len(SECTIONS)
    for path in field_paths(Sections):
        parent = path.rpartition(".")[0]
        assert any(section.path() == parent for section in SECTIONS), path


@pytest.mark.parametrize(
    ("path", "field"), field_paths(Sections).items(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_field_says_what_it_is_for_and_what_it_takes(path: str, field) -> None:
    assert field.description, path
    assert field.description.endswith("."), path
    assert allowed(field), path
    assert not field.is_required(), path


NUMBERS = [
    path
    for path, field in field_paths(Sections).items()
    if {"int", "float"}
    & set(str(field.annotation).replace("|", " ").replace("'", " ").replace(">", " ").split())
]


@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_has_bounds(path: str) -> None:
    words = allowed(field_paths(Sections)[path])
    assert ">" in words, f"{path}: {words}"


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ModelConfig.sealed().n_rounds = 3
    with pytest.raises(ValidationError, match="frozen"):
        Sections().model = ModelConfig.sealed()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_the_relevance_test_tolerates_a_share_below_all(level: float) -> None:
    with pytest.raises(ConfigError, match="fdr_level"):
        config.TSFreshConfig.sealed(fdr_level=level)
    with pytest.raises(StageError, match="fdr_level"):
        TSFreshRelevance(fdr_level=level)  # the stage behind it refuses the same


def test_a_section_alone_reads_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONWARD_MODEL__LEARNING_RATE", "0.11")
    monkeypatch.setenv("ONWARD_FEATURES__MANUAL__FAMILIES", "returns, volume")
    assert ModelConfig().learning_rate == 0.11
    assert ModelConfig(learning_rate=0.2).learning_rate == 0.2
    assert FeatureEngineeringConfig().manual.families == ("returns", "volume")
    assert ManualFeaturesConfig().families == ("returns", "volume")


def test_sealed_sections_and_compositions_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONWARD_MODEL__LEARNING_RATE", "0.11")
    monkeypatch.setenv("ONWARD_FEATURES__MANUAL__FAMILIES", "returns")
    assert ModelConfig.sealed().learning_rate == 0.03
    assert Sections().model.learning_rate == 0.03
    assert Sections(model={"n_rounds": 7}).model == ModelConfig.sealed(n_rounds=7)
    assert PlanSections(features={"stages": ["manual"]}).features.manual.families is None
    with sealed():
        assert ModelConfig().learning_rate == 0.03
    assert ModelConfig().learning_rate == 0.11


def test_a_composition_survives_pickling() -> None:
    before = Sections(model={"extra": {"a": 1}}, storage={"database_url": "sqlite:///x.db"})
    assert pickle.loads(pickle.dumps(before)) == before


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: ModelConfig(learning_rate=9), ["model.learning_rate", "got 9", "> 0.0 and <= 1.0"]),
        (
            lambda: ModelConfig(learning_raet=0.1),
            ["model.learning_raet", "mean model.learning_rate?"],
        ),
        (lambda: ModelConfig(learning_rate=float("nan")), ["model.learning_rate", "got nan"]),
        (lambda: ModelConfig(learning_rate="fast"), ["model.learning_rate", "'fast'", "a number"]),
        (lambda: ModelConfig(n_rounds=1.5), ["model.n_rounds", "1.5", "a whole number"]),
        (lambda: ModelConfig(n_rounds=True), ["model.n_rounds", "got true", "a whole number"]),
        (lambda: ModelConfig(n_rounds="x", lambda_l2=-1), ["model.n_rounds", "and so: model.lambda_l2"]),
        (lambda: ModelConfig(extra="{x"), ["model.extra", "JSON"]),
        (lambda: ModelConfig(extra="x"), ["model.extra", "key=value"]),
        (
            lambda: ValidationConfig(method="purged_kfld"),
            ["one of purged_kfold", "mean purged_kfold?"],
        ),
        (lambda: ValidationConfig(embargo="3x"), ["validation.embargo", "36h"]),
        (lambda: ValidationConfig(embargo=-3), ["validation.embargo", "got -3"]),
        (lambda: DataProcessingConfig(symbols=[]), ["data.symbols", "at least 1"]),
        (lambda: DataProcessingConfig(timeframe="1 hour"), ["data.timeframe", "a length of time"]),
        (lambda: DataProcessingConfig(timerange="2020"), ["data.timerange", "no range", "-20251231"]),
        (lambda: DataProcessingConfig(timerange="-"), ["data.timerange", "no range"]),
        (
            lambda: DataProcessingConfig(timerange="20200101-20190101"),
            ["data.timerange", "ends before"],
        ),
        (
            lambda: DataProcessingConfig(timerange="20200230-"),
            ["data.timerange", "no moment"],
        ),
        (lambda: FeatureEngineeringConfig(stages=["a", "b", "a"]), ["features.stages", "a more than once"]),
        (lambda: FeatureEngineeringConfig(manual={"famlies": []}), ["features.manual.famlies", "families?"]),
        (lambda: SelectionConfig(enabled="perhaps"), ["selection.enabled", "true or false"]),
        (lambda: Sections(modle={}), ["modle", "Did you mean model?"]),
        (lambda: Sections(model=3), ["model", "got 3"]),
    ],
)
def test_wrong_values_teach(build, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        build()
    for word in words:
        assert word in str(caught.value)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["20200101-20251231", "20200101-", "-20251231", "20200101T1230-1700000000"])
def test_time_ranges_are_those_that_data_reads(text: str) -> None:
    from onward.data import parse_timerange

    assert DataProcessingConfig.sealed(timerange=text).timerange == text
    parse_timerange(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("24", 24), (24, 24), ("36h", "36h"), ("none", None), (None, None), ("null", None)],
)
def test_embargo_is_bars_or_time_or_nothing(given: object, expected: object) -> None:
    assert ValidationConfig.sealed(embargo=given).embargo == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("BTC/USDT", ("BTC/USDT",)),
        ("BTC/USDT, ETH/USDT", ("BTC/USDT", "ETH/USDT")),
        ('["BTC/USDT"]', ("BTC/USDT",)),
        (["BTC/USDT"], ("BTC/USDT",)),
        ("None", None),
    ],
)
def test_lists_are_read_from_text(given: object, expected: object) -> None:
    assert DataProcessingConfig.sealed(symbols=given).symbols == expected


def test_an_empty_text_is_an_empty_list() -> None:
    assert DataProcessingConfig.sealed(series="").series == ()


def test_tables_are_read_from_text() -> None:
    table = {"a": 1, "b": "x", "c": [1, 2]}
    assert ModelConfig.sealed(extra='{"a": 1, "b": "x", "c": [1, 2]}').extra == table
    assert ModelConfig.sealed(extra="a=1, b=x").extra == {"a": 1, "b": "x"}
    assert ModelConfig.sealed(extra="").extra == {}


def test_switches_are_read_from_words() -> None:
    assert SelectionConfig.sealed(enabled="off").enabled is False
    assert SelectionConfig.sealed(enabled="yes").enabled is True
    assert TrainingConfig.sealed(n_threads="none").n_threads is None


def test_secrets_do_not_show() -> None:
    storage = StorageConfig.sealed(database_url="postgresql://me:hidden@host/db")
    assert "hidden" not in repr(storage) + str(storage) + repr(Sections(storage=storage))
    assert storage.database_url is not None
    assert storage.database_url.get_secret_value().endswith("hidden@host/db")


def test_a_range_of_time_takes_years() -> None:
    assert DataProcessingConfig(timerange="2020-2022").timerange == "2020-2022"
    with pytest.raises(ConfigError, match="ends before it begins"):
        DataProcessingConfig(timerange="2022-2020")
