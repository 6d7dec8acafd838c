"""Words about fields and values."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from onward.config import Sections
from onward.config.describe import allowed, choices, default_text, shown
from onward.config.layers import field_paths, flattened
from onward.config.template import settings_template
from onward.config.toml import to_toml, toml_value
from onward.errors import ConfigError

FIELDS = field_paths(Sections)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("model.learning_rate", "a number > 0.0 and <= 1.0"),
        ("training.n_threads", "a whole number >= 1 and <= 1024, or none"),
        ("validation.embargo", "a whole number >= 0, or a length of time such as 90m, 36h or 3d, or none"),
        ("labels.mode", "one of fixed, quantile, volatility, adaptive"),
        ("data.symbols", "a list of text (at least 1), or none"),
        ("selection.enabled", "true or false"),
        ("model.extra", "a table"),
        ("storage.database_url", "text (kept secret), or none"),
    ],
)
def test_what_a_field_takes(path: str, expected: str) -> None:
    assert allowed(FIELDS[path]) == expected


def test_choices() -> None:
    assert choices(FIELDS["validation.method"].annotation) == (
        "purged_kfold",
        "walk_forward",
        "combinatorial",
    )
    assert choices(FIELDS["model.n_rounds"].annotation) == ()


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("postgresql://me:pw@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p@w@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:////tmp/onward.db", "sqlite:////tmp/onward.db"),
        ("token", "***"),
    ],
)
def test_secrets_are_masked(secret: str, expected: str) -> None:
    assert shown(SecretStr(secret)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (True, "true"),
        (1.5, "1.5"),
        ("a", '"a"'),
        (("a", "b"), '["a", "b"]'),
        ({"a": [1]}, "{a = [1]}"),
        (Path("x"), '"x"'),
    ],
)
def test_values_as_a_settings_file_writes_them(value: object, expected: str) -> None:
    assert default_text(value) == expected


def test_toml_reads_back_what_was_written() -> None:
    tables = {
        "a": {
            "text": 'q"uo\\te\n\ttab \x7f é 😀',
            "yes": True,
            "whole": 3,
            "part": 1e-9,
            "list": [1, "x", [2.5]],
            "a key": {"b.c": {"deep": "x"}, "empty": {}},
        },
        "empty": {},
    }
    read = tomllib.loads(to_toml(tables))
    assert read == {"a": {**tables["a"], "a key": {"b.c": {"deep": "x"}}}}


def test_toml_has_no_word_for_objects() -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        toml_value(object())


def test_the_template_lists_every_setting_and_sets_none() -> None:
    text = settings_template()
    assert all(line.startswith(("#", "[")) for line in text.splitlines() if line)
    uncommented = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()
    )
    values = flattened(tomllib.loads(uncommented))
    assert set(values) == set(FIELDS)
    assert Sections(**tomllib.loads(uncommented)) == Sections()
