"""``onward train`` with combinatorial folds: each backtest path has a line, and the report has a word."""

from __future__ import annotations

from pathlib import Path

from onward.testing.markets import random_walk

PLAN = """
[features]
stages = ["manual"]
[features.manual]
families = ["returns"]
[labels]
horizon_bars = 6
window_bars = 24
[validation]
method = "combinatorial"
n_groups = 3
n_test_groups = 2
[selection]
n_shifts = 20
[model]
n_rounds = 5
[evaluation]
n_shifts = 100
[training]
n_threads = 1
"""


def test_paths_are_shown_told_and_reported(cli, tmp_path: Path) -> None:
    bars = random_walk(420).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(tmp_path / "btc.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN)
    run = ("train", tmp_path / "plan.toml", "--data", tmp_path / "btc.csv", "--no-audit")
    shown = cli.ok(*run, "--report", tmp_path / "report.html")
    lines = [line.strip() for line in shown.splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("backtest path"))
    assert [line.split()[0] for line in lines[first + 2 : first + 4]] == ["0", "1"]
    assert "Over 2 backtest paths from 3 folds" in (tmp_path / "report.html").read_text(encoding="utf-8")
    told = cli.json(*run)["paths"]
    assert told["n_folds"] == 3
    assert len(told["paths"]) == 2


def test_groups_that_contradict_are_refused(cli, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN.replace("n_test_groups = 2", "n_test_groups = 3"))
    said = cli.fails("train", tmp_path / "plan.toml", "--data", "sample")
    assert "no group is left to train on" in said
