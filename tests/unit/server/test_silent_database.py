"""A database that says nothing: probes have their answers in time, and nobody else waits for them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from onward.server import create_app
from onward.server.authentication import PUBLIC_SECONDS
from onward.server.routes.health import READY_SECONDS
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services


@pytest.mark.parametrize("silent", ["access", "jobs"])
def test_probes_do_not_wait_for_the_database(tmp_path: Path, silent: str) -> None:
    services, back = memory_services(tmp_path), threading.Event()

    def hang(*_: object) -> bool:
        back.wait(30)
        return False

    with Client(create_app(services)) as client:
        assert client.get("/health/ready").status_code == 200
        if silent == "access":
            time.sleep(1.0)  # what was remembered of keys counts no longer
            services.access.ever_a_key = hang
        services.job_store.counts = hang
        try:
            began = time.monotonic()
            assert client.get("/health/live").json() == {"status": "alive"}
            assert time.monotonic() - began < 0.5
            answer = client.get("/api/v1/health/ready")
            assert time.monotonic() - began < PUBLIC_SECONDS + READY_SECONDS + 0.5
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert answer.json()["what"] == "the server is not ready"
            assert answer.headers["retry-after"] == "5"
            told = answer.json().get("got")
            assert told == (None if silent == "access" else "the database did not answer within 2 s")
        finally:
            back.set()
        del services.job_store.counts
        assert client.get("/health/ready").status_code == 200


def test_nobody_is_asked_who_he_is_where_it_does_not_matter(tmp_path: Path) -> None:
    services = memory_services(tmp_path)
    services.access.create_key("ann", "admin")
    services.access.find_key = None  # would fail
    with Client(create_app(services)) as client:
        for path in ("/health/live", "/api/v1/health/live"):
            assert client.get(path, headers={"Authorization": "Bearer onward_x"}).status_code == 200
