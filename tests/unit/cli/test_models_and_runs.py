"""``onward models`` and ``onward runs`` on a real registry and a real table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from onward.errors import LabelError
from onward.jobs.values import Outcome
from onward.registry import RunRecord, RunVerdict
from onward.registry.runvalues import told_failure
from onward.settings import load_settings
from onward.testing.registry import stage_bundle
from onward.wiring import Application, build_application
from tests.unit.cli.job_ways import begun, ended_in


@pytest.fixture
def application(cli) -> Application:
    return build_application(load_settings(home=cli.home))


@pytest.fixture
def versions(application: Application, tmp_path: Path) -> list[str]:
    published = []
    for seed in range(3):
        stage_bundle(tmp_path / f"bundle{seed}", seed=seed)
        published.append(application.registry.publish(tmp_path / f"bundle{seed}", "btc").ref)
    return published


def test_a_version_from_alias_to_deletion(cli, versions: list[str]) -> None:
    (model,) = cli.json("models", "list")
    assert (model["name"], model["n_versions"], model["latest"]) == ("btc", 3, 3)
    assert [v["number"] for v in cli.json("models", "list", "btc")] == [3, 2, 1]
    for number in (1, 3):
        event = cli.json(
            "models", "alias", "btc", "champion", str(number), "--actor", "ann", "--reason", "why"
        )
        assert (event["version"], event["actor"], event["reason"]) == (number, "ann", "why")
    assert "already" in cli.ok("models", "alias", "btc", "champion", "3")
    assert cli.json("models", "show", "btc@champion")["number"] == 3
    shown = cli.ok("models", "show", "models:/btc/3")
    assert "\nbtc-1h\n------\n" in shown
    assert not any(mark in shown for mark in ("&lt;", "|", "```", "**", "# "))
    assert "`onward models show btc/3 --json` shows it." in shown
    assert "`onward models alias btc champion --remove`" in cli.fails("models", "delete", "btc/3", "--yes")
    assert cli.json("models", "rollback", "btc", "champion")["version"] == 1
    changes = cli.json("models", "history", "btc")
    assert [(e["action"], e["version"]) for e in changes] == [("set", 1), ("set", 3), ("rollback", 1)]
    assert "rollback" in cli.ok("models", "history", "btc", "champion")
    cli.ok("models", "alias", "btc", "champion", "--remove")
    assert cli.json("models", "delete", "btc/3", "--yes")["number"] == 3
    assert [v["number"] for v in cli.json("models", "list", "btc")] == [2, 1]
    for number in (1, 2):
        cli.ok("models", "delete", f"btc/{number}", "--yes")
    assert "No version of btc is left: all were deleted." in cli.ok("models", "list", "btc")
    assert "none has been published yet" in cli.fails("models", "list", "eth")  # btc is none to offer


def test_the_name_of_a_model_shows_its_newest_version_and_the_way_to_others(cli, versions: list[str]) -> None:
    cli.ok("models", "alias", "btc", "champion", "1")
    shown = cli.ok("models", "show", "btc")
    assert shown.startswith("models:/btc/3\n")
    assert "This is the newest of 3 versions; champion is version 1." in shown
    assert "`onward models show btc@champion`" in shown
    assert "`onward models list btc`" in shown
    assert cli.json("models", "show", "models:/btc")["number"] == 3
    assert "newest of" not in cli.ok("models", "show", "btc/3")
    cli.ok("models", "alias", "btc", "champion", "--remove")
    assert "`onward models show btc/2`" in cli.ok("models", "show", "btc")
    for number in (1, 2):
        cli.ok("models", "delete", f"btc/{number}", "--yes")
    assert "newest of" not in cli.ok("models", "show", "btc"), "there is no other one"
    assert "Did you mean btc?" in cli.fails("models", "show", "bct")
    assert "cannot have this name" in cli.fails("models", "show", "")
    for verb in ("delete", "export"):  # these do not guess, and say what to write
        assert "Write btc/latest" in cli.fails("models", verb, "btc", *(["f"] if verb == "export" else []))


def test_what_was_live_when(cli, versions: list[str]) -> None:
    cli.ok("models", "alias", "btc", "champion", "2")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert cli.json("models", "history", "btc", "--at", later)["version"] == 2
    assert cli.json("models", "history", "btc", "--at", "2020-01-01") is None
    assert "stood for nothing" in cli.ok("models", "history", "btc", "--at", "2020-01-01T12:00")
    assert "ISO 8601" in cli.fails("models", "history", "btc", "--at", "yesterday")


def test_the_way_to_all_versions_is_a_command_that_works(cli, versions: list[str]) -> None:
    assert "`onward models list btc`" in cli.fails("models", "show", "btc/77")


def test_a_deletion_is_confirmed(cli, versions: list[str]) -> None:
    assert cli("models", "delete", "btc/1", stdin="n\n").exit_code == 1
    assert len(cli.json("models", "list", "btc")) == 3
    assert "--yes" in cli.fails("models", "delete", "btc/1", "--json")
    assert "Add --yes" in cli.fails("models", "delete", "btc/1")  # the input is empty
    cli.ok("models", "delete", "btc/1", stdin="y\n")
    assert len(cli.json("models", "list", "btc")) == 2


def test_a_version_goes_into_a_file_and_back(cli, versions: list[str], tmp_path: Path) -> None:
    cli.ok("models", "export", "btc/2", "btc.onward")
    assert "would replace" in cli.fails("models", "export", "btc/2", "btc.onward")
    assert "--force" in cli.fails("models", "export", "btc/2", "btc.onward")
    cli.ok("models", "export", "btc/2", "btc.onward", "--force")
    cli.ok("models", "export", "btc/2", "new/place/btc.onward")
    other = ("--home", tmp_path / "other")
    assert (
        cli.json("models", "import", "btc.onward", *other)["ref"] == "models:/btc-1h/1"
    )  # the name in its manifest
    assert cli.json("models", "import", "btc.onward", "--name", "eth", *other)["ref"] == "models:/eth/1"
    Path("broken.onward").write_bytes(Path("btc.onward").read_bytes()[:-40])
    cli.fails("models", "import", "broken.onward", *other)


def test_cleanup_keeps_what_is_in_use(cli, versions: list[str]) -> None:
    cli.ok("models", "alias", "btc", "champion", "1")
    limit = ("--max-versions", "1")
    assert cli.json("models", "cleanup", *limit, "--dry-run")["deleted"] == ["models:/btc/2"]
    assert len(cli.json("models", "list", "btc")) == 3
    assert "Deleted models:/btc/2" in cli.ok("models", "cleanup", "btc", "--set", "registry.max_versions=1")
    assert [v["number"] for v in cli.json("models", "list", "btc")] == [3, 1]
    assert "Nothing to delete" in cli.ok("models", "cleanup")


def test_only_audited_versions_get_an_alias(cli, application: Application, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "bundle", certificate="failed")
    application.registry.publish(tmp_path / "bundle", "btc")
    assert "certificate" in cli.fails("models", "alias", "btc", "champion", "1").lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "btc"),
        ("show", "btc/1"),
        ("show", "?"),
        ("alias", "btc", "champion", "1"),
        ("alias", "btc", "champion"),
        ("alias", "btc", "champion", "1", "--remove"),
        ("rollback", "btc", "champion"),
        ("history", "btc"),
        ("delete", "btc/1", "--yes"),
        ("export", "btc/1", "x"),
        ("import", "missing"),
        ("cleanup", "btc"),
    ],
    ids=" ".join,
)
def test_models_that_do_not_exist(arguments: tuple[str, ...], cli) -> None:
    assert cli.fails("models", *arguments).startswith("Error: ")


def record(**changes: object) -> RunRecord:
    fields: dict[str, object] = {
        "kind": "train",
        "plan": {"model": {"name": "lightgbm", "n_rounds": 150}},
        "plan_hash": "a" * 64,
        "data_hash": "d" * 64,
        "label_family": "threshold:24",
        "data": {
            "symbols": ["BTC/USD"],
            "timeframe": "1h",
            "first_open": "2017-07-01",
            "last_open": "2019-10-17",
        },
        "scores": {"pooled": {"direction_auc": 0.51}},
        "verdicts": {
            "direction": RunVerdict("no evidence of skill", 0.4),
            "range": RunVerdict("weak evidence", 0.03),
        },
        "looked_at": True,
    }
    return RunRecord(**(fields | changes))  # type: ignore[arg-type]


def test_runs_are_listed_shown_and_compared(cli, application: Application) -> None:
    assert cli.json("runs", "list") == []
    one = application.runs.record(record()).id
    plan = {"model": {"name": "lightgbm", "n_rounds": 50}}
    two = application.runs.record(record(plan=plan, plan_hash="b" * 64)).id
    assert {r["id"] for r in cli.json("runs", "list")} == {one, two}
    assert len(cli.json("runs", "list", "--limit", "1")) == 1
    listed = cli.ok("runs", "list")
    assert "no evidence (0.4)" in listed
    assert "BTC/USD 1h 2017-07-01–2019-10-17" in listed
    shown = cli.json("runs", "show", one)
    assert shown["looked_at"] == 2
    assert shown["run"]["record"]["scores"]["pooled"]["direction_auc"] == 0.51
    assert "configurations looked at on these data and labels (threshold:24): 2" in cli.ok(
        "runs", "show", one
    )
    compared = cli.json("runs", "compare", one, two)
    assert compared["plan"] == {"model.n_rounds": [150, 50]}
    assert compared["same_data"] is True
    assert "n_rounds" in cli.ok("runs", "compare", one, two)
    other = application.runs.record(record(data_hash="e" * 64)).id
    assert "different data" in cli.ok("runs", "compare", one, other)


def test_a_run_is_shown_in_two_small_tables(cli, application: Application) -> None:
    one = {"n": 40, "direction_auc": 0.51, "brier": 0.6}
    scores = {"pooled": one, "folds": {"0": one, "1": one}, "baselines": {"momentum": one}}
    run = application.runs.record(record(scores=scores, report_path="runs/x/report.html")).id
    shown = cli.ok("runs", "show", run)
    (head,) = [line for line in shown.splitlines() if "pooled score" in line]
    assert head.split() == ["pooled", "score", "model", "momentum"]
    (folds,) = [line for line in shown.splitlines() if line.split()[:1] == ["fold"]]
    assert folds.split() == ["fold", "n", "direction_auc"]
    assert "folds.0" not in shown
    assert f"report: {cli.home / 'runs/x/report.html'}" in shown
    again = application.runs.record(record(scores=scores)).id
    assert "folds.0" not in cli.ok("runs", "compare", run, again)
    assert "folds.0.brier" in cli.json("runs", "compare", run, again)["scores"]


def test_a_run_that_failed_says_why_before_anything_else(cli, application: Application) -> None:
    job = begun(application)
    error = {"error": "DataError", "what": "The bars are odd", "got": "3", "remedy": "Mend them."}
    ended_in(application, job, Outcome("failed", "error", error=error))
    failed = {"status": "failed", "scores": {}, "verdicts": {}}
    shown = cli.ok("runs", "show", application.runs.record(record(**failed, job_id=job.id)).id).splitlines()
    assert shown[1:5] == [
        "why: The bars are odd",
        "got: 3",
        "fix: Mend them.",
        f"job: onward jobs show {job.id}",
    ]
    assert not any("n_rounds" in line for line in shown)
    assert "pruned" in cli.ok("runs", "show", application.runs.record(record(**failed, job_id="gone")).id)
    assert "nobody kept it" in cli.ok("runs", "show", application.runs.record(record(**failed)).id)
    kept = told_failure(LabelError("No label is known", got="12 bars", remedy="Give more bars."))
    for job_id in (None, "gone"):  # in the foreground; and a job that was pruned since
        run = application.runs.record(record(**failed, job_id=job_id, error=kept)).id
        shown = cli.ok("runs", "show", run).splitlines()
        assert shown[1:4] == ["why: No label is known", "got: 12 bars", "fix: Give more bars."]
        assert cli.json("runs", "show", run)["run"]["record"]["error"] == kept


def test_the_count_is_told_as_it_was_and_as_it_is(cli, application: Application) -> None:
    judged = {"verdicts": {"direction": RunVerdict("no evidence of skill", 0.3, 1)}}
    run = application.runs.record(record(**judged)).id
    assert ": 1 when this run was judged, for which its p values are corrected, and no more since" in cli.ok(
        "runs", "show", run
    )
    application.runs.record(record(plan_hash="f" * 64))
    assert "corrected; 2 now" in cli.ok("runs", "show", run)
    older = application.runs.record(
        record(verdicts={"direction": RunVerdict("no evidence of skill", 0.3)})
    ).id
    assert "2 now; the p values below were corrected for those looked at by then" in cli.ok(
        "runs", "show", older
    )


def test_the_report_of_a_run(cli, application: Application) -> None:
    run = application.runs.record(record()).id
    assert "no report" in cli.fails("runs", "report", run)
    report = cli.home / "runs" / "report.html"
    report.write_text("<p>verdict</p>")
    application.runs.update(run, report_path=str(report))
    assert cli.ok("runs", "report", run).strip() == str(report)
    cli.ok("runs", "report", run, "--out", "copy.html")
    cli.ok("runs", "report", run, "--out", "new/place/copy.html")
    assert Path("copy.html").read_text() == "<p>verdict</p>"
    assert "there is a file already" in cli.fails("runs", "report", run, "--out", "copy.html")
    report.unlink()
    assert "is gone" in cli.fails("runs", "report", run)


@pytest.mark.parametrize(
    "arguments", [("show", "x"), ("compare", "x"), ("compare", "x", "y"), ("report", "x")]
)
def test_runs_that_do_not_exist(arguments: tuple[str, ...], cli) -> None:
    assert cli.fails("runs", *arguments).startswith("Error: ")
