"""Two servers with homes of their own, one PostgreSQL and one object store: either does for the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from onward.errors import ConfigError
from onward.settings import load_settings
from onward.tasks.services import WorkerServices
from onward.testing.object_server import ObjectServer
from onward.wiring import build_application
from tests.integration.server.houses import House


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


def test_workers_are_told_of_the_store_and_rebuild_it(tmp_path: Path, shared: dict[str, Any]) -> None:
    resolved = load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=shared)
    application = build_application(resolved)
    told = application._for_workers().to_json()
    rebuilt = WorkerServices.from_json(told)
    assert rebuilt.artifacts == application.artifacts
    assert repr(shared["storage.artifacts_secret"]) not in repr(rebuilt)
    assert type(rebuilt.store).__name__ == "RemoteDataStore"
    own = {
        **shared,
        "storage.data_directory": str(tmp_path / "own"),
        "registry.directory": str(tmp_path / "m"),
    }
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=own))
    assert type(application.repositories).__name__ == "DataStore"
    assert application.repositories.root == tmp_path / "own"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"storage.artifacts": "/mnt/shared"}, "no address of an object store"),
        ({"storage.artifacts_endpoint": "host"}, "no address of a service"),
        ({"storage.artifacts_secret": None}, "One half of the store's credentials"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path, shared: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    resolved = load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides={**shared, **changes})
    with pytest.raises(ConfigError, match=said):
        _ = build_application(resolved).repositories


def test_without_a_store_its_libraries_are_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from onward.settings import load_settings; from onward.wiring import build_application\n"
        "app = build_application(load_settings())\n"
        "app.repositories.timeframes(), app.registry.list_models(), app.feature_cache.stats()\n"
        "assert app.job_kinds\n"
        "found = {'fsspec', 's3fs', 'botocore', 'aiobotocore', 'aiohttp'} & set(sys.modules)\n"
        "assert not found, found"
    )
    environment = {**os.environ, "ONWARD_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
