"""A real server process, its costs, and clients in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._process import ROOT, UNWANTED

__all__ = ["Server", "serving"]

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """``onward serve`` as it runs.

    Attributes
    ----------
    start_seconds
        From the start of the process until it named its address.
    """

    def __init__(self, process: subprocess.Popen[str], address: str, start_seconds: float) -> None:
        self.start_seconds = start_seconds
        self.address = address
        self._process = process
        host, _, port = address.removeprefix("http://").rpartition(":")
        self._where = {"host": host, "port": int(port)}

    def cpu_seconds(self) -> float:
        """Return CPU seconds that the server process has spent, its helpers not counted."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self) -> float:
        """Return the resident memory of the server process alone, in 10^6 bytes."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))

    def helpers_mb(self) -> dict[str, float]:
        """Return the resident memory of its child processes, in 10^6 bytes, by command."""
        found: dict[str, float] = {}
        tasks = Path(f"/proc/{self._process.pid}/task")
        children = {pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()}
        for pid in children:
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            size = next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))
            found[f"{command[-40:].strip()} ({pid})"] = size
        return found

    def ask(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send one request and return the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **(headers or {})}
        with urllib.request.urlopen(
            urllib.request.Request(self.address + path, data=data, headers=given), timeout=300
        ) as answer:
            return json.load(answer)

    def load(self, kind: str, **order: Any) -> dict[str, Any]:
        """Have another process send requests (`benchmarks._load`) and return what it saw."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks._load"],
            input=json.dumps({"kind": kind, **self._where, **order}),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Server]:
    """Run a server of a home; ``settings`` are environment variables of the product."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(UNWANTED)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "onward", "--json", "serve", "--port", "0"],
        cwd=ROOT,
        env={**inherited, "ONWARD_HOME": str(home), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the server did not start")
            text += line
        yield Server(process, json.loads(text)["address"], time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
