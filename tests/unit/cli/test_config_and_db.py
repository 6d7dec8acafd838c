"""``onward config`` and ``onward db``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from onward.config import Sections
from onward.config.layers import field_paths


def test_show_names_every_setting_and_its_place(cli) -> None:
    cli.home.mkdir()
    (cli.home / "onward.toml").write_text("[model]\nn_rounds = 7\n")
    Path("onward.toml").write_text("[model]\nnum_leaves = 5\n")
    shown = cli.json("config", "show", "--set", "labels.mode=fixed")
    assert set(shown["settings"]) == set(field_paths(Sections))
    assert shown["settings"]["model.n_rounds"] == {
        "value": 7,
        "from": f"onward.toml: {cli.home / 'onward.toml'}",
    }
    assert shown["settings"]["model.num_leaves"]["from"].endswith("work/onward.toml")
    assert shown["settings"]["labels.mode"] == {"value": "fixed", "from": "--set"}
    assert shown["settings"]["labels.horizon_bars"]["from"] == "default"
    assert shown["files"] == [str(cli.home / "onward.toml"), str(Path("onward.toml").resolve())]


def test_show_reads_a_plan_or_a_preset(cli) -> None:
    Path("mine.toml").write_text("[model]\nn_rounds = 9\n")
    assert cli.json("config", "show", "--plan", "mine.toml")["settings"]["model.n_rounds"]["value"] == 9
    shown = cli.json("config", "show", "--plan", "fast")["settings"]["model.n_rounds"]
    assert shown == {"value": 50, "from": "preset: fast"}
    assert "Did you mean fast?" in cli.fails("config", "show", "--plan", "fsat")
    assert "cannot be read" in cli.fails("config", "show", "--plan", "missing.toml")


def test_show_can_be_narrowed(cli) -> None:
    assert set(cli.json("config", "show", "training", "model.name")["settings"]) == {
        "training.seed",
        "training.calibration",
        "training.inner_folds",
        "training.n_threads",
        "model.name",
    }
    assert "Everything is at its default." in cli.ok("config", "show", "--changed")
    changed = cli.ok("config", "show", "--changed", "--set", "model.n_rounds=3")
    assert "model.n_rounds" in changed
    assert "model.name" not in changed
    assert "Did you mean model?" in cli.fails("config", "show", "modle")


def test_secrets_never_show(cli) -> None:
    secret = "storage.database_url=postgresql://me:hidden@host/db"
    for more in ([], ["--json"]):
        shown = cli.ok("config", "show", "--set", secret, *more)
        assert "hidden" not in shown
        assert "postgresql://me:***@host/db" in shown


@pytest.mark.parametrize("here", [False, True])
def test_init_writes_a_file_that_changes_nothing(here: bool, cli) -> None:
    before = cli.json("config", "show")["settings"]
    target = (Path.cwd() if here else cli.home) / "onward.toml"
    assert cli.json("config", "init", *(["--here"] if here else []))["written"] == str(target)
    assert tomllib.loads(target.read_text())["model"] == {}
    assert cli.json("config", "show")["settings"] == before
    assert [p.name for p in target.parent.iterdir()] == ["onward.toml"]


def test_init_replaces_nothing_unless_told(cli) -> None:
    cli.ok("config", "init", "--here")
    Path("onward.toml").write_text("[model]\nn_rounds = 7\n")
    assert "there is a settings file already" in cli.fails("config", "init", "--here")
    assert Path("onward.toml").read_text() == "[model]\nn_rounds = 7\n"
    cli.ok("config", "init", "--here", "--force")
    assert "n_rounds = 7" not in Path("onward.toml").read_text()


def test_a_broken_settings_file_does_not_keep_init_from_repairing_it(cli) -> None:
    Path("onward.toml").write_text("[[[")
    assert "not valid TOML" in cli.fails("config", "show")
    cli.ok("config", "init", "--here", "--force")
    cli.ok("config", "show")


def test_upgrade_twice_is_once(cli) -> None:
    first = cli.json("db", "upgrade")
    assert first["before"] is None
    assert first["changed"] is True
    again = cli.json("db", "upgrade")
    assert again == {"before": first["after"], "after": first["after"], "changed": False}
    assert "Up to date" in cli.ok("db", "upgrade")


def test_upgrade_refuses_what_it_does_not_know(cli) -> None:
    assert "not supported" in cli.fails("db", "upgrade", "--set", "storage.database_url=mysql://x/y")


def test_a_home_that_cannot_be(cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shown = cli.fails("db", "upgrade", "--home", tmp_path / "file", code=1)
    assert "The home directory is no directory" in shown
