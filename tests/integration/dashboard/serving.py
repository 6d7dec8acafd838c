"""``onward serve`` as a process of its own on a free port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.dashboard.homes import Things

__all__ = ["Site", "served"]


@dataclass(frozen=True, eq=False)
class Site:
    """A server that runs.

    Attributes
    ----------
    address
        ``http://127.0.0.1:PORT``.
    home
        Its home directory.
    things
        What there is in it; None when it is empty.
    process
        The server's process.
    """

    address: str
    home: Path
    things: Things | None
    process: subprocess.Popen[str]

    @property
    def here(self) -> Things:
        """What there is in the home."""
        assert self.things is not None
        return self.things


@contextmanager
def served(home: Path, things: Things | None = None, *, jobs: bool = False, port: int = 0) -> Iterator[Site]:
    """Serve a home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    run_jobs = "--jobs" if jobs else "--no-jobs"
    with (home / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "onward", "--json", "--home", home, "serve", f"--port={port}", run_jobs],
            cwd=home,
            env=kept,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Site(_address(process, home), home, things, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()


def _address(process: subprocess.Popen[str], home: Path) -> str:
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        line = process.stdout.readline()
        if not line:
            raise AssertionError((home / "server.log").read_text()[-2000:])
        text += line
    return str(json.loads(text)["address"])
