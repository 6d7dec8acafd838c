"""A home with a small market, and the whole server of it behind a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from onward.server import create_app
from onward.server.running import bound_socket
from onward.settings import load_settings
from onward.testing.markets import planted_signal
from onward.types import Market
from onward.wiring import Application, build_application
from tests.unit.training.small_runs import SMALL

__all__ = ["House", "frames", "until"]

QUICK = {
    "jobs.progress_seconds": 0.05,
    "jobs.poll_seconds": 0.05,
    "jobs.shutdown_seconds": 0.1,
    "server.event_poll_seconds": 0.02,
    "server.event_ping_seconds": 0.5,
    "evaluation.importance": False,
    "evaluation.drift": False,
    "evaluation.adversarial": False,
}


class House:
    """One application behind a socket of this machine, in a thread of the test's process."""

    def __init__(self, directory: Path, *, n_bars: int = 600, **overrides: Any) -> None:
        self.directory = directory
        inbox = directory / "home" / "inbox"
        inbox.mkdir(parents=True)
        self.market: Market = planted_signal(n_bars, seed=0, strength=0.004)
        self.market.bars.reset_index().to_parquet(inbox / "bars.parquet")
        settings = load_settings(
            home=directory / "home", cwd=directory, environ={}, overrides={**SMALL, **QUICK, **overrides}
        )
        self.application: Application = build_application(settings)
        self.socket = bound_socket("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.app = create_app(self.application)
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self.socket]})
        self._thread.start()
        self.http = httpx.Client(base_url=f"{self.address}/api/v1", timeout=60)
        until(lambda: self._server.started)

    def close(self) -> None:
        self.http.close()
        self._server.should_exit = True
        self.app.state.onward.hub.close()
        self._thread.join(30)
        self.socket.close()
        assert not self._thread.is_alive()

    def ended(self, job_id: str, seconds: float = 120.0) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.http.get(f"/jobs/{job_id}").json()
            return job if job["finished_at"] else None

        return until(look, seconds)  # type: ignore[no-any-return]


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about in time")


def frames(response: httpx.Response) -> Iterator[tuple[int | None, str, dict[str, Any]]]:
    """Give the frames of a stream: id, kind, data."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield number, fields["event"], json.loads(fields["data"])
        fields = {}
