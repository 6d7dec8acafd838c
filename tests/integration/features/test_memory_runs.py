"""Pipelines run again and again in a fresh process: what they took comes back, without a collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks._memory_runs import rise

ROOT = Path(__file__).parents[3]
RAN = (["fitted"], ["nothing found"])

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc"
)
with_engines = pytest.mark.skipif(
    find_spec("autofeat") is None or find_spec("featuretools") is None, reason="needs the automl extra"
)


def runs(count: int, *arguments: str) -> list[dict[str, Any]]:
    """Return what the process held after each run."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._memory_runs", str(count), *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=7_200,
    )
    assert done.returncode == 0, done.stderr
    held = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(held) == count
    assert all(run["columns"] == held[0]["columns"] for run in held)
    return held


def check_that_it_comes_back(held: list[dict[str, Any]]) -> None:
    for number, run in enumerate(held, 1):
        assert (run["processes"], run["files"], run["threads"]) == (0, 0, 1), f"left behind by run {number}"
    assert {run["descriptors"] for run in held[1:]} == {held[1]["descriptors"]}
    resident = [run["resident_mb"] for run in held]
    found = rise(resident)
    assert found.megabytes <= found.allowed, resident


@pytest.mark.slow
@with_engines
def test_six_runs_hold_no_more_than_four():
    """Every stage, with the collector switched off: nothing large may lie in a cycle.

    The engines run once each, early, so that late runs have them behind them.
    """
    held = runs(6, "--symbols", "1", "--autofeat", "2", "--without-collector")
    assert held[0]["columns"] > 600
    assert held[0]["featuretools"] == ["passed"]
    assert held[1]["autofeat"] in RAN
    check_that_it_comes_back(held)
    # Objects of Python are counted to the last one: names in cycles, a few hundred a run, no more.
    assert held[5]["blocks"] - held[2]["blocks"] < 3 * 2_000, [run["blocks"] for run in held]


@with_engines
@pytest.mark.slow
def test_thirty_runs_hold_no_more_than_seven():
    """Every stage and engine in every run, each with a symbol of its own, so that nothing is known yet."""
    held = runs(30, "--autofeat", "0")
    assert all(run["featuretools"] == ["passed"] and run["autofeat"] in RAN for run in held)
    check_that_it_comes_back(held)


@with_engines
@pytest.mark.slow
def test_thirty_runs_need_no_collector():
    check_that_it_comes_back(runs(30, "--symbols", "1", "--without-collector"))


@pytest.mark.slow
def test_a_megabyte_kept_by_every_run_is_found():
    held = runs(30, "--stages", "manual", "--bars", "400", "--leak-mb", "1")
    assert rise([run["resident_mb"] for run in held]).megabytes > 20
    with pytest.raises(AssertionError):
        check_that_it_comes_back(held)


def test_the_bound_is_three_percent_or_twenty_megabytes():
    flat = [500.0, 400.0, *[350.0] * 28]
    assert rise(flat).megabytes == 0
    assert rise(flat).allowed == 20
    grown = [900.0] * 7 + [1_000.0] * 23
    assert rise(grown).megabytes == 100
    assert rise(grown).allowed == 27
    one_spike = [300.0] * 4 + [800.0] + [300.0] * 24 + [700.0]
    assert rise(one_spike).megabytes == 0
    assert rise([1.0, 2.0, 10.0, 20.0, 40.0, 60.0]).megabytes == 35
