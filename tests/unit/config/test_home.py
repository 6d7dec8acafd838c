"""Where state lives, and what happens when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from onward.config.home import Home
from onward.errors import StorageError


def test_layout_is_the_documented_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    root = tmp_path / "home"
    assert home.database == root / "onward.db"
    assert [d.relative_to(root).as_posix() for d in home.directories] == [
        ".",
        "data",
        "models",
        "runs",
        "jobs",
        "cache/features",
        "cache/numba",
        "logs",
    ]


def test_nothing_is_created_before_ensure(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert not home.root.exists()
    assert home.ensure() is home
    assert all(d.is_dir() for d in home.directories)
    home.ensure()


def test_default_reads_the_environment(tmp_path: Path) -> None:
    assert Home.default({"ONWARD_HOME": str(tmp_path)}).root == tmp_path


@pytest.mark.parametrize("environment", [{}, {"ONWARD_HOME": ""}, {"ONWARD_HOME": "  "}])
def test_default_without_a_name_is_the_platform_directory(environment: dict[str, str]) -> None:
    root = Home.default(environment).root
    assert root.is_absolute()
    assert "onward" in root.name


def test_relative_paths_and_tilde_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home(Path("here")).root == tmp_path / "here"
    assert Home(Path("~/there")).root == tmp_path / "there"


@pytest.mark.parametrize("name", ["plain", "with space", "what?", "50%", "a#b", "日本"])
def test_database_url_survives_any_directory_name(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path / name)
    assert make_url(home.database_url).database == str(home.database)


def test_a_file_in_the_way_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a directory")
    with pytest.raises(StorageError, match="--home or ONWARD_HOME"):
        Home(tmp_path / "home").ensure()


def test_an_unknown_user_is_a_storage_error() -> None:
    with pytest.raises(StorageError, match="unknown user"):
        Home(Path("~nobody-of-this-name/onward"))


def test_a_home_that_is_a_file_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for root in (file, file / "below", Path("/dev/null")):
        with pytest.raises(StorageError, match="no directory"):
            Home(root).checked()
    new = Home(tmp_path / "to" / "be" / "made")
    assert new.checked() is new
    assert not (tmp_path / "to").exists()
    assert Home(Path("/")).checked().root == Path("/")
