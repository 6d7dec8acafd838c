"""The example package of ``examples/`` as a user has it: built, installed, trained with, loaded again.

Built by its own build backend into a wheel and unpacked into a directory of its own, which is what
installing a pure wheel amounts to; processes see it through ``PYTHONPATH``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from onward.testing.markets import random_walk

EXAMPLE = Path(__file__).parents[3] / "examples" / "onward-session-features"
DISTRIBUTION, VERSION = "onward-session-features", "1.0.0"

PLAN = """
[features]
stages = ["manual", "sessions", "winsorise"]
[features.manual]
families = ["returns"]
[features.options.sessions]
openings = { us = "09:30 America/New_York", day = "00:00" }
[features.options.winsorise]
lower = 0.02
upper = 0.98
[labels]
horizon_bars = 6
window_bars = 48
[validation]
n_splits = 2
[selection]
enabled = false
[model]
n_rounds = 5
[evaluation]
n_shifts = 100
[training]
n_threads = 1
"""


@dataclass(frozen=True)
class Place:
    """A directory in which the example is installed, with bars and a plan to work on."""

    root: Path
    site: Path

    def run(self, *command: object, site: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python in a fresh process that sees what is installed in ``site``."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.site if site is None else site),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ONWARD_HOME": str(self.root / "home"),
            "COLUMNS": "200",
        }
        return subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def onward(self, *arguments: object, site: Path | None = None) -> Any:
        """Return what a verb answers as JSON."""
        ended = self.run("-m", "onward", *arguments, "--json", site=site)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def refusal(self, *arguments: object, site: Path | None = None) -> str:
        """Return what a verb says that refuses with the exit code of user errors."""
        ended = self.run("-m", "onward", *arguments, site=site)
        assert ended.returncode == 2, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return " ".join(ended.stderr.split())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place where the example is installed from its wheel."""
    root = tmp_path_factory.mktemp("example")
    source = root / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", ".*", "dist", "build"))
    here = Place(root, root / "site")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(root / "dist")],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (root / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(here.site)
    bars = random_walk(700).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.assign(symbol="BTC/USD").to_csv(root / "btc.csv", index=False)
    (root / "plan.toml").write_text(PLAN, encoding="utf-8")
    return here


def test_its_own_tests_hold_it_to_the_contracts(place: Place) -> None:
    suite = place.root / "source" / "tests"
    ended = place.run("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", suite)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "passed" in ended.stdout


def test_it_is_listed_before_anything_runs(place: Place) -> None:
    chosen = ("--set", 'features.stages=["sessions", "manual"]', "--set", "features.manual.families=returns")
    listed = place.onward("features", "list", *chosen)
    families = [(row["stage"], row["family"]) for row in listed["families"] if row["columns"]]
    assert families[:3] == [("sessions", "day"), ("sessions", "europe"), ("sessions", "us")]
    assert "sessions__us_from_vwap" in _columns(listed["families"])
    refused = place.refusal("features", "list", "--plan", _plan(place, measures='["gpa"]'))
    assert "features.options.sessions" in refused
    assert "gap, from_open, from_vwap, range_position" in refused


@pytest.mark.slow
def test_a_model_with_it_is_trained_saved_and_asked(place: Place) -> None:
    trained = place.onward("train", "plan.toml", "--data", "btc.csv", "--save", "btc", "--alias", "champion")
    assert trained["certificate"]["status"] == "passed"

    bundle = _bundle(place)
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    state = json.loads((bundle / "pipeline.json").read_text(encoding="utf-8"))
    origin = {"package": DISTRIBUTION, "version": VERSION}
    assert manifest["packages"] == {DISTRIBUTION: VERSION}
    assert "sessions__us_gap" in manifest["features"]["columns"]
    (causal,) = (spec for spec in state["causal"]["causal"] if spec["stage"] == "sessions")
    assert {key: causal[key] for key in origin} == origin
    assert causal["spec"]["openings"] == {"us": "09:30 America/New_York", "day": "00:00 UTC"}
    (fitted,) = state["fitted"]["stages"]
    assert {key: fitted[key] for key in ("stage", *origin)} == {"stage": "winsorise", **origin}
    low, high = fitted["state"]["limits"]["sessions__us_from_open"]
    assert low < 0 < high

    last = pd.Timestamp("2020-01-01", tz="UTC") + pd.Timedelta(hours=700)
    question = ("predict", "btc@champion", "--data", "btc.csv")
    latest = place.onward(*question, "--latest", "--at", last.isoformat())["predictions"]
    assert latest == [place.onward(*question)["predictions"][-1]]

    absent = place.refusal(*question, site=place.root / "nothing-here")
    assert f"needs the package {DISTRIBUTION}" in absent
    assert f"pip install {DISTRIBUTION}=={VERSION}" in absent
    other = place.refusal(*question, site=_released_again(place, "1.1.0"))
    assert f"got: {DISTRIBUTION} 1.1.0" in other
    assert f"pip install {DISTRIBUTION}=={VERSION}" in other
    loads = "import sys; from pathlib import Path; from onward.prediction.predictor import Predictor; "
    loads += "Predictor.load(Path(sys.argv[1]))"
    same = place.run("-c", loads, bundle, site=_released_again(place, "1.0.1", same_values_as=[VERSION]))
    assert same.returncode == 0, same.stderr


def test_nothing_is_left_in_the_example(place: Place) -> None:
    left = {path.name for path in EXAMPLE.rglob("*") if path.is_dir()} - {
        "src",
        "tests",
        "onward_session_features",
    }
    assert left <= {"__pycache__"}  # of whoever opened it in an editor
    assert not list(EXAMPLE.glob("dist*"))


def _columns(rows: Sequence[dict[str, Any]]) -> set[str]:
    return {column for row in rows for column in row["columns"]}


def _plan(place: Place, *, measures: str) -> Path:
    plan = place.root / "measures.toml"
    plan.write_text(
        f'[features]\nstages = ["sessions"]\n[features.options.sessions]\nmeasures = {measures}\n'
    )
    return plan


def _bundle(place: Place) -> Path:
    (manifest,) = (place.root / "home" / "models").rglob("manifest.json")
    return manifest.parent


def _released_again(place: Place, version: str, *, same_values_as: Sequence[str] = ()) -> Path:
    """Return a directory in which another version of the package is installed."""
    site = place.root / f"site-{version}"
    shutil.copytree(place.site, site)
    (metadata,) = site.glob("*.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace(f"\nVersion: {VERSION}\n", f"\nVersion: {version}\n"))
    for module in ("stage.py", "winsorise.py"):
        path = site / "onward_session_features" / module
        text = path.read_text(encoding="utf-8")
        declared = f"    same_values_as: ClassVar[tuple[str, ...]] = {tuple(same_values_as)!r}\n"
        lines = [line for line in text.splitlines(keepends=True) if "same_values_as" not in line]
        place_of_name = next(i for i, line in enumerate(lines) if line.startswith("    name: ClassVar"))
        path.write_text("".join([*lines[: place_of_name + 1], declared, *lines[place_of_name + 1 :]]))
    return site
