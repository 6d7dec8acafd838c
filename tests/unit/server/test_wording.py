"""Remedies over HTTP name requests, not commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.errors import JobNotFoundError
from onward.server import create_app
from onward.server.dependencies import job_store
from onward.server.wording import over_http
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        ("`onward jobs list` shows them; old ones go.", "`GET /api/v1/jobs` shows them; old ones go."),
        (
            "Watch it with `onward jobs watch 01ab`, or stop it with `onward jobs stop 01ab`.",
            "Watch it with `GET /api/v1/jobs/01ab/events`, or stop it with `POST /api/v1/jobs/01ab/stop`.",
        ),
        ("Again with `onward jobs retry`; raise it.", "Again with `POST /api/v1/jobs/ID/retry`; raise it."),
        ("`onward models list` shows all.", "`GET /api/v1/models` shows all."),
        ("`onward models list btc-1h` shows all.", "`GET /api/v1/models/btc-1h` shows all."),
        ("`onward models history a.b` tells.", "`GET /api/v1/models/a.b/history` tells."),
        ("Set it: `onward models alias btc best VERSION`.", "Set it: `PUT /api/v1/models/btc/aliases/best`."),
        ("Go: `onward models alias btc best --remove`.", "Go: `DELETE /api/v1/models/btc/aliases/best`."),
        ("Import it: onward data import FILE --symbol ...", "Import it: POST /api/v1/data/import"),
        ("Import some: onward data import FILE.", "Import some: POST /api/v1/data/import."),
        ("Start a search: onward tune.", "Start a search: POST /api/v1/tuning-jobs."),
        ("Use `onward tune --resume`.", "Use `onward tune --resume` on the server."),
        ("`onward keys create NAME` makes one.", "`onward keys create NAME` on the server makes one."),
        (
            "Import it on the server: onward data import FILE",
            "Import it on the server: onward data import FILE",
        ),
        ("Look onward trainers up.", "Look onward trainers up."),
        ("Did you mean onward/btc?", "Did you mean onward/btc?"),
    ],
)
def test_commands_become_requests(command: str, request_: str) -> None:
    assert over_http(command) == request_


def test_a_refusal_speaks_the_language_of_its_reader(tmp_path: Path) -> None:
    async def refusing() -> None:
        raise JobNotFoundError("There is no such job", remedy="`onward jobs list` shows them.")

    with Client(create_app(memory_services(tmp_path))) as client:
        client.app.dependency_overrides[job_store] = refusing
        told = client.get("/api/v1/jobs/x").json()
        assert "onward jobs" not in str(told)
        assert "`GET /api/v1/jobs` shows them" in told["remedy"]
        assert told["detail"].endswith(told["remedy"])
        own = client.get("/api/v1/jobs/x", headers={"User-Agent": "onward/1.0"}).json()
        assert "`onward jobs list` shows them" in own["remedy"]
