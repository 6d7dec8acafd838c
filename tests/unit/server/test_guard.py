"""Whose request it is, how large it is, and what the answer wears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from onward.server import create_app
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

JOBS = "/api/v1/jobs"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory: Path = tmp_path_factory.mktemp("guard")
    services = memory_services(
        directory, server__max_body_bytes=2048, server__allowed_hosts=["onward.example"]
    )
    with Client(create_app(services)) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8321", "127.0.0.1:1", "[::1]:8321", "ONWARD.example"]
)
def test_own_names_are_served(client: Client, host: str) -> None:
    assert client.get(JOBS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "localhost.", "0.0.0.0"]
)
def test_other_names_are_not(client: Client, host: str) -> None:
    answer = client.get(JOBS, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert "server.allowed_hosts" in answer.json()["detail"]


def test_the_address_it_listens_on_is_its_own() -> None:
    """No page can point an address elsewhere, as it can a name."""
    from onward.server.guard import Guard

    guard = Guard(nobody, hosts=(), max_body_bytes=10)

    def refused(host: str, server: tuple[str, int] | None, **headers: str) -> int | None:
        sent = {"host": host, **headers}
        scope = {
            "type": "http",
            "method": "POST",
            "server": server,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        found = guard._refusal(scope)
        return None if found is None else found[0]

    assert refused("192.0.2.5:8321", ("192.0.2.5", 8321)) is None
    assert refused("192.0.2.5", ("192.0.2.5", 8321), origin="https://192.0.2.5:8321") is None
    assert refused("192.0.2.5", ("192.0.2.5", 8321), origin="https://192.0.2.6") == 403
    assert refused("192.0.2.6", ("192.0.2.5", 8321)) == 421
    assert refused("evil.example", ("evil.example", 8321)) == 421
    assert refused("192.0.2.5", None) == 421


async def nobody(*_: object) -> None:
    """An application that is never reached."""


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Origin": "https://localhost@evil.example"},
        {"Origin": "https://evil@localhost:8321"},
        {"Origin": "http://localhost:none"},
        {"Origin": "localhost:8321"},
        {"Origin": "http://localhost:8321/page"},
        {"Origin": "file://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(client: Client, headers: dict[str, str]) -> None:
    assert client.post(f"{JOBS}/x/stop", headers=headers).status_code == 403
    assert client.get(JOBS, headers=headers).status_code == 200, "reading is not theirs to see anyway"


def test_own_pages_may(client: Client) -> None:
    headers = {"Origin": "http://localhost:8321", "Sec-Fetch-Site": "same-origin"}
    assert client.post(f"{JOBS}/x/stop", headers=headers).status_code == 404


def test_no_other_origin_is_let_in(client: Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.request("OPTIONS", JOBS, headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_large_bodies_are_refused_by_their_length(client: Client) -> None:
    answer = client.post("/api/v1/training-jobs", content=b"x" * 3000)
    assert answer.status_code == 413
    assert "2,048" in answer.json()["detail"]


def test_large_bodies_are_refused_while_they_come(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 512

    answer = client.post(
        "/api/v1/training-jobs", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 40, "\u0664"])
def test_odd_lengths_are_refused(client: Client, length: str) -> None:
    headers = [(b"host", b"localhost"), (b"content-length", length.encode())]
    assert client.post("/api/v1/plans/validate", content=b"{}", headers=headers).status_code == 400


@pytest.mark.parametrize("path", [JOBS, "/nope", "/health/live", "/api/v1/openapi.json"])
def test_every_answer_wears_its_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
