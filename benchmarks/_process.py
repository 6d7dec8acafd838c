"""Child processes whose time and memory are measured."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Finished", "onward_command", "run_code", "run_command"]

ROOT = Path(__file__).resolve().parents[1]

UNWANTED = ("PYTHONDONTWRITEBYTECODE", "ONWARD_")

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Finished:
    """A child process that ended well.

    Attributes
    ----------
    seconds
        Wall-clock time, start of the interpreter included.
    cpu_seconds
        CPU time of all its threads, user and system.
    peak_gb
        Largest resident set, in 10^9 bytes.
    output
        What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_gb: float
    output: str


def run_code(code: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run Python code in a fresh interpreter, the repository's root on its path."""
    return run_command([sys.executable, "-c", code], environment)


def onward_command(*arguments: str) -> list[str]:
    """Return a command line of the ``onward`` that is installed beside this interpreter."""
    return [str(Path(sys.executable).with_name("onward")), *arguments]


def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command to its end.

    Bytecode is cached as it is for everybody, and no setting of the product comes from the
    environment, whatever this process was told.

    Raises
    ------
    RuntimeError
        When it fails; the message is the end of what it wrote to stderr.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(UNWANTED)}
    merged = {**inherited, "PYTHONPATH": str(ROOT), **(environment or {})}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=complaints, env=merged, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        complaints.seek(0)
        if child.returncode != 0:
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(f"exit code {child.returncode}: {said[-1] if said else 'nothing said'}")
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT / 1e9, text)
