"""Any collaborator can be put in place without a patch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from onward.errors import RegistryNotFoundError, StorageError
from onward.registry.values import AliasEvent, ModelSummary, Standing
from onward.server import create_app
from onward.server.dependencies import job_store, model_registry
from tests.unit.server.client import Client
from tests.unit.server.memory import MemoryJobStore, memory_services

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


class MemoryRegistry:
    """Two models and no versions."""

    def __init__(self) -> None:
        self.events: list[AliasEvent] = []

    def list_models(self) -> list[ModelSummary]:
        return [ModelSummary(name, MOMENT, 1, 1, (("champion", 1),)) for name in ("btc-1h", "eth-1h")]

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        actor: str,
        reason: str,
        *,
        seen: Standing | None = None,
    ) -> AliasEvent | None:
        if name != "btc-1h":
            raise RegistryNotFoundError("There is no such model", got=name)
        self.events.append(AliasEvent(name, alias, "set", version, 1, actor, reason, MOMENT))
        return self.events[-1]


@pytest.fixture
def services(tmp_path: Path) -> Any:
    return memory_services(tmp_path)


@pytest.fixture
def client(services: Any) -> Iterator[Client]:
    with Client(create_app(services)) as client:
        yield client


def test_jobs_live_in_whatever_store_the_services_bring(client: Client, services: Any) -> None:
    headers = {"Idempotency-Key": "one"}
    answer = client.post("/api/v1/training-jobs", json={"plan": "fast", "priority": 3}, headers=headers)
    assert answer.status_code == 202
    said = answer.json()
    assert (said["kind"], said["state"], said["created"], said["priority"]) == ("train", "queued", True, 3)
    assert answer.headers["location"] == said["links"]["self"] == f"/api/v1/jobs/{said['id']}"
    assert services.job_store.jobs[said["id"]].request.spec["plan"] == "fast"

    again = client.post("/api/v1/training-jobs", json={"plan": "fast", "priority": 3}, headers=headers)
    assert (again.status_code, again.json()["id"], again.json()["created"]) == (202, said["id"], False)
    other = client.post("/api/v1/training-jobs", json={"plan": "default"}, headers=headers)
    assert other.status_code == 409
    assert not (services.home.root / "onward.db").exists(), "no database was opened"


def test_a_job_from_submit_to_deletion(client: Client, services: Any) -> None:
    job_id = client.post("/api/v1/feature-jobs", json={}).json()["id"]
    here = f"/api/v1/jobs/{job_id}"
    assert client.get(f"{here}/result").status_code == 409
    assert client.post(f"{here}/retry").status_code == 409
    assert client.request("DELETE", here).status_code == 409
    services.job_store.tell(job_id, "log", text="half \ud800 a pair")
    assert client.get(f"{here}/logs").text == "half ? a pair\n"

    stopped = client.post(f"{here}/stop")
    assert (stopped.status_code, stopped.json()["accepted"]) == (202, True)
    assert client.post(f"{here}/stop").json()["accepted"] is False
    page = client.get(f"{here}/events?after=1&limit=1").json()
    assert ([e["seq"] for e in page["events"]], page["after"], page["ended"]) == ([2], 2, False)
    rest = client.get(f"{here}/events?after=2").json()
    assert ([e["payload"] for e in rest["events"]], rest["ended"]) == ([{"state": "cancelled"}], True)

    retried = client.post(f"{here}/retry")
    assert (retried.status_code, retried.json()["retry_of"]) == (202, job_id)
    directory = services.home.jobs / job_id / "1"
    directory.mkdir(parents=True)
    assert client.request("DELETE", here).status_code == 204
    assert not directory.exists()
    assert client.get(here).status_code == 404


def test_pages_continue_where_they_ended(client: Client, services: Any) -> None:
    ids = [client.post("/api/v1/tuning-jobs", json={"trials": 3}).json()["id"] for _ in range(5)]
    services.job_store.end(ids[0], "failed")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(
            "/api/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
    assert seen == ids[::-1]
    failed = client.get("/api/v1/jobs?state=failed&kind=tune").json()["jobs"]
    assert [job["id"] for job in failed] == ids[:1]
    assert client.get("/api/v1/jobs?state=odd").status_code == 422


def test_routes_take_what_overrides_give(client: Client) -> None:
    registry, store = MemoryRegistry(), MemoryJobStore()
    client.app.dependency_overrides[model_registry] = lambda: registry
    client.app.dependency_overrides[job_store] = lambda: store
    page = client.get("/api/v1/models?limit=1").json()
    assert ([one["name"] for one in page["models"]], page["cursor"]) == (["btc-1h"], "btc-1h")
    rest = client.get("/api/v1/models?cursor=btc-1h").json()
    assert ([one["name"] for one in rest["models"]], rest["cursor"]) == (["eth-1h"], None)
    body = {"version": 2, "actor": "mira", "reason": "better"}
    answer = client.request("PUT", "/api/v1/models/btc-1h/aliases/champion", json=body)
    assert answer.json()["event"]["version"] == 2
    assert registry.events[0].actor == "mira"
    unknown = client.request("PUT", "/api/v1/models/doge/aliases/champion", json=body)
    assert unknown.status_code == 404
    assert client.get("/api/v1/jobs").json() == {"jobs": [], "cursor": None}


def test_what_could_not_be_built_is_tried_again(tmp_path: Path) -> None:
    class Away:
        """Services whose database comes back."""

        def __init__(self) -> None:
            self.inner = memory_services(tmp_path)
            self.away = False

        def __getattr__(self, name: str) -> Any:
            if name == "job_store" and self.away:
                raise StorageError("the database is away", remedy="Wait.")
            return getattr(self.inner, name)

    services: Any = Away()
    services.away = True
    with Client(create_app(services), lifespan=False) as client:
        assert client.get("/api/v1/jobs").status_code == 503
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        services.away = False
        assert client.get("/api/v1/jobs").status_code == 200
        assert client.get("/health/ready").json() == {"status": "ready"}
