"""What the settings page shows: values with their origin, secrets masked, keys by whether they work."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onward.access.values import ApiKey
from onward.config.layers import field_paths
from onward.dashboard.i18n import LANGUAGES, texts_of
from onward.dashboard.i18n.texts import catalogue
from onward.dashboard.views.settings import keys_view, settings_view
from onward.settings import ResolvedSettings, Settings, load_settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
JAPANESE = re.compile("[\u3040-\u30ff]")
"""Kana, which every Japanese sentence has."""


def resolved(home: Path) -> ResolvedSettings:
    (home / "onward.toml").write_text(
        'model.n_rounds = 7\nstorage.database_url = "postgresql://me:hush@db/x"\n'
    )
    return load_settings(home=home, cwd=home, environ={"ONWARD_EVALUATION__FEE_BPS": "9"})


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    view = settings_view(resolved(tmp_path), texts_of("en"))
    lines = {line.name: line for section in view.sections for line in section.lines}
    order = [section.name for section in view.sections]
    assert order.index("features") < order.index("features.tsfresh")
    assert set(lines) == set(field_paths(Settings))
    assert (lines["model.n_rounds"].value, lines["model.n_rounds"].source) == ("7", "onward.toml")
    assert lines["evaluation.fee_bps"].source == "environment"
    assert not lines["model.learning_rate"].is_changed
    assert view.n_changed == 3
    assert view.files == (str(tmp_path / "onward.toml"),)
    assert "hush" not in repr(view)
    assert "postgresql://me:***@db" in lines["storage.database_url"].value


def test_the_list_is_narrowed_by_words_and_to_what_was_changed(tmp_path: Path) -> None:
    settings = resolved(tmp_path)
    changed = settings_view(settings, texts_of("en"), only_changed=True)
    assert changed.n_shown == 3
    assert settings_view(settings, texts_of("en"), wanted="Boosting ROUNDS").n_shown == 1
    assert not settings_view(settings, texts_of("en"), wanted="no such words").sections


def test_every_section_has_a_name(tmp_path: Path) -> None:
    view = settings_view(resolved(tmp_path), texts_of("en"))
    for language in LANGUAGES:
        for section in view.sections:
            assert f"settings.section.{section.key}" in texts_of(language)


def test_every_setting_of_every_section_is_explained_in_japanese(tmp_path: Path) -> None:
    told = {
        key.removeprefix("settings_help."): text
        for key, text in catalogue("ja").items()
        if key.startswith("settings_help.")
    }
    settings = set(field_paths(Settings))
    assert not settings - set(told), "texts/ja/settings_help.toml does not explain these"
    assert not set(told) - settings, "settings that are gone"
    english = [name for name, text in told.items() if not JAPANESE.search(str(text))]
    assert not english, "left in English"
    view = settings_view(resolved(tmp_path), texts_of("ja"))
    assert {line.help_language for section in view.sections for line in section.lines} == {"ja"}


def key(name: str, **more: datetime) -> ApiKey:
    return ApiKey(id=name, name=name, scope="run", created_at=NOW - HOUR, **more)


def test_keys_that_work_come_first() -> None:
    keys = [
        key("gone", revoked_at=NOW - HOUR),
        key("old", expires_at=NOW - HOUR),
        key("new", expires_at=NOW + HOUR),
    ]
    view = keys_view(keys, NOW, is_open=False, own_id="new")
    assert [(line.name, line.state, line.is_own) for line in view.keys] == [
        ("new", "works", True),
        ("gone", "revoked", False),
        ("old", "expired", False),
    ]
    assert view.n_working == 1
    assert view.scopes[0] == "read"


def test_the_first_key_is_offered_the_scope_that_can_make_others() -> None:
    assert keys_view([], NOW, is_open=True).scopes[0] == "admin"
