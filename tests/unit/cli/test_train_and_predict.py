"""``onward train``, ``audit``, ``predict`` and ``demo``: small, real, end to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from onward.cli.app import app
from onward.testing.markets import random_walk

SMALL = """
[features]
stages = ["manual"]
[features.manual]
families = ["returns"]
[labels]
horizon_bars = 6
window_bars = 48
[validation]
n_splits = 3
[selection]
n_shifts = 20
[model]
n_rounds = 5
[evaluation]
n_shifts = 100
[training]
n_threads = 1
"""
PEEKING = """
import pandas as pd

class Peek:
    name = "peek"
    scope = "symbol"
    lookback = 2

    def columns(self):
        return ("peek__next",)

    def compute(self, market):
        close = market.bars["close"]
        other = close.groupby(level="symbol").shift({shift})
        return (other / close - 1.0).to_frame("peek__next")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with candles and a small plan."""
    root = tmp_path_factory.mktemp("train")
    bars = random_walk(900).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(root / "btc.csv", index=False)
    (root / "small.toml").write_text(SMALL)
    return root


@pytest.fixture(scope="module")
def trained(place: Path) -> dict:
    """Return what a training said; its model lies in ``home`` beside the candles."""
    arguments = ["train", place / "small.toml", "--data", place / "btc.csv", "--save", "btc"]
    arguments += ["--alias", "champion", "--report", place / "report.html", "--home", place / "home"]
    result = CliRunner().invoke(app, [*(str(a) for a in arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_training_says_what_came_of_it(trained: dict, place: Path, cli) -> None:
    assert trained["model"] == "models:/btc/1"
    assert trained["certificate"]["status"] == "passed"
    assert trained["verdict"]["direction"]["level"] in (
        "no evidence of skill",
        "weak evidence",
        "evidence of skill",
    )
    assert trained["certificate"]["rows_probed"] > 0.5
    home = ("--home", place / "home")
    (run,) = cli.json("runs", "list", *home)
    assert run["id"] == trained["run"]
    assert run["record"]["plan_hash"] == trained["plan_hash"]
    assert run["record"]["model_ref"] == "models:/btc/1"
    assert cli.json("models", "show", "btc@champion", *home)["run_id"] == run["id"]
    report = Path(cli.ok("runs", "report", run["id"], *home).strip())
    assert report == place / "home" / "runs" / run["id"] / "report.html"
    assert report.read_text(encoding="utf-8") == (place / "report.html").read_text(encoding="utf-8")


def test_a_training_says_what_trading_it_earned_beside_holding_and_naive_rules(trained: dict) -> None:
    told = trained["backtest"]
    assert list(told["strategies"]) == [
        "model",
        "model_before_costs",
        "buy_and_hold",
        "momentum",
        "mean_reversion",
    ]
    assert told["terms"]["fee_bps"] == 5.0
    model, free = told["strategies"]["model"], told["strategies"]["model_before_costs"]
    assert model["total_return"] < free["total_return"]
    assert model["n_trades"] == free["n_trades"] > 0
    assert model["cost_per_year"] > 0 == free["cost_per_year"]
    assert told["strategies"]["buy_and_hold"]["time_invested"] == pytest.approx(1.0, abs=0.01)
    assert any("funding" in note for note in told["notes"])


def test_a_training_in_words(place: Path, cli) -> None:
    plan = ("--plan", place / "small.toml")
    idle = ("--set", "optimization.space.'model.num_leaves'=[2, 4]", "--set", "evaluation.kelly_fraction=0.2")
    shown = cli.ok("train", place / "small.toml", "--data", place / "btc.csv", "--no-audit", *idle)
    assert "`onward tune` searches" in shown
    assert "evaluation.sizing = fixed has no use for evaluation.kelly_fraction" in shown
    assert "Direction: " in shown
    assert "Range: " in shown
    assert "Leak audit: not run" in shown
    assert "momentum" in shown
    assert "returns" in cli.ok("features", "list", "--data", place / "btc.csv", *plan)


def test_predict_latest_equals_the_batch_row(trained: dict, place: Path, cli) -> None:
    common = ("predict", "btc@champion", "--data", place / "btc.csv", "--home", place / "home")
    last = pd.Timestamp("2020-01-01", tz="UTC") + pd.Timedelta(hours=900)
    latest = cli.json(*common, "--latest", "--at", last.isoformat())["predictions"]
    batch = cli.json(*common)["predictions"]
    assert len(batch) == 900
    assert latest == [batch[-1]]
    among = "of these bars are among those the model was trained on: judge it by its out-of-fold scores"
    assert f"Warning: 894 {among}" in cli(*common).stderr  # the newest 6 have no outcome yet
    assert f"Warning: 150 {among}" in cli(*common, "--timerange", "20200201-").stderr
    assert "among those" not in cli(*common, "--latest", "--at", last.isoformat()).stderr
    assert "1 of these bars is among" in cli(*common, "--latest", "--at", "2020-02-01").stderr
    assert "models:/btc/1" in cli.ok(*common, "--timerange", "20200201-")
    cli.ok(*common, "--out", "p.csv")
    assert len(pd.read_csv("p.csv")) == 900
    assert "there is a file already" in cli.fails(*common, "--out", "p.csv")
    assert ".parquet" in cli.fails(*common, "--out", "p.txt")


def test_predict_refuses_what_is_stale(trained: dict, place: Path, cli) -> None:
    common = ("predict", "btc@champion", "--data", place / "btc.csv", "--home", place / "home", "--latest")
    assert "stale" in cli.fails(*common)
    cli.ok(*common, "--set", "prediction.max_staleness_bars=none")
    assert "ISO 8601" in cli.fails(*common, "--at", "soon")
    assert "--latest" in cli.fails(*common[:-1], "--at", "2020-01-02")


def test_a_batch_of_stored_bars_says_that_the_newest_is_stale(trained: dict, place: Path, cli) -> None:
    cli.ok("data", "import", place / "btc.csv", "--symbol", "BTC/USD", "--home", place / "home")
    common = ("predict", "btc@champion", "--home", place / "home")
    told = cli(*common)
    assert told.exit_code == 0
    assert "Warning: the newest bar is stale: " in told.stderr
    assert "prediction.max_staleness_bars allows 2" in told.stderr
    for fresh in (("--timerange", "-20200110"), ("--set", "prediction.max_staleness_bars=none")):
        assert "stale" not in cli(*common, *fresh).stderr
    assert "stale" not in cli(*common, "--data", place / "btc.csv").stderr, "a file is about its own time"


def test_a_training_from_what_is_stored(place: Path, cli) -> None:
    cli.ok("data", "import", place / "btc.csv", "--symbol", "BTC/USD")
    value = cli.json("train", place / "small.toml", "--no-audit", "--timerange", "20200105-")
    (run,) = cli.json("runs", "list")
    assert run["id"] == value["run"]
    assert run["record"]["data"]["first_open"].startswith("2020-01-05")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fsat",), "Did you mean fast?"),
        (("missing.toml",), "cannot be read"),
        (("--data", "missing.csv"), "no such file"),
        ((), "onward data import"),
        (("--alias", "champion"), "--save"),
        (("--timerange", "yesterday"), "data.timerange"),
        (("--set", "model.name=lightgmb", "--data", "btc.csv"), "lightgbm"),
        (("--set", "features.stages=manuel", "--data", "btc.csv"), "manual"),
        (("--set", "validation.window=rolling", "--data", "btc.csv"), "walk_forward"),
        (("--data", "btc.csv", "--timerange", "20200101-20200102"), "bars"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_trainings_that_cannot_be(arguments: tuple[str, ...], words: str, place: Path, cli) -> None:
    Path("btc.csv").write_bytes((place / "btc.csv").read_bytes())
    assert words in cli.fails("train", *arguments)


def test_audit_of_the_users_own_code(place: Path, cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("future_stage.py").write_text(PEEKING.format(shift=-1))
    Path("past_stage.py").write_text(PEEKING.format(shift=1))
    data = ("--data", place / "btc.csv")
    result = cli("audit", "future_stage:Peek", *data)
    assert result.exit_code == 1
    assert "peek__next" in result.stdout
    assert "FAILED" in result.stdout
    report = cli.json("audit", "past_stage:Peek", *data)
    assert report["passed"] is True
    assert "no module" in cli.fails("audit", "nowhere:Stage", *data)
    assert "Did you mean" in cli.fails("audit", "manuel", *data)
    Path("broken_stage.py").write_text("import math\n\n\ndef broken(df):\n    return df['closs']\n")
    assert "(broken_stage.py, line 5)" in cli.fails("audit", "broken_stage:broken", *data)
    offered = cli.fails("audit", "broken_stage:zzz")  # no bars are stored: the name is looked at first
    assert "allowed: broken\n" in offered


def test_audit_of_a_stage_follows_the_settings(place: Path, cli) -> None:
    report = cli.json("audit", "manual", "--data", place / "btc.csv", "--plan", place / "small.toml")
    assert report["passed"] is True


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent to POSIX processes")
def test_ctrl_c_during_a_training(place: Path, cli) -> None:
    arguments = ["train", place / "small.toml", "--data", place / "btc.csv", "--save", "x"]
    slow = ["--set", "model.n_rounds=50000"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from onward.cli import main; main()", *map(str, arguments), *slow],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stderr is not None
    line = process.stderr.readline()  # the features are done, the first fold is at work
    assert line.startswith("features: "), line + process.stderr.read()
    time.sleep(0.5)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest, problem = process.communicate(timeout=30)
    assert time.monotonic() - sent < 5  # a second on a machine that is not overloaded
    assert process.returncode == 130, problem
    assert "Traceback" not in problem
    assert rest == ""
    assert cli.json("models", "list") == []
    assert [r["record"]["status"] for r in cli.json("runs", "list")] in (["cancelled"], ["running"])


@pytest.mark.slow
def test_demo(cli) -> None:
    shown = cli.ok("demo", "--plan", "fast")
    assert "20,111 real hourly bars of BTC/USD" in shown
    assert "Direction: " in shown
    assert Path("onward-demo.html").stat().st_size < 3_000_000
    assert "The bars are stored as BTC/USD 1h" in shown
    assert "stale" in cli.fails("predict", "demo@champion", "--latest"), "it can be asked; the bars are old"
