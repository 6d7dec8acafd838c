"""Metrics while the database is away: what this process knows by itself, for those it knew before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from onward.errors import StorageError
from onward.jobs import depth
from onward.server import authentication, create_app
from onward.server.routes import health
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

KNOWN_WITHOUT = ("onward_http_request_seconds_count", "onward_models_loaded", "process_resident_memory_bytes")
COUNTED = 'onward_jobs{state="queued"}'


class Scraped:
    """A server, the key of who reads its metrics, and its database."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.services = memory_services(directory)
        self.client = Client(create_app(self.services))
        self._monkeypatch = monkeypatch

    def key(self, expires_at: datetime | None = None) -> str:
        return str(self.services.access.create_key("prometheus", "read", expires_at)[1].text)

    def read(self, key: str | None = None, path: str = "/metrics") -> httpx.Response:
        return self.client.get(path, headers={} if key is None else {"X-API-Key": key})

    def away(self, how: Callable[..., Any]) -> None:
        """Let the database fail, and what was remembered of keys count no longer."""
        for name in ("find_key", "ever_a_key"):
            self._monkeypatch.setattr(self.services.access, name, how, raising=False)
        self.services.job_store.counts = how
        authenticator = self.client.app.state.onward.authenticator
        self._monkeypatch.setattr(authenticator, "_timer", lambda: time.monotonic() + 100.0)


@pytest.fixture
def scraped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scraped]:
    found = Scraped(tmp_path, monkeypatch)
    with found.client:
        yield found


def refuse(*_: object) -> Any:
    raise StorageError("The database refused")


def check(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert "onward_database_up 0.0" in answer.text
    for name in KNOWN_WITHOUT:
        assert f"\n{name}" in answer.text
    assert COUNTED not in answer.text, "an old count is no count"


def test_they_outlast_the_database(scraped: Scraped) -> None:
    key = scraped.key()
    scraped.services.job_store.counts = lambda: {"queued": 3}
    text = scraped.read(key).text
    assert "onward_database_up 1.0" in text
    assert f"{COUNTED} 3.0" in text

    scraped.away(refuse)
    for path in ("/metrics", "/api/v1/metrics"):
        check(scraped.read(key, path))
    assert scraped.read(key, "/api/v1/jobs").status_code == 503, "nothing else does"
    assert scraped.read("onward_aaaaaaaaaaaa_somebody").status_code == 503, "nobody knows who that is"
    assert scraped.read().status_code == 503, "nor whether nobody needs a key"

    scraped._monkeypatch.undo()
    scraped._monkeypatch.setattr(depth, "COUNT_SECONDS", 0.0)
    scraped.services.job_store.counts = lambda: {"queued": 4}
    text = scraped.read(key).text
    assert "onward_database_up 1.0" in text
    assert f"{COUNTED} 4.0" in text


def test_a_database_that_says_nothing_is_not_waited_for(
    scraped: Scraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "PUBLIC_SECONDS", 0.1)
    monkeypatch.setattr(health, "METRICS_SECONDS", 0.1)
    key, back = scraped.key(), threading.Event()
    assert scraped.read(key).status_code == 200
    scraped.away(lambda *_: back.wait(30))
    try:
        began = time.monotonic()
        check(scraped.read(key))
        assert time.monotonic() - began < 2.0
    finally:
        back.set()


def test_who_needs_no_key_needs_none_then_either(scraped: Scraped) -> None:
    assert "onward_database_up 1.0" in scraped.read().text
    scraped.away(refuse)
    check(scraped.read())
    answer = scraped.client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"})
    assert answer.status_code == 401, "behind a proxy everybody seems to be near"


def test_a_key_that_expired_meanwhile_is_none(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    key = scraped.key(datetime.now(UTC) + timedelta(hours=1))
    assert scraped.read(key).status_code == 200
    scraped.away(refuse)
    check(scraped.read(key))
    authenticator = scraped.client.app.state.onward.authenticator
    clock = authenticator._clock
    monkeypatch.setattr(authenticator, "_clock", lambda: clock() + timedelta(hours=2))
    assert scraped.read(key).status_code == 503
