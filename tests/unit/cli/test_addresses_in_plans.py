"""A key that holds dots, such as the address of a calculator, is one key wherever it is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onward.testing.markets import random_walk
from onward.training.plan import TrainingPlan

ADDRESS = "own_calculators.widths:width"
MODULE = "def width(x):\n    return float(x.max() - x.min())\n\n\nwidth.fctype = 'simple'\n"
PLAN = f"""
[features]
stages = ["tsfresh"]

[features.tsfresh]
windows = [24]
columns = ["close_logret"]

[features.tsfresh.parameters]
mean = "none"
"{ADDRESS}" = "none"

[validation]
n_splits = 2

[model]
n_rounds = 5

[selection]
n_shifts = 20

[evaluation]
n_shifts = 100
"""
COLUMN = "tsfresh__close_logret__24__width"


@pytest.fixture
def plan(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "modules" / "own_calculators"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "widths.py").write_text(MODULE)
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    for name in ("own_calculators", "own_calculators.widths"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    random_walk(400).bars.reset_index("symbol", drop=True).to_csv("btc.csv")
    Path("plan.toml").write_text(PLAN)
    return Path("plan.toml")


def test_a_plan_file_keeps_it_whole(plan: Path, tmp_path: Path) -> None:
    read = TrainingPlan.from_file(plan)
    assert read.features.tsfresh.parameters == {"mean": "none", ADDRESS: "none"}
    again = tmp_path / "again.toml"
    again.write_text(read.to_toml())
    assert TrainingPlan.from_file(again) == read
    assert TrainingPlan.from_file(again).content_hash == read.content_hash
    assert read.with_overrides({"features.tsfresh.windows": [48]}).features.tsfresh.parameters == {
        "mean": "none",
        ADDRESS: "none",
    }


def test_the_list_knows_its_column(cli, plan: Path) -> None:
    found = cli.json("features", "list", plan, "--data", "btc.csv", "--columns")
    assert COLUMN in {f["column"] for f in found["features"]}


def test_a_training_computes_it(cli, plan: Path) -> None:
    switches = ("--set", "selection.enabled=false", "--set", "features.tsfresh.relevance=false")
    cli.ok("train", plan, "--data", "btc.csv", "--save", "own", "--no-audit", *switches)
    assert COLUMN in cli.ok("models", "show", "own/latest", "--json")


@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_command_line_writes_it_in_quotes(cli, plan: Path, quote: str) -> None:
    name = f"features.tsfresh.parameters.{quote}{ADDRESS}{quote}"
    whole = ("--set", "features.stages=tsfresh", "--set", "features.tsfresh.parameters=mean=none")
    found = cli.json("features", "list", *whole, "--set", f"{name}=none", "--data", "btc.csv", "--columns")
    assert {f["column"].rpartition("__")[2] for f in found["features"]} == {"mean", "width"}


def test_without_quotes_it_is_refused_in_words_that_can_be_typed(cli, plan: Path) -> None:
    refused = cli.fails("features", "list", "--set", f"features.tsfresh.parameters.{ADDRESS}.q=none")
    assert "part this name into too many levels (from --set)" in refused
    assert f'Write features.tsfresh.parameters."{ADDRESS}".q' in " ".join(refused.split())


def test_a_table_takes_the_place_of_a_value_and_the_other_way_round(cli) -> None:
    tables = TrainingPlan(model={"extra": {"a": 1}})
    assert tables.with_overrides({"model.extra.a.b": 2}).model.extra == {"a": {"b": 2}}
    assert tables.with_overrides({"model.extra.a.b": 2}).with_overrides({"model.extra.a": 3}).model.extra == {
        "a": 3
    }
