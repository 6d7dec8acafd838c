"""What ``onward train`` says of a retraining schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.testing.markets import random_walk

PLAN = """
[features]
stages = ["manual"]
[features.manual]
families = ["returns"]
[labels]
horizon_bars = 6
window_bars = 48
[validation]
method = "walk_forward"
window = "10d"
step = "5d"
min_train_rows = 200
[selection]
n_shifts = 20
[model]
n_rounds = 5
[evaluation]
n_shifts = 100
[training]
n_threads = 1
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with 25 days of candles and a plan that retrains every five."""
    bars = random_walk(600).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(tmp_path / "btc.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def test_every_retrain_is_printed_with_its_scores(place: Path, cli) -> None:
    printed = cli.ok("train", place / "plan.toml", "--data", place / "btc.csv", "--no-audit")
    assert "3 retrains, each on 240 rows" in printed
    assert "are never scored" in printed
    lines = [line.split() for line in printed.splitlines()]
    table = [line for line in lines if line[:1] in (["1"], ["2"], ["3"]) and line[1:2] != ["retrains,"]]
    assert [line[3] for line in table] == ["240"] * 3
    assert [line[6] for line in table][:2] == ["120", "120"]
    assert "strays far from 0.5 on pure noise too" in printed


def test_programs_get_the_schedule_too(place: Path, cli) -> None:
    value = cli.json("train", place / "plan.toml", "--data", place / "btc.csv", "--no-audit")
    schedule = value["schedule"]
    assert schedule["n_retrains"] == len(schedule["retrains"]) == len(value["scores"]["folds"]) == 3
    first = schedule["retrains"][0]
    assert first["known_at"] < first["scored_from"] == schedule["first_scored"]
    other = cli.json(
        "train", "--data", place / "btc.csv", "--no-audit", place / "plan.toml", *sets("window=expanding")
    )
    assert [r["n_train"] for r in other["schedule"]["retrains"]] == sorted(
        r["n_train"] for r in other["schedule"]["retrains"]
    )
    k_fold = sets("method=purged_kfold", "window=expanding", "step=none", "min_train_rows=1", "n_splits=3")
    folds = cli.json("train", place / "plan.toml", "--data", place / "btc.csv", "--no-audit", *k_fold)
    assert folds["schedule"] is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("step=60d",), "longer than the data"),
        (("window=4h",), "no longer than a label lasts"),
        (("window=60d",), "never scored takes all the data"),
        (("min_train_rows=300",), "window leave fold 0 too few training rows"),
        (("method=purged_kfold",), "Set validation.method to walk_forward"),
        (("step=5 days",), "a length of time such as"),
    ],
)
def test_schedules_that_cannot_be_say_what_to_change(changes, words, place: Path, cli) -> None:
    said = cli.fails("train", place / "plan.toml", "--data", place / "btc.csv", *sets(*changes))
    assert words in " ".join(said.split())


def sets(*changes: str) -> list[str]:
    return [part for change in changes for part in ("--set", f"validation.{change}")]
