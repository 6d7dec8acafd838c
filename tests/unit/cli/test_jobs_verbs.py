"""``onward jobs``: what is said about jobs that wait or have ended, and about mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from onward.database.moments import utc_now
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobRequest, Outcome
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.wiring import Application, build_application
from tests.unit.cli.job_ways import SMALL, SOMEBODY, begun, ended_in, lease_of


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with candles and a small plan."""
    bars = random_walk(600).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(tmp_path / "btc.csv", index=False)
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def application(cli):
    """Return the services of the home that the commands use."""
    services = build_application(load_settings(home=cli.home))
    yield services
    services.close()


def train(place: Path) -> list[str | Path]:
    return ["jobs", "submit", "train", place / "small.toml", "--data", place / "btc.csv"]


def queued(cli, place: Path, *more: str) -> dict:
    return cli.json(*train(place), *more)


def test_light_verbs_import_nothing_heavy(cli, place: Path) -> None:
    job = queued(cli, place)["id"]
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from onward.cli.app import app\n"
        f"for verb in (['list', '--json'], ['show', {job!r}], ['stop', {job!r}], ['logs', {job!r}],\n"
        f"             ['watch', {job!r}], ['prune']):\n"
        "    result = CliRunner().invoke(app, ['jobs', *verb])\n"
        "    assert result.exit_code in (0, 3), result.output\n"
        "heavy = 'pandas numpy pyarrow scipy sklearn lightgbm numba optuna prometheus_client'\n"
        "print([m for m in heavy.split() if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert found.stdout.strip() == "[]"


def test_no_job_yet(cli) -> None:
    assert "onward train --background" in cli.ok("jobs", "list")
    assert cli.json("jobs", "list") == []


def test_a_submitted_job_waits_and_says_how_to_watch_it(cli, place: Path) -> None:
    said = cli.ok(*train(place))
    job = cli.json("jobs", "list")[0]
    assert f"Job {job['id']} (train) is queued." in said
    assert "No worker or server was seen on this machine." in said
    assert "start one: onward worker, or onward serve" in said
    assert f"onward jobs watch {job['id']}" in said
    assert f"onward jobs stop {job['id']}" in said
    assert (job["kind"], job["state"], job["attempt"]) == ("train", "queued", 0)


def test_conditions_reach_the_job(cli, place: Path) -> None:
    conditions = ["--priority", "7", "--timeout", "60", "--memory", "900", "--attempts", "5"]
    job = queued(cli, place, *conditions, "--after", "2040-01-01T12:00")
    assert job["priority"] == 7
    assert job["timeout_seconds"] == 60
    assert job["memory_limit_mb"] == 900
    assert job["max_attempts"] == 5
    assert job["run_after"] == "2040-01-01T12:00:00+00:00"


