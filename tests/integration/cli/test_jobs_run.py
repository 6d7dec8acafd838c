"""``onward jobs``, ``onward worker`` and ``--background`` as processes: started, watched, stopped, ended."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from onward.cli.app import app
from onward.testing.markets import random_walk
from tests.unit.cli.job_ways import SMALL

ONWARD = [sys.executable, "-m", "onward"]
PATIENCE = 120.0
# Jobs say what they do at once, and heartbeats are as quick as on a machine of their own.
SETTINGS = {"ONWARD_JOBS__PROGRESS_SECONDS": "0.1", "ONWARD_JOBS__POLL_SECONDS": "0.1"}
LIGHT = ["--set", "evaluation.importance=false", "--set", "evaluation.drift=false"]
LIGHT += ["--set", "evaluation.adversarial=false", "--no-audit"]
LONG = ["--set", "model.n_rounds=100000"]


@dataclass(frozen=True)
class Place:
    """A directory with candles and a plan, and the commands in it."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
        return {**kept, **SETTINGS, "ONWARD_HOME": str(self.root / "home"), "COLUMNS": "200"}

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*ONWARD, *arguments],
            cwd=self.root,
            env=self.environment,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command that needs no process of its own."""
        result = CliRunner().invoke(app, list(arguments), env=self.environment)
        assert result.exit_code == code, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    @property
    def bars(self) -> list[str]:
        return [str(self.root / "small.toml"), "--data", str(self.root / "btc.csv")]

    def train(self, *more: str) -> str:
        return str(self.json("jobs", "submit", "train", *self.bars, *LIGHT, *more)["id"])

    def state(self, job: str) -> str:
        return str(self.json("jobs", "show", job)["state"])


def make_place(root: Path) -> Place:
    bars = random_walk(600).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(root / "btc.csv", index=False)
    (root / "small.toml").write_text(SMALL)
    return Place(root)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a place in which a worker runs."""
    place = make_place(tmp_path_factory.mktemp("served"))
    log = place.root / "worker.log"
    with log.open("wb") as sink:
        worker = place.start("worker", "--metrics-port", "0", stdout=subprocess.DEVNULL, stderr=sink)
        try:
            eventually(lambda: '"event": "started"' in log.read_text(), "the worker starts")
            yield place
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
    assert all(json.loads(line)["timestamp"] for line in log.read_text().splitlines())


def eventually(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE:g} s: {what}")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_job_runs_and_is_watched_to_its_result(served: Place) -> None:
    job = served.train("--save", "btc")
    shown = served("jobs", "watch", job)
    for expected in ("running", "fold 1: direction_auc", "fold 3: direction_auc", "succeeded"):
        assert expected in shown
    assert "model: models:/btc/1" in shown
    assert "Direction: no evidence of skill." in shown
    result = served.json("jobs", "show", job)["result"]
    assert result["model"] == "models:/btc/1"
    assert served.json("runs", "list")[0]["record"]["status"] == "succeeded"
    metrics = json.loads((served.root / "worker.log").read_text().splitlines()[0])["address"]
    assert metrics.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(metrics, timeout=5) as answer:
        assert 'onward_job_ends_total{kind="train",reason="",state="succeeded"}' in answer.read().decode()


def test_a_watcher_that_leaves_changes_nothing_and_a_stop_is_proven(served: Place) -> None:
    job = served.train(*LONG)
    identity = eventually(lambda: served.json("jobs", "show", job)["pid"], "the job begins")
    watcher = served.start("jobs", "watch", job)
    assert watcher.stdout is not None
    assert "queued" in watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, said = watcher.communicate(timeout=PATIENCE)
    assert watcher.returncode == 130
    assert f"Detached; train {job} goes on." in said
    assert served.state(job) == "running"
    assert alive(identity)

    began = time.monotonic()
    said = served("jobs", "stop", job, "--wait")
    assert time.monotonic() - began < 20
    assert not alive(identity)
    assert "stopping, on" in said
    assert "no process of it is left" in said
    assert served.state(job) == "cancelled"
    served("jobs", "watch", job, code=3)


def test_a_job_that_fails_says_why_with_the_code_of_the_foreground(served: Place) -> None:
    bars = served.root / "gone.csv"
    bars.write_bytes((served.root / "btc.csv").read_bytes())
    asked = ["features", served.bars[0], "--data", str(bars), "--after", "2040-01-01"]
    job = served.json("jobs", "submit", *asked)["id"]
    served("jobs", "stop", job)
    spec = served.json("jobs", "show", job)["spec"]
    assert spec["data"] == str(bars)
    bars.unlink()
    again = served.json("jobs", "retry", job)["id"]
    result = CliRunner().invoke(app, ["jobs", "watch", again], env=served.environment)
    assert result.exit_code == 2
    assert "gone.csv" in result.stderr
    assert "Traceback" not in result.output


def test_background_work_outlives_its_terminal_and_its_worker_ends_with_it(place: Place) -> None:
    ours, theirs = pty.openpty()
    arguments = ["train", *place.bars, *LIGHT, "--background"]
    process = place.start(*arguments, stdin=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said, _ = process.communicate(timeout=PATIENCE)
    os.close(ours)  # whoever hangs on this terminal gets SIGHUP
    assert process.returncode == 0
    assert "No worker was running, so one was started" in said
    (job,) = place.json("jobs", "list")
    assert f"Job {job['id']} (train) is queued." in said
    more = place.json(*arguments)
    assert more["runner"]["found"] in ("busy", "taken")  # one worker is enough

    assert "succeeded" in place("jobs", "watch", more["id"])
    pid = int(said.partition("(process ")[2].partition(")")[0])
    eventually(lambda: not alive(pid), "the worker ends when nothing is left")
    log = (place.root / "home" / "logs" / "worker.log").read_text().splitlines()
    events = [json.loads(line)["event"] for line in log]
    assert events.count("started") == 1
    assert events[-1] == "closed"


def test_a_worker_that_is_told_to_end_gives_its_job_back_unspent(place: Place) -> None:
    job = place.train(*LONG)
    worker = place.start("worker", "--once", "--json")
    pid = eventually(lambda: place.json("jobs", "show", job)["pid"], "the job begins")
    worker.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert worker.poll() is None  # the job may still finish
    assert alive(pid)
    worker.send_signal(signal.SIGINT)
    out, _ = worker.communicate(timeout=20)
    assert worker.returncode == 0
    assert json.loads(out)["ended"] == "told to"
    assert not alive(pid)
    shown = place.json("jobs", "show", job)
    assert (shown["state"], shown["attempt"], shown["max_attempts"]) == ("queued", 1, 3)
    assert "cancelled" in place("jobs", "stop", job)


def test_a_worker_with_nothing_to_do_ends_at_once_when_asked_to(place: Place) -> None:
    out = place("worker", "--until-idle", "--json")
    assert json.loads(out)["ended"] == "idle"
