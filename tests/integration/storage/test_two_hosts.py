"""Two servers with homes of their own, one PostgreSQL and one object store: either does for the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from onward.testing.object_server import ObjectServer
from tests.integration.server.houses import House

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared(postgres_server: Any, postgres_template: str, object_server: ObjectServer) -> dict[str, Any]:
    options = object_server.options()
    return {
        "storage.database_url": postgres_server.create_database(postgres_template),
        "storage.artifacts": options.url,
        "storage.artifacts_endpoint": options.endpoint,
        "storage.artifacts_region": options.region,
        "storage.artifacts_key": options.key,
        "storage.artifacts_secret": options.secret,
    }


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, shared: dict[str, Any]) -> Iterator[tuple[House, House]]:
    """Return a server that runs jobs and one that runs none."""
    running = House(tmp_path_factory.mktemp("running"), **shared)
    asking = House(tmp_path_factory.mktemp("asking"), **shared, **{"server.run_jobs": False})
    yield running, asking
    asking.close()
    running.close()


def done(house: House, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = house.http.post(path, json=body)
    assert answer.status_code == 202, answer.text
    job = house.ended(answer.json()["id"])
    assert job["state"] == "succeeded", job["error"]
    return dict(job["result"])


@pytest.fixture(scope="module")
def trained(houses: tuple[House, House]) -> dict[str, Any]:
    """Import through the one, train on what is stored through the other."""
    running, asking = houses
    done(running, "/import-jobs", {"files": ["bars.parquet"], "symbol": "BTC/USD"})
    return done(
        asking, "/training-jobs", {"save": "btc-1h", "audit": False, "plan": {"data.symbols": ["BTC/USD"]}}
    )


def test_stored_data_are_those_of_the_other(houses: tuple[House, House], trained: dict[str, Any]) -> None:
    running, asking = houses
    (series,) = asking.http.get("/data/series").json()["series"]
    assert (series["symbol"], series["rows"]) == ("BTC/USD", 600)
    assert not list((asking.application.home.data).rglob("*.parquet"))
    assert not list((running.application.home.data).rglob("*.parquet")), "nothing of an import is left behind"


def test_a_server_shows_and_uses_what_another_trained(
    houses: tuple[House, House], trained: dict[str, Any], object_server: ObjectServer
) -> None:
    _, asking = houses
    report = asking.http.get("/models/btc-1h/versions/1/report")
    assert report.status_code == 200
    assert "<html" in report.text
    assert asking.http.get("/models/btc-1h/versions/1").json()["card"].startswith("#")
    newest = asking.application.repositories.candles("1h").read("BTC/USD")["timestamp"].iloc[-1]
    asked = {"symbols": ["BTC/USD"], "at": (newest + pd.Timedelta("1h")).isoformat()}
    answer = asking.http.post("/models/btc-1h/versions/1/predictions", json=asked)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["predictions"]) == 1
    with object_server.fault("busy"):
        assert asking.http.get("/models/btc-1h/versions/1/report").status_code == 200, (
            "a checked copy is here"
        )


def test_the_report_of_a_run_and_the_output_of_a_job_are_read_anywhere(
    houses: tuple[House, House], trained: dict[str, Any]
) -> None:
    running, asking = houses
    assert not (asking.application.home.root / trained["report"]).exists()
    kept = asking.application.kept_file(trained["report"])
    assert kept.read_bytes() == (running.application.home.root / trained["report"]).read_bytes()
    written = done(
        asking, "/feature-jobs", {"out": "all/matrix.parquet", "plan": {"data.symbols": ["BTC/USD"]}}
    )
    assert written["written"] == "outputs/all/matrix.parquet"
    assert len(pd.read_parquet(asking.application.kept_file(written["written"]))) == 600
    assert not asking.application.kept_file("outputs/never.parquet").exists()


def test_features_computed_by_one_are_found_by_the_other(
    houses: tuple[House, House], trained: dict[str, Any]
) -> None:
    _, asking = houses
    store = asking.application.artifacts.store  # type: ignore[union-attr]
    names = [info.name for info in store.list("features/")]
    assert names
    assert asking.application.feature_cache._shared.find(names[0].split("/")[1].split(".")[0])  # type: ignore[union-attr]


def test_a_deletion_empties_the_store_and_a_sweep_finds_nothing_to_do(
    houses: tuple[House, House], trained: dict[str, Any]
) -> None:
    running, asking = houses
    store = asking.application.artifacts.store  # type: ignore[union-attr]
    before = len(store.list("files/"))
    running.application.sweep_artifacts()
    assert len(store.list("files/")) == before
    assert len(store.list("models/")) > 5
    assert asking.http.delete("/models/btc-1h/versions/1").status_code == 204
    assert store.list("models/") == []
    assert running.http.get("/models/btc-1h/versions/1/report").status_code == 404
