"""``onward features``: what a plan makes, said before anything runs, and made."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from onward.config import StorageConfig
from onward.features.manual import ManualFeaturesStage
from onward.features.manual.costs import MICROSECONDS
from onward.testing.markets import planted_signal, random_walk
from onward.training.plan import TrainingPlan
from onward.training.stages import make_pipeline

MANUAL = ("--set", "features.stages=manual")
OWN = """
import pandas as pd


class Mine:
    name, scope, lookback = "mine", "symbol", 5

    def columns(self):
        return ("mine__a", "mine__b")

    def compute(self, market):
        raise AssertionError("computed")


class Wrong(Mine):
    name = "wrong"

    def columns(self):
        return ("wrong__a",)

    def compute(self, market):
        return {returned}
"""


@pytest.fixture
def bars(cli) -> Path:
    random_walk(500).bars.reset_index("symbol", drop=True).to_csv("btc.csv")
    return Path("btc.csv")


def test_the_list_is_for_the_market_at_hand(cli, bars: Path) -> None:
    found = cli.json("features", "list", *MANUAL, "--data", bars)
    stage = ManualFeaturesStage(timeframe=pd.Timedelta("1h"))
    assert (found["rows"], found["timeframe"]) == (500, "1h")
    assert found["columns"] == len(stage.columns())
    assert found["lookback_bars"] == stage.lookback
    assert found["matrix_bytes"] == 500 * len(stage.columns()) * 4
    on = {f["family"]: f for f in found["families"] if not f["off"]}
    assert {name: tuple(f["columns"]) for name, f in on.items()} == dict(stage.columns_by_family())
    for name, family in on.items():
        assert family["seconds"] == pytest.approx(MICROSECONDS[name] * len(family["columns"]) * 500 / 1e6)
    assert found["seconds"] == pytest.approx(sum(f["seconds"] for f in on.values()))
    assert max(f["lookback"] for f in on.values()) == stage.lookback
    off = {f["family"]: f["off"] for f in found["families"] if f["off"]}
    assert off == dict(stage.disabled)
    assert found["columns_of_unknown_cost"] == 0


def test_the_table_says_it_to_people(cli, bars: Path) -> None:
    shown = cli.ok("features", "list", *MANUAL, "--data", bars)
    lines = shown.splitlines()
    assert lines[1].split() == ["stage", "family", "state", "columns", "lookback", "seconds"]
    (temporal,) = [line.split() for line in lines if " temporal " in line]
    assert temporal == ["manual", "temporal", "on", "15", "1", "0.000045"]
    (funding,) = [line for line in lines if " funding " in line]
    assert "off: needs the side series value funding_rate" in funding
    assert lines[-2] == "221 columns; 1413 bars of history a row."
    assert lines[-1].startswith("For 500 bars of ")
    assert lines[-1].endswith("442 kB in memory.")


def test_every_column_on_a_line(cli, bars: Path) -> None:
    arguments = ("features", "list", *MANUAL, "--data", bars, "--columns")
    shown = cli.ok(*arguments)
    stage = ManualFeaturesStage(timeframe=pd.Timedelta("1h"))
    lines = {line.split()[0]: line.split() for line in shown.splitlines() if "__" in line}
    assert tuple(lines) == stage.columns()
    assert lines["manual__rsi_14"][1:] == ["manual", "oscillators", "379", "0.023"]
    features = cli.json(*arguments)["features"]
    assert [f["column"] for f in features] == list(stage.columns())
    assert features[0] == {
        "column": stage.columns()[0],
        "stage": "manual",
        "family": "price",
        "lookback": 1,
        "microseconds": MICROSECONDS["price"],
    }
    assert "features" not in cli.json(*arguments[:-1])


SAMPLE = "No market is named and none is stored: this list is for the bundled sample."


def test_without_a_market_the_list_is_for_the_sample_and_says_so(cli) -> None:
    shown = cli.ok("features", "list", *MANUAL)
    assert shown.splitlines()[0] == SAMPLE
    assert "For 20,111 bars of BTC/USD, 1h" in shown
    assert cli.json("features", "list", *MANUAL)["sample"] is True


def test_what_is_stored_is_what_the_list_is_for(cli, bars: Path) -> None:
    cli.ok("data", "import", bars, "--symbol", "BTC/USDT")
    shown = cli.ok("features", "list", *MANUAL)
    assert SAMPLE not in shown
    assert "For 500 bars of BTC/USDT, 1h" in shown
    assert cli.json("features", "list", *MANUAL)["sample"] is False


def test_the_plan_is_an_argument_or_an_option(cli, bars: Path) -> None:
    Path("plan.toml").write_text('[features]\nstages = ["manual"]\nmanual.families = ["temporal"]\n')
    first, second = (
        cli.json("features", "list", *plan, "--data", bars)
        for plan in (["plan.toml"], ["--plan", "plan.toml"])
    )
    assert first == second
    assert first["columns"] == 15
    cli.ok("features", "build", "plan.toml", "--data", bars, "--out", "f.parquet")
    assert pd.read_parquet("f.parquet").filter(like="manual__").shape == (500, 15)
    shown = cli.fails("features", "list", "plan.toml", "--plan", "fast")
    assert "two plans are named" in shown


def test_stages_of_ones_own_are_listed_and_not_run(cli, bars: Path) -> None:
    Path("own_list_stage.py").write_text(OWN.format(returned="None"))
    stages = ("--set", 'features.stages=["manual", "own_list_stage:Mine"]', "--data", bars)
    found = cli.json("features", "list", *stages)
    (mine,) = [f for f in found["families"] if f["stage"] == "mine"]
    assert mine == {
        "stage": "mine",
        "family": "",
        "off": "",
        "columns": ["mine__a", "mine__b"],
        "lookback": 5,
        "seconds": None,
    }
    assert found["columns_of_unknown_cost"] == 2
    assert "Not in it: 2 columns whose cost nobody measured." in cli.ok("features", "list", *stages)


def test_what_is_fitted_is_listed_in_order(cli, bars: Path) -> None:
    arguments = ("features", "list", *MANUAL, "--data", bars)
    fitted = cli.json(*arguments)["fitted"]
    assert fitted[-1]["stage"] == "advanced_selection"
    assert fitted[-1]["what"]
    assert "fitted in every fold" in cli.ok(*arguments)
    off = (*arguments, "--set", "selection.enabled=false")
    assert cli.json(*off)["fitted"] == []
    assert "fitted in every fold" not in cli.ok(*off)


def test_series_switch_families_on(cli) -> None:
    market = planted_signal(400)
    market.bars.reset_index("symbol", drop=True).to_csv("btc.csv")
    driver = market.series["driver"].frame.drop(columns="symbol")
    driver.to_csv("driver.csv", index=False)
    found = cli.json("features", "list", *MANUAL, "--data", "btc.csv", "--series", "driver=driver.csv")
    assert not next(f["off"] for f in found["families"] if f["family"] == "custom_series")


def test_listing_computes_nothing(cli, bars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object, **_named: object) -> None:
        raise AssertionError("computed")

    monkeypatch.setattr(ManualFeaturesStage, "compute_into", never)
    monkeypatch.setattr(ManualFeaturesStage, "compute", never)
    assert "221 columns" in cli.ok("features", "list", *MANUAL, "--data", bars)
    assert not (cli.home / "cache").exists()


def test_listing_imports_no_model_library() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom onward.cli.app import app\n"
        "result = CliRunner().invoke(app, ['features', 'list', '--set', 'features.stages=manual'])\n"
        "assert result.exit_code == 0, result.output\n"
        "heavy = 'sklearn lightgbm sqlalchemy alembic tsfresh featuretools autofeat sympy optuna'\n"
        "print([m for m in heavy.split() if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("pd.DataFrame({'wrong__a': 1.0}, index=market.bars.index).iloc[1:]", "499 rows"),
        ("pd.DataFrame({'wrong__a': float('inf')}, index=market.bars.index)", "infinite"),
        ("pd.DataFrame({'wrong__a': 1}, index=market.bars.index)", "of type int64"),
        ("pd.DataFrame({'wrong__b': 1.0}, index=market.bars.index)", "Did it mean 'wrong__b'"),
        ("market.bars['close']", "does not give a table"),
    ],
)
def test_a_stage_of_ones_own_that_breaks_its_contract_is_a_clear_error(
    cli, bars: Path, returned: str, message: str
) -> None:
    Path("own_wrong_stage.py").write_text(OWN.format(returned=returned))
    sys.modules.pop("own_wrong_stage", None)
    arguments = ("--set", "features.stages=own_wrong_stage:Wrong", "--data", bars, "--out", "f.parquet")
    shown = cli.fails("features", "build", *arguments)
    assert "the stage 'wrong'" in shown
    assert message in shown
    assert not Path("f.parquet").exists()


def test_what_the_how_to_shows_works() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "choose-features.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    plans = [TrainingPlan(**tomllib.loads(block)) for block in blocks]
    assert plans[0].features.stages == ("manual", "alpha158")
    pipeline = make_pipeline(plans[1], random_walk(200))
    assert "manual__realized_volatility_168" in pipeline.columns()
    assert not any(feature.family == "temporal" for feature in pipeline.describe())
    for setting, value in re.findall(r"`storage\.(\w+) = ([^`]+)`", text):
        StorageConfig.sealed(**{setting: value.strip('"')})
