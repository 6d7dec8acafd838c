"""How a server that cannot start says so, and what a second signal means."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from onward.errors import StorageError
from onward.server import create_app
from onward.server import running as module
from onward.server.lifetime import begin, finish
from onward.server.running import serve
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

JOBS = "/api/v1/jobs"


class Failing:
    """Services of which one cannot be had."""

    def __init__(self, services: Any, error: Exception) -> None:
        self._services, self._error = services, error
        self.closed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)

    @property
    def job_store(self) -> Any:
        raise self._error

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("error", [StorageError("no tables"), PermissionError(13, "denied", "/home/x")])
def test_what_cannot_start_says_why_and_nothing_else(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    services: Any = Failing(memory_services(tmp_path, server__port=0), error)
    with caplog.at_level(logging.WARNING), pytest.raises(type(error)) as caught:
        serve(services, services.settings.server)
    assert caught.value is error
    assert not caplog.records, "the traceback of an expected error"
    assert services.closed == 1


def test_a_server_is_opened_once_until_it_ends(tmp_path: Path) -> None:
    services = memory_services(tmp_path)
    state = create_app(services).state.onward
    taken: list[str] = []
    state.provider.build = taken.append
    begin(state)
    begin(state)
    assert taken == ["job_store"]
    finish(state)
    begin(state)
    assert taken == ["job_store"] * 2


def test_a_second_signal_hurries_unless_it_is_an_echo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = memory_services(tmp_path)
    hurried: list[bool] = []
    services.job_manager = SimpleNamespace(hurry=lambda: hurried.append(True))
    app = create_app(services)
    state = app.state.onward
    now = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    server = module._Server(uvicorn.Config(app, log_config=None), state, lambda: None)
    server.handle_exit(signal.SIGTERM, None)
    now[0] += 0.2
    server.handle_exit(signal.SIGTERM, None)
    assert (server.should_exit, server.force_exit, hurried) == (True, False, [])
    assert "end" in state.readiness.waiting()
    now[0] += 1.0
    server.handle_exit(signal.SIGTERM, None)
    assert (server.force_exit, hurried) == (True, []), "nobody runs jobs here"
    state.provider.build("job_manager")
    server.handle_exit(signal.SIGINT, None)
    assert hurried == [True]


def test_the_application_is_told_of_the_end_by_a_server_in_a_hurry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services = memory_services(tmp_path, server__port=0)
    ended: list[bool] = []
    services.close = lambda: ended.append(True)

    async def hurried(self: Any) -> None:
        self.should_exit = self.force_exit = True

    monkeypatch.setattr(module._Server, "main_loop", hurried)
    with caplog.at_level(logging.WARNING):
        assert serve(services, services.settings.server)
    assert ended == [True]
    assert not caplog.records


def test_a_retry_takes_a_key(tmp_path: Path) -> None:
    services = memory_services(tmp_path)
    with Client(create_app(services)) as client:
        job_id = client.post("/api/v1/feature-jobs", json={}).json()["id"]
        assert client.post(f"{JOBS}/{job_id}/stop").status_code == 202
        key = {"Idempotency-Key": "once more"}
        sent = [client.post(f"{JOBS}/{job_id}/retry", headers=key).json() for _ in range(3)]
        assert [one["created"] for one in sent] == [True, False, False]
        assert len({one["id"] for one in sent}) == 1
        assert client.post(f"{JOBS}/{job_id}/retry").json()["id"] != sent[0]["id"]
        assert client.post(f"{JOBS}/{job_id}/retry", headers={"Idempotency-Key": "\x7f"}).status_code == 422
        operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/jobs/{job_id}/retry"]["post"]
        assert "Idempotency-Key" in [one["name"] for one in operation["parameters"]]
