"""Files that cannot be written, and names no model can have, are refused before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.errors import UserError
from onward.registry.writable import require_writable
from tests.unit.cli.conftest import Cli

COMMANDS = (
    ("train", "fast", "--report"),
    ("tune", "fast", "--report"),
    ("demo", "--report"),
    ("features", "build", "fast", "--out"),
    ("predict", "models:/btc@champion", "--out"),
    ("data", "convert", "bars.csv"),
    ("models", "export", "btc/1"),
)
"""Each followed by the file; none of them finds a model, and most no data: they are not looked for."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_written_is_refused_before_anything_else(
    cli: Cli, command: tuple[str, ...]
) -> None:
    Path("taken.csv").mkdir()
    Path("plain").write_text("")
    assert "there is a directory of this name" in cli.fails(*command, "taken.csv")
    told = cli.fails(*command, "plain/deep/out.csv")
    assert "no file can be written there" in told
    assert "Not a directory" in told
    assert "File name too long" in cli.fails(*command, f"{'x' * 230}.csv"), "drafts have longer names"
    assert sorted(path.name for path in Path().iterdir()) == ["plain", "taken.csv"]
    assert not (cli.home / "onward.db").exists(), "no run was begun"


@pytest.mark.parametrize("verb", ["train", "tune"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--save", "a b"), "A model cannot have this name"),
        (("--save", "con"), "A model cannot have this name"),
        (("--save", "btc", "--alias", "latest"), "An alias cannot have this name"),
        (("--save", "btc", "--alias", "7"), "An alias cannot have this name"),
        (("--save", "btc", "--alias", "champion", "--no-audit"), "passed its leak audit"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything_else(
    cli: Cli, verb: str, options: tuple[str, ...], said: str
) -> None:
    assert said in cli.fails(verb, "fast", *options)
    assert not (cli.home / "onward.db").exists(), "no run was begun"


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] in ("features", "predict", "data")])
def test_nothing_is_replaced_unless_it_is_asked_for(cli: Cli, command: tuple[str, ...]) -> None:
    Path("there.csv").write_text("kept")
    assert "there is a file already" in cli.fails(*command, "there.csv")
    assert Path("there.csv").read_text() == "kept"


def test_asking_leaves_nothing_behind_and_makes_no_directory(tmp_path: Path) -> None:
    for path in ("new.html", "missing/deep/new.html", "../new.html"):
        require_writable(tmp_path / "work" / path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="no file can be written there"):
        require_writable(Path("/proc/report.html"))
