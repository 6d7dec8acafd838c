"""Who gets in: with a key, without one, with the wrong one, and how far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onward.access.authenticator import STALE_SECONDS
from onward.access.scopes import SCOPES, Scope
from onward.access.secrets import new_key
from onward.access.values import Caller
from onward.errors import StorageError
from onward.server import create_app
from onward.server.dependencies import caller
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

JOBS = "/api/v1/jobs"
NEEDS: dict[Scope, tuple[str, str]] = {
    "read": ("GET", JOBS),
    "run": ("POST", f"{JOBS}/0001/stop"),
    "admin": ("DELETE", f"{JOBS}/0001"),
}


@pytest.fixture
def services(tmp_path: Path) -> Any:
    return memory_services(tmp_path)


@pytest.fixture
def client(services: Any) -> Iterator[Client]:
    with Client(create_app(services)) as client:
        yield client


def key_of(services: Any, scope: Scope = "admin", name: str = "") -> dict[str, str]:
    _, secret = services.access.create_key(name or scope, scope)
    return {"Authorization": f"Bearer {secret.text}"}


def test_without_any_key_this_machine_needs_none(client: Client) -> None:
    assert client.get(JOBS).status_code == 200
    said = client.get("/api/v1/session").json()
    assert (said["who"], said["scope"], said["csrf_token"]) == ("local", "admin", None)


def test_the_first_key_closes_the_door(services: Any, tmp_path: Path) -> None:
    key = key_of(services)
    with Client(create_app(services)) as client:
        answer = client.get(JOBS)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="onward"'
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:onward:problem:unauthenticated"
        assert "onward keys create" in answer.json()["remedy"]
        assert client.get(JOBS, headers=key).status_code == 200
        services.access.revoke_key("admin")
        client.app.state.onward.authenticator._known.clear()
        assert client.get(JOBS).status_code == 401, "it stays closed when the last key is gone"


def test_always_means_always(tmp_path: Path) -> None:
    with Client(create_app(memory_services(tmp_path, server__authentication="always"))) as client:
        assert client.get(JOBS).status_code == 401
    with Client(create_app(memory_services(tmp_path, server__host="192.0.2.1"))) as client:
        assert client.get(JOBS).status_code == 401, "elsewhere than on the loopback it is always"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_passed_on_is_not_of_this_machine(client: Client, name: str) -> None:
    assert client.get(JOBS, headers={name: "127.0.0.1"}).status_code == 401


def test_both_headers_are_read(client: Client, services: Any) -> None:
    key = key_of(services)["Authorization"].removeprefix("Bearer ")
    for headers in ({"X-API-Key": key}, {"Authorization": f"bearer  {key} "}):
        assert client.get(JOBS, headers=headers).status_code == 200
    both = {"X-API-Key": key, "Authorization": "Bearer no"}
    assert client.get(JOBS, headers=both).status_code == 401, "what is said to authorise counts"


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer onward_", "Bearer " + "x" * 5000, "é", "\0"],
)
def test_odd_headers_are_refused(client: Client, value: str) -> None:
    answer = client.request("GET", JOBS, headers=[("host", "localhost"), ("authorization", value.encode())])  # type: ignore[list-item]
    assert answer.status_code == 401, "though nobody would have needed a key"
    assert "x" * 20 not in answer.text, "what was sent is not shown"


@pytest.mark.parametrize("held", SCOPES)
def test_scopes_allow_what_those_below_allow(client: Client, services: Any, held: Scope) -> None:
    key = key_of(services, held)
    for needed, (method, path) in NEEDS.items():
        answer = client.request(method, path, headers=key)
        if SCOPES.index(held) >= SCOPES.index(needed):
            assert answer.status_code in (200, 404), "let in, to find no such job"
        else:
            assert answer.status_code == 403
            assert f"the scope {needed}" in answer.json()["what"]
            assert held in answer.json()["got"]


def test_nobody_learns_what_there_is(client: Client, services: Any) -> None:
    key_of(services)
    for path in ("/api/v1/nothing", "/api/v1/models/x", "/api/v1/openapi.json", "/metrics", "/"):
        assert client.get(path).status_code == 401
    for path in ("/health/live", "/health/ready", "/api/v1/health/live"):
        assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 200


def test_bodies_of_nobody_are_not_read(client: Client, services: Any) -> None:
    key_of(services)

    async def explodes() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Type": "application/json"}
    assert client.post("/api/v1/training-jobs", content=explodes(), headers=headers).status_code == 401


def test_what_is_amiss_is_told_to_readers(client: Client, services: Any) -> None:
    key = key_of(services, "read")

    def counts() -> Any:
        raise StorageError("the database is away", got="/secret/place")

    services.job_store.counts = counts
    assert client.get("/health/ready", headers=key).json()["got"] == "/secret/place"
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "secret" not in answer.text


def test_a_database_that_is_away_lets_nobody_in(client: Client, services: Any) -> None:
    key = key_of(services)

    def away(_: str) -> Any:
        raise StorageError("the database is away")

    services.access.find_key = away
    answer = client.get(JOBS, headers=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert client.get("/health/live", headers=key).status_code == 200


def test_too_many_requests_wait(tmp_path: Path) -> None:
    services = memory_services(tmp_path, server__limit_read_per_minute=3, server__limit_run_per_minute=1)
    ann, bob = key_of(services, name="ann"), key_of(services, name="bob")
    with Client(create_app(services)) as client:
        assert [client.get(JOBS, headers=ann).status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = client.get(JOBS, headers=ann)
        assert 1 <= int(answer.headers["retry-after"]) <= 20
        assert answer.json()["type"] == "urn:onward:problem:rate-limit"
        assert client.get(JOBS, headers=bob).status_code == 200
        assert client.post(f"{JOBS}/x/stop", headers=ann).status_code == 404, "of another class"
        assert client.post(f"{JOBS}/x/stop", headers=ann).status_code == 429
        assert client.get("/health/live", headers=ann).status_code == 200


def test_whoever_guesses_waits(tmp_path: Path) -> None:
    services = memory_services(tmp_path, server__limit_failures_per_minute=3)
    good = key_of(services)
    with Client(create_app(services)) as client:
        assert client.get(JOBS, headers=good).status_code == 200
        guesses = [{"X-API-Key": new_key()[1].text} for _ in range(5)]
        assert [client.get(JOBS, headers=one).status_code for one in guesses] == [401] * 3 + [429] * 2
        assert client.get(JOBS, headers=good).status_code == 200
        assert client.post("/api/v1/session", json={"key": "x"}).status_code == 429
        unseen = key_of(services, name="unseen")
        assert client.get(JOBS, headers=unseen).status_code == 200, "others may share its address"
        assert client.get(JOBS, headers={"X-API-Key": new_key()[1].text}).status_code == 429
        another = key_of(services, name="another")["Authorization"].removeprefix("Bearer ")
        assert client.post("/api/v1/session", json={"key": another}).status_code == 201


def test_a_flood_of_wrong_keys_takes_one_thread(tmp_path: Path) -> None:
    services = memory_services(tmp_path, server__limit_failures_per_minute=1)
    good, found = key_of(services), services.access.find_key
    at_once: list[int] = []
    inside: set[int] = set()

    def slow(text: str) -> Any:
        inside.add(threading.get_ident())
        at_once.append(len(inside))
        time.sleep(0.002)
        inside.discard(threading.get_ident())
        return found(text)

    services.access.find_key = slow
    with Client(create_app(services)) as client:
        assert client.get(JOBS, headers={"X-API-Key": "first"}).status_code == 401
        guesses = [{"X-API-Key": new_key()[1].text} for _ in range(30)]
        answers = client.get_together(JOBS, [*guesses, good])
        assert answers == [429] * 30 + [200]
    assert max(at_once) == 1


def test_a_job_moves_no_alias_for_a_key_that_may_not(client: Client, services: Any) -> None:
    run, admin = key_of(services, "run"), key_of(services)
    body = {"plan": "fast", "save": "btc", "alias": "champion"}
    for route in ("training-jobs", "tuning-jobs"):
        answer = client.post(f"/api/v1/{route}", json=body, headers=run)
        assert answer.status_code == 403
        assert "alias" in answer.json()["what"]
        assert client.post(f"/api/v1/{route}", json={**body, "alias": None}, headers=run).status_code == 202
    job = client.post("/api/v1/training-jobs", json=body, headers=admin).json()
    assert services.job_store.jobs[job["id"]].request.spec["actor"] == "admin"
    services.job_store.end(job["id"], "failed")
    assert client.post(f"{JOBS}/{job['id']}/retry", headers=run).status_code == 403
    assert client.post(f"{JOBS}/{job['id']}/retry", headers=admin).status_code == 202


def test_who_does_it_is_told_to_the_log(client: Client, services: Any) -> None:
    key, _ = services.access.create_key("ann", "admin")
    headers = key_of(services)
    client.get(JOBS, headers={"X-API-Key": "wrong"})
    entries = client.get("/api/v1/audit-log?limit=1", headers=headers).json()
    (failed,) = entries["entries"]
    assert (failed["action"], failed["who"], failed["address"]) == ("login.failed", "nobody", "127.0.0.1")
    rest = client.get(f"/api/v1/audit-log?cursor={entries['cursor']}", headers=headers).json()
    assert [(e["action"], e["who"]) for e in rest["entries"]] == [("key.create", "local")] * 2
    assert rest["cursor"] is None
    assert client.get("/api/v1/audit-log", headers=key_of(services, "run")).status_code == 403
    for odd in ("limit=0", "action=a%00b", "who=%20"):
        assert client.get(f"/api/v1/audit-log?{odd}", headers=headers).status_code == 422
    assert key.name == "ann"


def test_a_test_may_say_who_asks(client: Client) -> None:
    client.app.dependency_overrides[caller] = lambda: Caller("key", "0", "reader", "read")
    assert client.get(JOBS).status_code == 200
    assert client.request("DELETE", f"{JOBS}/0001").status_code == 403


def test_proxies_are_believed_when_they_are_trusted(tmp_path: Path) -> None:
    services = memory_services(tmp_path, server__trusted_proxies=["127.0.0.0/8"])
    with Client(create_app(services)) as client:
        client.get(JOBS, headers={"X-API-Key": "wrong", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
        assert services.access.entries[-1].address == "203.0.113.9", "not what the client made up"
    services = memory_services(tmp_path)
    with Client(create_app(services)) as client:
        client.get(JOBS, headers={"X-API-Key": "wrong", "X-Forwarded-For": "203.0.113.9"})
        assert services.access.entries[-1].address == "127.0.0.1"


def test_a_revoked_key_ends_soon(services: Any) -> None:
    key = key_of(services)
    with Client(create_app(services)) as client:
        assert client.get(JOBS, headers=key).status_code == 200
        services.access.revoke_key("admin")
        for entry in client.app.state.onward.authenticator._known.values():
            entry.since -= STALE_SECONDS
        answer = client.get(JOBS, headers=key)
        assert answer.status_code == 401
        assert "revoked" in answer.json()["what"]


def test_the_document_says_who_may(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header", "session"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            public = path.startswith("/api/v1/health/") or (path, method) == ("/api/v1/session", "post")
            assert bool(operation["security"]) != public, f"{method} {path}"
            assert {"401", "403", "429"} <= set(operation["responses"]), f"{method} {path}"
    stop = document["paths"]["/api/v1/jobs/{job_id}/stop"]["post"]
    assert {"bearer": ["run"]} in stop["security"]
    assert stop["description"].endswith("Needs the scope `run`.")
