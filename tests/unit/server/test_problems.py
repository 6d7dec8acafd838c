"""Every refusal is a problem document that teaches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward import errors
from onward.errors import OnwardError
from onward.server import create_app
from onward.server.dependencies import job_store
from onward.server.problems import status_of
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

CLASSES = [
    getattr(errors, name)
    for name in errors.__all__
    if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), OnwardError)
]
EXPECTED = {
    "UnauthenticatedError": 401,
    "ForbiddenError": 403,
    "RateLimitError": 429,
    "DataNotFoundError": 404,
    "DataConflictError": 409,
    "KeyNotFoundError": 404,
    "JobNotFoundError": 404,
    "RegistryNotFoundError": 404,
    "JobConflictError": 409,
    "JobStateError": 409,
    "RegistryConflictError": 409,
    "JobTooLargeError": 413,
    "JobError": 400,
    "BundleError": 503,
    "StorageRefusedError": 500,
    "StorageError": 503,
    "OnwardError": 500,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory: Path = tmp_path_factory.mktemp("problems")
    with Client(create_app(memory_services(directory))) as client:
        yield client


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_has_its_status(
    client: Client, kind: type[OnwardError], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "onward.server")  # a report of this test could not carry half a character

    async def refusing() -> None:
        raise kind("it is wrong", got="\ud800", allowed="what is right", remedy="Do right.")

    client.app.dependency_overrides[job_store] = refusing
    try:
        answer = client.get("/api/v1/jobs/x")
    finally:
        client.app.dependency_overrides.clear()
    assert answer.status_code == status_of(kind("x")) == EXPECTED.get(kind.__name__, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["what"], said["allowed"], said["remedy"]) == ("it is wrong", "what is right", "Do right.")
    assert said["status"] == answer.status_code
    assert said["instance"] == "/api/v1/jobs/x"
    assert said["type"].startswith("urn:onward:problem:")
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))


@pytest.mark.parametrize(("kind", "logged"), [(errors.StorageRefusedError, True), (errors.JobError, False)])
def test_what_is_our_own_fault_is_in_the_log(
    client: Client, kind: type[OnwardError], logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def refusing() -> None:
        raise kind("the database refused it")

    client.app.dependency_overrides[job_store] = refusing
    try:
        client.get("/api/v1/jobs/x")
    finally:
        client.app.dependency_overrides.clear()
    assert ("in refusing" in caplog.text) is logged


def test_what_nobody_expected_tells_nothing(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("secret of the machine")

    client.app.dependency_overrides[job_store] = broken
    try:
        answer = client.get("/api/v1/jobs/x")
    finally:
        client.app.dependency_overrides.clear()
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret of the machine" in caplog.text, "the log must say it"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/api/v1/jobs/", 404),
        ("PATCH", "/api/v1/jobs", 405),
        ("PUT", "/metrics", 405),
    ],
)
def test_unknown_routes_and_methods(client: Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)
    said = answer.json()
    assert all(said[part] for part in ("what", "got", "allowed", "remedy")), said
    assert said["got"] == (path if status == 404 else method)
    if status == 405:
        assert said["allowed"] == answer.headers["allow"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"),
        (b"", 422, "body"),
        (b"[]", 422, "body"),
        (b'"text"', 422, "body"),
        (b'{"plan": NaN}', 422, "body"),
        (b'{"plan": {"model.learning_rate": Infinity}}', 422, "body"),
        (b'{"plan": {"a": ' + b"9" * 400 + b"}}", 422, "body"),
        (b'{"priority": 1e400}', 422, "body"),
        (b'{"plan": {"a": "\\u0000"}}', 422, "body"),
        (b'{"plan": {"a": "\\ud800"}}', 422, "body"),
        (b'{"\\ud800": 1}', 422, "body"),
        (b'{"plam": "fast"}', 422, "body.plam"),
        (b'{"priority": "high"}', 422, "body.priority"),
        (b'{"run_after": "0001-01-01T00:00:00+14:00"}', 422, "body.run_after"),
        (b'{"run_after": "2026-01-01T00:00:00"}', 422, "body.run_after"),
        (b'{"plan": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "body"),
        (b'{"plan": ' + b'{"a":' * 20 + b"1" + b"}" * 20 + b"}", 422, "body"),
        ('{"plan": "é'.encode("latin-1") + b'"}', 400, "body"),
    ],
)
def test_bodies_that_are_wrong(client: Client, body: bytes, status: int, field: str) -> None:
    answer = client.post("/api/v1/training-jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4000, "a large body must not come back"
    if status == 422:
        assert answer.json()["errors"][0]["field"].startswith(field), answer.text
    said = answer.json()
    assert all(said[part] for part in ("what", "allowed", "remedy")), said


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Host": "elsewhere.example"}, b"{}", 421),
        ({"Origin": "https://elsewhere.example"}, b"{}", 403),
        ({"Content-Length": "many"}, b"{}", 400),
        ({}, b"x" * 20_000_000, 413),
    ],
)
def test_what_is_refused_before_any_route_teaches_as_well(
    client: Client, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = client.post("/api/v1/training-jobs", content=body, headers=headers)
    assert answer.status_code == status
    said = answer.json()
    assert all(said[part] for part in ("what", "got", "allowed", "remedy")), said


def test_a_body_of_another_type_is_not_read(client: Client) -> None:
    body = json.dumps({"plan": "fast"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/api/v1/training-jobs", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422, "a page of another site can send these without asking"


def test_text_that_is_no_json_says_where_it_ceases_to_be(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/training-jobs", content=b'{"plan": "fast",}', headers=headers)
    assert answer.status_code == 400
    said = answer.json()
    assert said["got"] is None
    assert "is no JSON" in said["what"]
    assert "at character 16" in said["what"], said["what"]