def test_options_of_the_verb_reach_the_request(cli, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    options = ["--save", "btc", "--report", "out.html", "--no-audit", "--set", "model.n_rounds=4"]
    said = cli.json("jobs", "submit", "tune", "small.toml", "--data", "btc.csv", "--trials", "6", *options)
    spec = cli.json("jobs", "show", said["id"])["spec"]
    assert spec["data"] == str(place / "btc.csv")
    assert spec["report"] == str(place / "out.html")
    assert (spec["save"], spec["audit"]) == ("btc", False)
    assert spec["plan"]["model"]["n_rounds"] == 4
    assert spec["plan"]["optimization"]["trials"] == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "nowhere.csv"], "The file does not exist"),
        (["--data", "btc.csv", "--set", "model.name=lightgbmm"], "Did you mean 'lightgbm'?"),
        (["--data", "btc.csv", "--set", "validation.n_splits=300"], "shorter than a block"),
        (["--data", "btc.csv", "--alias", "champion"], "only a published model can have an alias"),
        (["--data", "btc.csv", "--set", "jobs.max_request_bytes=1024"], "jobs.max_request_bytes"),
        (["--data", "btc.csv", "--after", "tomorrow"], "--after takes a moment"),
        (["--data", "btc.csv", "--after", "9999-12-31T23:59:59-14:00"], "--after takes a moment"),
        (["--data", "btc.csv", "--attempts", "0"], "1 to 100"),
        (["--data", "btc.csv", "--timeout", "-1"], "above 0"),
    ],
)
def test_what_cannot_run_is_refused_at_submit(
    cli, place: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(place)
    assert said in cli.fails("jobs", "submit", "train", "small.toml", *options)
    assert cli.json("jobs", "list") == []


def test_an_unknown_kind_is_answered_with_the_nearest(cli) -> None:
    said = cli.fails("jobs", "submit", "trian", "plan.toml")
    assert "there is no such kind of job" in said
    assert "Did you mean train?" in said
    problem = json.loads(cli.fails("jobs", "submit", "dance", "--json"))
    assert problem["error"] == "JobError"
    assert problem["allowed"] == "train, tune, features, import, predict, audit"


def test_a_key_makes_one_job_and_refuses_another_request(cli, place: Path) -> None:
    first = queued(cli, place, "--key", "nightly")
    again = queued(cli, place, "--key", "nightly")
    assert (first["created"], again["created"]) == (True, False)
    assert first["id"] == again["id"]
    assert "The key 'nightly' made this job before" in cli.ok(*train(place), "--key", "nightly")
    said = cli.fails(*train(place), "--key", "nightly", "--no-audit")
    assert "The idempotency key belongs to another request" in said


def test_ids_may_be_shortened_and_unknown_ones_teach(cli, place: Path) -> None:
    job = queued(cli, place)["id"]
    assert cli.json("jobs", "show", job[:6])["id"] == job
    for verb in ("show", "watch", "logs", "stop", "retry"):
        said = cli.fails("jobs", verb, "0nowhere")
        assert "There is no such job" in said
        assert "onward jobs list" in said


def test_a_job_of_an_unknown_kind_says_what_it_waits_for(cli, place: Path, application: Application) -> None:
    known = queued(cli, place)["id"]
    job = application.job_store.submit(JobRequest("newer", {})).job
    for more in ((), ("--json",)):
        shown = cli("jobs", "show", job.id, *more)
        assert "do not know jobs of the kind newer" in shown.stderr
        assert "do not know" not in cli("jobs", "show", known, *more).stderr


def test_the_list_can_be_narrowed(cli, place: Path, application: Application) -> None:
    waiting = queued(cli, place)["id"]
    stopped = queued(cli, place)["id"]
    cli.ok("jobs", "stop", stopped)
    assert [job["id"] for job in cli.json("jobs", "list", "--state", "queued")] == [waiting]
    assert [job["id"] for job in cli.json("jobs", "list", "--state", "cancelled")] == [stopped]
    assert len(cli.json("jobs", "list", "--state", "queued", "--state", "cancelled")) == 2
    assert cli.json("jobs", "list", "--kind", "tune") == []
    assert "No such job." in cli.ok("jobs", "list", "--kind", "tune")
    assert "--limit shows more" in cli.ok("jobs", "list", "-n", "1")
    assert "Did you mean running?" in cli.fails("jobs", "list", "--state", "runing")


def test_a_job_that_waits_is_cancelled_at_once_and_then_left(cli, place: Path) -> None:
    job = queued(cli, place)["id"]
    assert "cancelled; it had not begun" in cli.ok("jobs", "stop", job, "--wait")
    assert "nothing to stop, it was cancelled at" in cli.ok("jobs", "stop", job)
    again = cli.json("jobs", "stop", job)
    assert (again["accepted"], again["state"]) == (False, "cancelled")


def test_stopping_a_live_job_says_where_it_runs(cli, application: Application) -> None:
    job = begun(application)
    assert "stopping, on elsewhere (process 4711)" in cli.ok("jobs", "stop", job.id)
    assert "stopping already" in cli.ok("jobs", "stop", job.id)


def test_watching_an_ended_job_tells_all_and_gives_its_code(cli, application: Application) -> None:
    job = begun(application)
    store = application.job_store
    store.report(
        lease_of(job),
        [
            ("log", {"level": "info", "text": "first line"}),
            ("log", {"level": "warning", "text": "second line"}),
            ("score", {"stage": "fold", "message": "fold 1", "values": {"range_auc": 0.5312345}}),
        ],
    )
    error = {"error": "DataError", "what": "Bars are missing", "got": "3", "remedy": "Import them."}
    ended_in(application, job, Outcome("failed", "error", error={**error, "traceback": "Traceback: x"}))
    result = cli("jobs", "watch", job.id, "--tail", "1")
    assert result.exit_code == 2  # as the same error in the foreground
    assert "first line" not in result.stdout
    assert "warning: second line" in result.stdout
    assert "fold 1: range_auc 0.5312" in result.stdout
    assert "Error: Bars are missing" in result.stderr
    assert "fix:     Import them." in result.stderr
    shown = cli("jobs", "show", job.id, "--events")
    assert "failed (error)" in shown.stdout
    assert "Traceback: x" in shown.stderr


def test_watching_as_json_ends_with_the_job_and_its_code(cli, application: Application) -> None:
    job = begun(application)
    ended_in(application, job, Outcome("succeeded", result={"passed": False}))
    result = cli("jobs", "watch", job.id, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert (lines[-1]["kind"], lines[-1]["exit_code"]) == ("end", 1)
    assert lines[-1]["job"]["state"] == "succeeded"
    assert result.exit_code == 1


def test_a_watched_job_that_was_stopped_ends_with_a_code_of_its_own(cli, place: Path) -> None:
    job = queued(cli, place)["id"]
    cli.ok("jobs", "stop", job)
    assert cli("jobs", "watch", job).exit_code == 3


def test_logs_come_from_the_files_where_they_lie(cli, application: Application) -> None:
    job = begun(application)
    assert (
        f"wrote nothing; its steps and scores: onward jobs watch {job.id}"
        in cli("jobs", "logs", job.id).stderr
    )
    application.job_store.report(lease_of(job), [("log", {"level": "info", "text": "from the database"})])
    assert cli.ok("jobs", "logs", job.id) == "from the database\n"
    for attempt, text in ((1, "one\n"), (2, "two, no end")):
        file = application.home.jobs / job.id / str(attempt) / "log.txt"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    ended_in(application, job, Outcome("failed", "oom"))
    assert cli.ok("jobs", "logs", job.id, "--follow") == "one\ntwo, no end\n"
    assert cli.ok("jobs", "logs", job.id, "--attempt", "1") == "one\n"
    events = cli.ok("jobs", "logs", job.id, "--json").splitlines()
    assert [json.loads(line)["payload"]["text"] for line in events] == ["from the database"]


def test_only_an_ended_job_can_be_tried_again(cli, place: Path) -> None:
    job = queued(cli, place, "--priority", "3")["id"]
    assert "only a job that has ended can be tried again" in cli.fails("jobs", "retry", job)
    cli.ok("jobs", "stop", job)
    again = cli.json("jobs", "retry", job)
    assert again["id"] != job
    assert (again["retry_of"], again["priority"], again["state"]) == (job, 3, "queued")


def test_pruning_deletes_ended_jobs_and_their_files_only(cli, application: Application) -> None:
    old, live = begun(application), begun(application)
    ended_in(application, old, Outcome("failed", "oom"))
    for job in (old, live):
        (application.home.jobs / job.id / "1").mkdir(parents=True)
    assert cli.json("jobs", "prune")["deleted"] == []
    assert "Would delete 1 job" in cli.ok("jobs", "prune", "--days", "0", "--dry-run")
    assert "Deleted 1 job that ended before" in cli.ok("jobs", "prune", "--days", "0")
    assert [job["id"] for job in cli.json("jobs", "list")] == [live.id]
    assert not (application.home.jobs / old.id).exists()
    assert (application.home.jobs / live.id).exists()


def test_a_resumed_search_stays_in_the_foreground(cli, place: Path) -> None:
    said = cli.fails("tune", place / "small.toml", "--resume", "x", "--background")
    assert "a run is resumed in the foreground" in said


def test_a_port_that_is_taken_is_said(cli) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = cli.fails("worker", "--once", "--metrics-port", str(taken.getsockname()[1]))
    assert "metrics cannot be served there" in said


def test_a_job_whose_server_was_lost_says_so_and_foretells_nothing(cli, application: Application) -> None:
    earlier = SqlJobStore(application.engine, clock=lambda: utc_now() - timedelta(seconds=20))
    earlier.submit(JobRequest("train", {}))
    (job,) = earlier.claim("elsewhere:1", limit=1)
    assert earlier.started(lease_of(job), SOMEBODY)
    told = {"stage": "fold", "done": 1.0, "total": 5.0, "fraction": 0.2, "job_eta_seconds": 500.0}
    earlier.report(lease_of(job), [("progress", told)])
    assert "server silent for 20" in cli("jobs", "list").stdout
    shown = cli("jobs", "show", job.id).stdout
    assert "its server has been silent for 20" in shown
    assert "another takes over after 1 min" in shown
    assert " left" not in shown
    application.job_store.report(lease_of(job), [("progress", told)])
    assert "silent" not in cli("jobs", "show", job.id).stdout
    assert " left" in cli("jobs", "show", job.id).stdout

    (lease,) = application.job_store.leases()
    assert application.job_store.reap(lease)
    for verb in (("list",), ("show", job.id)):
        assert "attempt 2 of 2 is to come: the worker or server of the last one was lost" in " ".join(
            cli("jobs", *verb).stdout.split()
        ), verb
