"""``onward audit`` on plans with an ensemble and with a search: it says what it checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import onward as ow
from onward.cli.app import app

PLAN = """
[features]
stages = ["manual"]
[features.manual]
families = ["returns"]
[labels]
method = "triple_barrier"
horizon_bars = 6
window_bars = 24
events = "cusum"
cusum_threshold = 0.5
[validation]
n_splits = 3
[selection]
null_importance = false
[model]
n_rounds = 5
[training]
inner_folds = 2
"""
ENSEMBLE = '[ensemble]\nmethod = "voting"\nvotes = "score"\nmembers = ["lightgbm", "logistic"]\n'
SEARCH = '[optimization]\ntrials = 2\ninner_splits = 2\n[optimization.space]\n"model.num_leaves" = [2, 8]\n'
LEARNING = ("interval_overlap", "label_resolution", "determinism", "test_label_perturbation", "perturbation")


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONWARD_HOME", str(tmp_path / "home"))
    bars = ow.sample_market().last(900).bars.droplevel(0).reset_index()
    bars.to_csv(tmp_path / "bars.csv", index=False)

    def run(plan: str, *arguments: str) -> Result:
        (tmp_path / "plan.toml").write_text(plan)
        return CliRunner().invoke(app, ["audit", "--plan", "plan.toml", "--data", "bars.csv", *arguments])

    return run


@pytest.mark.parametrize(
    ("plan", "subject"),
    [(PLAN + ENSEMBLE, "EnsembleTrainer"), (PLAN + SEARCH, "OptimizationCoordinator")],
    ids=["ensemble", "search"],
)
def test_a_plan_passes_and_says_what_was_checked(audit, plan: str, subject: str) -> None:
    result = audit(plan, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["passed"]
    assert subject in report["subject"]
    checks = {check["name"]: check for check in report["checks"]}
    assert all(checks[name]["status"] == "passed" for name in LEARNING)
    shown = audit(plan)
    assert shown.exit_code == 0
    assert f"Audit of features and learning path of {subject}: passed" in shown.output
    for name in LEARNING:
        assert name in shown.output
    if "[ensemble]" in plan:  # outer folds, and the inner ones on which members are judged
        assert checks["interval_overlap"]["runs"] > 3


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (PLAN + ENSEMBLE.replace("voting", "votin"), "Did you mean voting"),
        (PLAN + ENSEMBLE.replace(', "logistic"', ""), "too few members"),
        (PLAN + SEARCH.replace("model.num_leaves", "model.leaves"), "model."),
        (PLAN + SEARCH.replace("[2, 8]", "[]"), "num_leaves"),
        (PLAN.replace("n_splits = 3", "n_splits = 1000") + ENSEMBLE, "fewer decision times"),
    ],
    ids=["unknown method", "one member", "unknown parameter", "empty space", "more folds than rows"],
)
def test_a_plan_that_cannot_be_is_refused(audit, plan: str, says: str) -> None:
    result = audit(plan)
    assert result.exit_code == 2, result.output
    assert says in result.output
    assert "Traceback" not in result.output
    assert "got" in result.output


def test_a_range_without_bars_is_refused(audit) -> None:
    result = audit(PLAN, "--timerange", "20300101-20300201")
    assert result.exit_code == 2
    assert "No bar opens within the time range" in result.output
