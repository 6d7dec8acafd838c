"""The quick way and the usual way to a route: one cannot be told from the other, but by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from onward.server import create_app
from onward.server.dependencies import job_store
from onward.server.quick import quick
from tests.unit.server.client import Client
from tests.unit.server.memory import MemoryJobStore, memory_services

JOBS = "/api/v1/jobs"
USUAL = "?spec=false"


@pytest.fixture
def services(tmp_path: Path) -> Any:
    return memory_services(tmp_path, server__limit_read_per_minute=30)


@pytest.fixture
def client(services: Any) -> Iterator[Client]:
    with Client(create_app(services)) as client:
        yield client


def seen(answer: httpx.Response) -> tuple[Any, ...]:
    return answer.status_code, sorted(answer.headers.items()), answer.content.replace(USUAL.encode(), b"")


def test_both_ways_give_the_same_answer(client: Client, services: Any) -> None:
    job_id = client.post("/api/v1/feature-jobs", json={}).json()["id"]
    for path, status in ((job_id, 200), (job_id[:6], 200), ("nothing", 404), ("%20", 404), ("a%2Fb", 404)):
        plain = client.get(f"{JOBS}/{path}")
        assert plain.status_code == status
        assert seen(plain) == seen(client.get(f"{JOBS}/{path}{USUAL}"))
    assert client.get(f"{JOBS}/{job_id}").json()["id"] == job_id
    assert "spec" in client.get(f"{JOBS}/{job_id}?spec=true").json()
    assert client.get(f"{JOBS}/{job_id}?spec=perhaps").status_code == 422
    assert client.request("PATCH", f"{JOBS}/{job_id}").status_code == 405
    counted = client.get("/metrics").text
    found = 'onward_http_request_seconds_count{method="GET",route="/jobs/{job_id}",status="200"} 6.0'
    assert found in counted, [line for line in counted.splitlines() if "job_id" in line and "_count" in line]


def test_both_ways_refuse_the_same(services: Any) -> None:
    _, secret = services.access.create_key("one", "read")
    key = {"Authorization": f"Bearer {secret.text}"}
    with Client(create_app(services)) as client:
        plain, usual = (client.get(f"{JOBS}/0001{query}") for query in ("", USUAL))
        assert plain.status_code == 401
        assert seen(plain) == seen(usual)
        answers = [client.get(f"{JOBS}/0001{query}", headers=key) for query in ("", USUAL) * 17]
    assert {answer.status_code for answer in answers} == {404, 429}
    plain, usual = answers[-2:]
    assert plain.status_code == usual.status_code == 429
    assert "retry-after" in plain.headers
    assert plain.json()["type"] == usual.json()["type"]


def test_what_is_put_in_place_is_asked(client: Client) -> None:
    job_id = client.post("/api/v1/feature-jobs", json={}).json()["id"]
    assert client.get(f"{JOBS}/{job_id}").status_code == 200
    client.app.dependency_overrides[job_store] = MemoryJobStore
    assert client.get(f"{JOBS}/{job_id}").status_code == 404, "a store that knows no job"
    client.app.dependency_overrides.clear()
    assert client.get(f"{JOBS}/{job_id}").status_code == 200


def test_plain_requests_go_the_quick_way_and_no_others() -> None:
    async def plainly(request: Request) -> Response:
        return PlainTextResponse(f"quick {request.path_params['name']}")

    def who() -> str:
        return "somebody"

    router = APIRouter(route_class=quick(plainly))

    @router.get("/to/{name}")
    def show(name: str, by: str = Depends(who)) -> Response:
        return PlainTextResponse(f"usual {name} by {by}")

    app = FastAPI()
    app.include_router(router, prefix="/api")
    with Client(app) as client:
        assert client.get("/api/to/it").text == "quick it"
        assert client.get("/api/to/it?x=1").text == "usual it by somebody"
        app.dependency_overrides[who] = lambda: "a test"
        assert client.get("/api/to/it").text == "usual it by a test"


def test_the_quick_way_refuses_dependencies_that_it_would_pass_over() -> None:
    router = APIRouter(route_class=quick(None))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="no other dependencies"):
        router.add_api_route("/", lambda: None, dependencies=[Depends(lambda: None)])
