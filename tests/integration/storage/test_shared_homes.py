"""Two homes, one database and one object store: what the one makes, the other has."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onward.cli.reports import keep_report
from onward.errors import ConfigError, JobError
from onward.jobs.values import JobRequest
from onward.server import create_app
from onward.settings import load_settings
from onward.tasks.services import WorkerServices
from onward.testing.object_server import ObjectServer
from onward.testing.repositories import rows_of
from onward.wiring import Application, build_application
from tests.unit.server.client import Client
from tests.unit.training.small_runs import SMALL, planted

FILE = b"PAR1 of a job"


@pytest.fixture
def shared(sqlite_template: Path, object_server: ObjectServer, tmp_path: Path) -> dict[str, Any]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    options = object_server.options()
    return {
        "storage.database_url": f"sqlite:///{tmp_path}/onward.db",
        "storage.artifacts": options.url,
        "storage.artifacts_endpoint": options.endpoint,
        "storage.artifacts_region": options.region,
        "storage.artifacts_key": options.key,
        "storage.artifacts_secret": options.secret,
        "storage.artifacts_patience_seconds": 1.0,
    }


@pytest.fixture
def hosts(shared: dict[str, Any], tmp_path: Path) -> Iterator[tuple[Application, Application]]:
    here, there = (made(tmp_path / name, shared) for name in ("here", "there"))
    yield here, there
    here.close()
    there.close()


def made(home: Path, overrides: dict[str, Any]) -> Application:
    return build_application(
        load_settings(home=home, cwd=home.parent, environ={}, overrides={**SMALL, **overrides})
    )


def test_a_server_shows_the_report_of_a_model_that_another_host_trained(
    hosts: tuple[Application, Application], object_server: ObjectServer, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = hosts
    result = here.training.train(planted(), here.settings.plan, audit=False)
    result.save("btc-1h")
    keep_report(here, result)
    with Client(create_app(there)) as client:
        path = "/api/v1/models/btc-1h/versions/1"
        assert "<html" in client.get(f"{path}/report").text
        assert client.get(path).json()["card"].startswith("#")
        with object_server.fault("busy"):
            assert client.get(f"{path}/report").status_code == 200, "there is a checked copy"
    stored = there.runs.get(str(result.run_id)).record.report_path
    assert stored is not None
    assert not (there.home.root / stored).exists()
    assert there.kept_file(stored).read_bytes() == (here.home.root / stored).read_bytes()
    assert there.artifacts is not None
    assert there.artifacts.store.list("features/"), "what one host computed others find"
    there.registry.delete("btc-1h/1")
    assert there.artifacts.store.list("models/") == []
    with object_server.fault("deny", method="PUT"):  # a training does not fail with its report
        kept = keep_report(here, result)
    assert kept is not None
    assert kept.is_file()
    assert "on this host alone" in capsys.readouterr().err


def job_of(app: Application, kind: str, spec: dict[str, Any]) -> Any:
    store = app.job_store
    store.submit(JobRequest(kind=kind, spec=spec))
    (job,) = store.claim("tester", limit=1)
    return job


def attempt(directory: Path) -> dict[str, Any]:
    """Leave what a worker of a features job leaves."""
    directory.mkdir(parents=True)
    (directory / "features.parquet").write_bytes(FILE)
    return {"files": {"features.parquet": hashlib.sha256(FILE).hexdigest()}}


def test_the_output_of_a_job_is_read_anywhere_once_it_has_ended(
    hosts: tuple[Application, Application], tmp_path: Path, object_server: ObjectServer
) -> None:
    here, there = hosts
    job = job_of(here, "features", {"out": "all/matrix.parquet", "force": False})
    manifest = attempt(tmp_path / "attempt")
    kind = next(kind for kind in here.job_kinds if kind.name == "features")
    publication = kind.publish(job, manifest, tmp_path / "attempt")
    assert not there.kept_file("outputs/all/matrix.parquet").exists(), "its job has not ended"
    assert publication.on_commit is not None
    told = publication.on_commit(None)  # type: ignore[arg-type]
    assert told == {"written": "outputs/all/matrix.parquet"}
    assert there.kept_file(told["written"]).read_bytes() == FILE
    assert (here.home.root / told["written"]).read_bytes() == FILE
    here.sweep_artifacts()
    assert there.kept_file(told["written"]).read_bytes() == FILE
    with object_server.fault("deny"), pytest.raises(JobError, match="credentials"):
        kind.publish(job, attempt(tmp_path / "second"), tmp_path / "second")


def test_a_job_whose_end_cannot_be_told_to_the_store_succeeds_all_the_same(
    hosts: tuple[Application, Application], tmp_path: Path, object_server: ObjectServer
) -> None:
    here, there = hosts
    job = job_of(here, "features", {"out": None, "force": False})
    kind = next(kind for kind in here.job_kinds if kind.name == "features")
    publication = kind.publish(job, attempt(tmp_path / "attempt"), tmp_path / "attempt")
    assert publication.on_commit is not None
    with object_server.fault("deny"):
        told = publication.on_commit(None)  # type: ignore[arg-type]
    assert told is not None
    assert (here.home.root / told["written"]).read_bytes() == FILE
    assert not there.kept_file(told["written"]).exists()


def test_writers_take_turns_where_the_store_keeps_no_conditions(
    database_url: str, shared: dict[str, Any], tmp_path: Path, object_server: ObjectServer
) -> None:
    shared["storage.database_url"] = database_url
    hosts = [made(tmp_path / "home", shared) for _ in range(2)]
    inside, most = [0], [0]

    def write(host: Application) -> None:
        for _ in range(5):
            with host._take_turns("data/manifest.json"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.005)
                inside[0] -= 1

    threads = [threading.Thread(target=write, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    with object_server.fault("careless"):
        rows = rows_of("candles", 24)
        assert hosts[0].repositories.candles("1h").upsert("BTC/USD", rows).added == 24
    assert len(hosts[1].repositories.candles("1h").read("BTC/USD")) == 24
    for host in hosts:
        host.close()


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
