"""A foreground run whose program is ended from outside is not taken for running for ever."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onward.settings import load_settings
from onward.wiring import build_application

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to POSIX processes")


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (signal.SIGINT, 130, "cancelled"),
        (signal.SIGTERM, 143, "cancelled"),
        (signal.SIGHUP, 129, "cancelled"),
        (signal.SIGKILL, -9, "failed"),
    ],
)
def test_a_run_that_is_ended_from_outside(
    tmp_path: Path, number: signal.Signals, code: int, status: str
) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "onward"]
    program = subprocess.Popen(
        [*command, "demo", "--report", str(tmp_path / "r.html"), "--home", str(home)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 90
    while not (home / "onward.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    runs = build_application(load_settings(home=home)).runs
    while not (begun := runs.list()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun[0].record.status == "running", "its program is at work"
    program.send_signal(number)
    _, said = program.communicate(timeout=30)
    assert program.returncode == code, said
    assert "Traceback" not in said
    if "Everything that was written is whole" in said:
        status = "failed"  # its time was up inside native code, on a busy machine
    run = runs.get(begun[0].id)
    assert run.record.status == status
    if status == "failed":
        assert run.record.error is not None
        assert run.record.error["what"] == "The program that ran it is gone"
        assert str(program.pid) in run.record.error["got"]
        told = subprocess.run(
            [*command, "runs", "show", run.id, "--home", str(home)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "failed" in told.stdout
        assert "why: The program that ran it is gone" in told.stdout
        listed = subprocess.run(
            [*command, "runs", "list", "--json", "--home", str(home)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(listed.stdout)[0]["record"]["status"] == "failed"
