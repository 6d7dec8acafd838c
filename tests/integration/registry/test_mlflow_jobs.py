"""Jobs that publish in MLflow, in real processes: a training from its submission on, and a server killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onward.database import open_database, upgrade
from onward.database.transactions import writing
from onward.registry.mlflow import Connection, MlflowRegistry, Outbox
from onward.registry.placement import Placement
from onward.registry.values import Posting
from onward.storage import LocalCopies
from onward.tasks.promised import published
from onward.testing.mlflow_store import MlflowServer, copy_mlflow, make_mlflow, missing, missing_server
from onward.testing.registry import Workshop as Bundles
from tests.integration.jobs.workshop import Workshop
from tests.integration.server.houses import House, until

REASON = missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    # MLflow's own tables use what SQLAlchemy 2.1 has deprecated.
    pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning"),
]

KILLED = """
import os, signal, sys
from onward.registry.mlflow.publishing import Publisher
from tests.integration.registry.test_mlflow_jobs import registry_of

create = Publisher.create
def killed(*args):
    create(*args)
    os.kill(os.getpid(), signal.SIGKILL)
Publisher.create = killed
registry_of(sys.argv[1], sys.argv[2])[0].deliver()
"""


@pytest.fixture
def uri(tmp_path: Path) -> str:
    (tmp_path / "template").mkdir()
    return copy_mlflow(make_mlflow(tmp_path / "template"), tmp_path / "mlflow")


def registry_of(directory: str, uri: str) -> tuple[MlflowRegistry, Outbox]:
    engine = open_database(f"sqlite:///{directory}/onward.db")
    upgrade(engine)
    outbox = Outbox(engine, Placement(Path(directory) / "waiting"))
    copies = LocalCopies(Path(directory) / "copies")
    registry = MlflowRegistry(Connection(uri), copies, outbox=outbox, audit_log=engine)
    return registry, outbox


def test_a_server_killed_between_mlflow_and_its_database_publishes_once(uri: str, tmp_path: Path) -> None:
    registry, outbox = registry_of(str(tmp_path), uri)
    placed = registry.place(Bundles(tmp_path).bundle("killed"))
    with writing(open_database(f"sqlite:///{tmp_path}/onward.db")) as connection:
        registry.post(connection, placed, Posting("job", "champion", "ann"))
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), uri], cwd=root, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [version.aliases for version in registry.list_versions("killed")] == [()]
    assert len(outbox.waiting()) == 1
    (version,) = registry.deliver()
    assert (version.ref, version.aliases) == ("models:/killed/1", ("champion",))
    assert outbox.waiting() == ()


def test_a_training_is_published_right_after_its_end(uri: str, tmp_path: Path) -> None:
    shop = Workshop(tmp_path, n_bars=450, registry__backend="mlflow", registry__mlflow_uri=uri)
    try:
        job = shop.submit("train", {"save": "whole", "alias": "champion", "actor": "somebody"})
        done = shop.succeeded(job)
        assert done.result is not None
        assert (done.result["model"], done.result["alias"]) == (None, None)
        assert (done.result["posted"]["model"], done.result["posted"]["alias"]) == ("whole", "champion")
        (run,) = shop.until(
            lambda: [one for one in shop.application.runs.of_job(job.id) if one.record.model_ref]
        )
        assert run.record.model_ref == "models:/whole/1"
        told = published(shop.store.get(job.id), lambda: shop.application.runs).result
        assert told is not None
        assert (told["model"], told["alias"]) == ("models:/whole/1", "champion")
        registry = shop.application.registry
        version = registry.resolve("whole@champion")
        assert version.digest == done.result["posted"]["digest"]
        (event,) = registry.alias_history("whole")
        assert (event.actor, event.reason) == ("somebody", f"job {job.id}")
        (entry,) = shop.application.access.log(action="alias.set").entries
        assert (entry.who, entry.name, entry.subject) == (f"job:{job.id}", "somebody", "whole@champion")
        predicted = shop.succeeded(shop.submit("predict", {"model": "whole@champion"}))
        assert predicted.result is not None
    finally:
        shop.close()


def test_the_upkeep_delivers_what_waited_for_mlflow(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = "http://127.0.0.1:9"
    shop = Workshop(tmp_path, n_bars=450, registry__backend="mlflow", registry__mlflow_uri=away)
    try:
        shop.succeeded(shop.submit("train", {"save": "late", "audit": False}))
    finally:
        shop.close()
    home = tmp_path / "home"
    outbox = Outbox(open_database(f"sqlite:///{home}/onward.db"), Placement(home / "models" / ".outbox"))
    (letter,) = outbox.waiting()
    assert (letter.name, letter.attempts) == ("late", 1)
    again = Workshop(
        tmp_path, n_bars=450, registry__backend="mlflow", registry__mlflow_uri=uri, jobs__upkeep_seconds=0.2
    )
    try:
        again.until(lambda: not outbox.waiting())
        assert again.application.registry.resolve("late/1").aliases == ()
    finally:
        again.close()


@pytest.mark.skipif(missing_server() is not None, reason=str(missing_server()))
def test_a_tracking_server_keeps_models_goes_away_and_comes_back(tmp_path: Path) -> None:
    """A real `mlflow server`: a job over HTTP, its version, its prediction, and a server that was away."""
    (tmp_path / "mlflow").mkdir()
    with MlflowServer(tmp_path / "mlflow") as tracking:
        house = House(
            tmp_path,
            **{
                "registry.backend": "mlflow",
                "registry.mlflow_uri": tracking.uri,
                "jobs.upkeep_seconds": 0.5,
            },
        )
        try:
            body = {"data": "bars.parquet", "save": "btc", "alias": "champion", "actor": "mira"}
            job = house.http.post("/training-jobs", json=body).json()["id"]
            assert house.ended(job)["state"] == "succeeded"

            def version_of(job: str) -> dict[str, Any] | None:
                result: dict[str, Any] = house.http.get(f"/jobs/{job}/result").json()["result"]
                assert house.http.get(f"/jobs/{job}").json()["result"]["model"] == result["model"]
                return result if result["model"] else None

            result = until(lambda: version_of(job), 60)
            assert (result["model"], result["alias"]) == ("models:/btc/1", "champion")
            assert result["posted"]["model"] == "btc"
            listed = house.http.get("/jobs").json()["jobs"]
            assert [one["result"]["model"] for one in listed] == ["models:/btc/1"]
            detail = house.http.get("/models/btc/versions/1").json()
            assert (detail["certificate"], detail["aliases"]) == ("passed", ["champion"])
            bars = house.market.bars
            times = bars.index.get_level_values(1).as_unit("ms").asi8.tolist()
            rows = [[t, *map(float, v)] for t, v in zip(times, bars.to_numpy(), strict=True)]
            sent = {"bars": [{"symbol": str(house.market.symbols[0]), "rows": rows}]}
            answer = house.http.post("/models/btc@champion/predictions", json=sent)
            assert answer.status_code == 200, answer.text

            tracking.stop()
            away = house.http.get("/models")
            assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
            later = house.http.post("/training-jobs", json={**body, "audit": False, "alias": None}).json()[
                "id"
            ]
            assert house.ended(later)["state"] == "succeeded", "hours of training do not fail for that"
            assert version_of(later) is None
            tracking.start()
            assert until(lambda: version_of(later), 60)["model"] == "models:/btc/2"
        finally:
            house.close()
