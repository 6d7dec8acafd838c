"""``onward serve`` as a process of its own: starts, answers, ends with followers still there."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ONWARD = [sys.executable, "-m", "onward"]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    return {**kept, "ONWARD_HOME": str(home)}


def test_it_starts_serves_and_ends_while_somebody_follows(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*ONWARD, "--json", "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.communicate()
            text += line
        address = json.loads(text)["address"]
        with httpx.Client(base_url=address, timeout=30) as client:
            assert client.get("/health/ready").json() == {"status": "ready"}
            assert "server" not in client.get("/health/live").headers
            bars = tmp_path / "home" / "inbox" / "x.csv"
            bars.parent.mkdir()
            bars.write_text("timestamp,open,high,low,close,volume\n1577836800000,1,2,0.5,1.5,3\n")
            body = {
                "files": ["x.csv"],
                "symbol": "A/B",
                "timeframe": "1h",
                "run_after": "2100-01-01T00:00:00Z",
            }
            job = client.post("/api/v1/import-jobs", json=body).json()
            headers = {"Accept": "text/event-stream"}
            with client.stream("GET", f"{job['links']['events']}", headers=headers) as stream:
                lines = stream.iter_lines()
                assert "retry" in next(lines)
                assert "event: state" in [next(lines) for _ in range(4)]
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)  # `timeout` tells the process, then its group
                assert not [line for line in lines if line.startswith("event: end")], "it waits still"
        assert process.wait(15) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.evil.example"])
def test_it_listens_on_this_machine_alone(tmp_path: Path, host: str) -> None:
    from onward.errors import ConfigError
    from onward.server.running import check_host

    with pytest.raises(ConfigError, match="this machine alone"):
        check_host(host)


def test_refusals_are_messages(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for options, code, words in (
            (["--host", "0.0.0.0"], 2, "this machine alone"),
            (["--port", port], 1, "cannot listen there"),
        ):
            done = subprocess.run(
                [*ONWARD, "serve", *options],
                cwd=tmp_path,
                env=environment(tmp_path / "home"),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == code, done.stderr
            assert words in done.stderr
            assert "Traceback" not in done.stderr


def test_answers_are_not_held_back() -> None:
    """Asyncio switches Nagle's algorithm off only where the socket names its protocol."""
    from onward.server.running import bound_socket

    with bound_socket("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
