"""A file that was sent to one host, imported by another; the store keeps it no longer than needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onward.errors import JobError
from onward.server import create_app
from onward.storage import MissingObjectError
from onward.tasks.uploaded import checked_uploads, fetched, needed_uploads
from onward.testing.markets import planted_signal
from onward.testing.object_server import ObjectServer
from onward.wiring import Application, build_application
from tests.integration.server.houses import QUICK, until
from tests.unit.server.client import Client
from tests.unit.server.memory import settings_of

CSV = planted_signal(60, seed=0).bars.reset_index().drop(columns="symbol").to_csv(index=False).encode()
NAME = "BTC_USDT-1h.csv"


@pytest.fixture
def homes(
    sqlite_template: Path, object_server: ObjectServer, tmp_path: Path
) -> Iterator[tuple[Application, Application]]:
    """Return two homes on one database and one store."""
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    options = object_server.options()
    shared = {
        **{name: value for name, value in QUICK.items() if name.startswith("jobs.")},
        "server.run_jobs": False,
        "storage.database_url": f"sqlite:///{tmp_path}/onward.db",
        "storage.artifacts": options.url,
        "storage.artifacts_endpoint": options.endpoint,
        "storage.artifacts_region": options.region,
        "storage.artifacts_key": options.key,
        "storage.artifacts_secret": options.secret,
        "storage.artifacts_patience_seconds": 1.0,
    }
    asked, running = (build_application(settings_of(tmp_path / n, **shared)) for n in ("asked", "running"))
    yield asked, running
    running.close()
    asked.close()


def send(client: Client, key: str) -> Any:
    return client.post("/api/v1/data/import", files={"file": (NAME, CSV)}, headers={"Idempotency-Key": key})


def uploads_of(application: Application) -> list[str]:
    assert application.artifacts is not None
    return [info.name for info in application.artifacts.store.list("uploads/")]


@pytest.mark.slow
def test_another_host_imports_what_was_sent_to_this_one(
    homes: tuple[Application, Application], object_server: ObjectServer
) -> None:
    asked, running = homes
    with Client(create_app(asked)) as here, Client(create_app(running)) as there:
        answer = send(here, "once")
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]
        assert not list((asked.home.root / "uploads").iterdir()), "the store keeps it"
        again = send(there, "once").json()
        assert (again["id"], again["created"]) == (job_id, False), "the same request at any host"
        with object_server.fault("deny", method="PUT"):
            refused = send(here, "never")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert asked.job_store.counts()["queued"] == 1, "no job without its file"
    with running.job_manager as manager:
        manager.start()
        job = until(lambda: (j := running.job_store.get(job_id)).finished_at and j)
    assert job.state == "succeeded", job.error
    assert [one["file"] for one in job.result["imported"]] == [NAME]
    assert len(asked.repositories.candles("1h").read("BTC/USDT")) == 60
    assert not list(running.home.jobs.rglob(NAME)), "the copy went with the attempt"


def test_what_no_job_will_read_is_swept(homes: tuple[Application, Application]) -> None:
    asked, running = homes
    with Client(create_app(asked)) as here:
        job_id = send(here, "once").json()["id"]
    assert asked.artifacts is not None
    uploads, store = asked.artifacts.uploads, asked.job_store
    digest = uploads_of(asked)[0].split("/")[1]

    def swept(later: timedelta, **hours: float) -> int:
        return uploads.sweep(lambda: needed_uploads(store, datetime.now(UTC) + later), **hours)

    assert swept(timedelta(), older_than_hours=-1) == 0, "its job waits"
    store.request_stop(job_id)
    assert swept(timedelta(), older_than_hours=-1) == 0, "it may be tried again"
    assert swept(timedelta(days=2)) == 0, "it came a moment ago"
    assert swept(timedelta(days=2), older_than_hours=-1) == 1
    assert uploads_of(asked) == []
    services = running._for_workers()
    told = [{"name": NAME, "sha256": digest}]
    with (
        pytest.raises(MissingObjectError, match="not kept any more"),
        fetched(told, services, running.home.ensure().root),
    ):
        pass


def test_damage_is_noticed_and_a_sound_copy_found(
    homes: tuple[Application, Application], tmp_path: Path
) -> None:
    asked, running = homes
    assert asked.artifacts is not None
    (tmp_path / "file.csv").write_bytes(CSV)
    digest = asked.artifacts.uploads.put(tmp_path / "file.csv")
    services, told = running._for_workers(), [{"name": NAME, "sha256": digest}]
    asked.artifacts.store.write(uploads_of(asked)[0], b"x" * 10)
    with pytest.raises(Exception, match="damaged"), fetched(told, services, tmp_path):
        pass
    asked.artifacts.uploads.put(tmp_path / "file.csv")
    with fetched(told, services, tmp_path) as files:
        assert [(file.name, file.read_bytes()) for file in files] == [(NAME, CSV)]
    assert not files[0].exists()


@pytest.mark.parametrize(
    "told",
    [
        NAME,
        {"name": NAME},
        {"name": "../a.csv", "sha256": "0" * 64},
        {"name": ".csv", "sha256": "0" * 64},
        {"name": NAME, "sha256": "../../models"},
        {"name": 1, "sha256": "0" * 64},
        {"name": NAME, "sha256": "0" * 64, "more": 1},
    ],
)
def test_requests_name_sent_files_and_nothing_else(told: Any) -> None:
    with pytest.raises(JobError, match="no file that was sent"):
        checked_uploads([told])


def test_a_host_without_the_store_says_so(tmp_path: Path) -> None:
    services = build_application(settings_of(tmp_path))._for_workers()
    with (
        pytest.raises(JobError, match="does not know"),
        fetched([{"name": NAME, "sha256": "0" * 64}], services, tmp_path),
    ):
        pass
