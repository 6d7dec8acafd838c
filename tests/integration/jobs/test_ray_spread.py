"""One training on two nodes: byte for byte that of one process, whoever is lost, and stopped as one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.ray import RayBackend
from onward.jobs.values import Job
from onward.testing.job_backends import living
from onward.wiring import worker_services
from tests.integration.jobs.workshop import SEARCHED, Workshop

pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray leaves sockets and files open
FOLDS = {"validation.n_splits": 5}
SPACE = {**SEARCHED, "optimization.trials": 6}
HERE = "tests.integration.jobs.held_folds"
FENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    root = str(Path(__file__).parents[3])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = root if before is None else f"{root}{os.pathsep}{before}"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def shop(nodes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    shop = Workshop(tmp_path_factory.mktemp("shop"), n_bars=600)
    application = shop.application
    backend = RayBackend(
        {"train": f"{HERE}:lead", "tune": "onward.tasks.tune:run"},
        services=f"{worker_services.__module__}:{worker_services.__name__}",
        settings=application._for_workers().to_json(),
        address=nodes.address,
        fence_seconds=FENCE_SECONDS,
        helpers=0,
        helping={"train": f"{HERE}:helper", "tune": "onward.tasks.helping:help_out"},
    )
    config = application.settings.jobs.model_copy(update={"concurrency": 2})
    server = BackgroundTaskManager(
        application.job_store, [backend], application.job_kinds, config, application.home.jobs
    )
    with server:
        server.start()
        yield shop
    shop.close()


@pytest.fixture(autouse=True)
def nobody_held(shop: Workshop) -> Iterator[None]:
    yield
    for file in [*shop.home.glob("begun-*"), *shop.home.glob("held-*"), *shop.home.glob("hold")]:
        file.unlink(missing_ok=True)


def without_times(job: Job) -> object:
    told = json.loads(json.dumps(job.result))
    for name in ("run", "seconds", "model", "alias", "report", "files"):
        told.pop(name)
    told["certificate"].pop("created_at")
    return told


def texts(shop: Workshop, job: Job) -> list[str]:
    return [event.payload["text"] for event in shop.events(job, "log")]


def held(shop: Workshop) -> int:
    (file,) = shop.until(lambda: list(shop.home.glob("held-*")))
    return int(file.name.partition("-")[2])


def trained(shop: Workshop, name: str, **more: Any) -> Job:
    return shop.submit("train", {"plan": FOLDS, "audit": False, "save": name}, **more)


@pytest.mark.slow
def test_a_lost_helper_costs_its_fold_and_nothing_else(shop: Workshop) -> None:
    plain = shop.succeeded(trained(shop, "alone"))
    (shop.home / "hold").touch()
    job = trained(shop, "spread", backend="ray")
    os.kill(held(shop), signal.SIGKILL)
    (shop.home / "hold").unlink()
    done = shop.succeeded(job)
    assert done.attempt == 1
    assert without_times(done) == without_times(plain)
    assert shop.model_files("spread") == shop.model_files("alone")
    assert "helper 1 finished fold 5" in texts(shop, job)
    assert "helper 1 was lost; fold 4 is done again" in texts(shop, job)
    scores = [event.payload["message"] for event in shop.events(job, "score")]
    assert [text[:6] for text in scores] == [f"fold {number}" for number in range(1, 6)]
    assert scores[4] == "fold 5 was finished by a helper"


@pytest.mark.slow
def test_a_stop_ends_lead_and_helpers(shop: Workshop) -> None:
    (shop.home / "hold").touch()
    job = trained(shop, "never", backend="ray")
    pid, identity = held(shop), shop.running(job).identity
    assert identity is not None
    assert living([pid, identity.pid]) == [pid, identity.pid]
    asked = time.monotonic()
    assert shop.manager.request_stop(job.id).accepted
    assert shop.ended(job).state == "cancelled"
    assert living([pid, identity.pid]) == []
    assert time.monotonic() - asked < 5.0


@pytest.mark.slow
def test_a_stop_ends_the_search_for_a_place(shop: Workshop) -> None:
    (shop.home / "hold").touch()
    busy = trained(shop, "busy", backend="ray")
    held(shop)  # both processors are taken
    waiting = trained(shop, "waiting", backend="ray")
    shop.until(lambda: shop.store.get(waiting.id).state == "starting")
    asked = time.monotonic()
    shop.manager.request_stop(waiting.id)
    assert shop.ended(waiting).state == "cancelled"
    assert time.monotonic() - asked < 2.0
    shop.manager.request_stop(busy.id)
    assert shop.ended(busy).state == "cancelled"


@pytest.mark.slow
def test_helpers_draw_trials_of_every_search(shop: Workshop) -> None:
    job = shop.succeeded(shop.submit("tune", {"plan": SPACE, "audit": False}, backend="ray"))
    assert "a helper was asked for" in texts(shop, job)
    assert job.result is not None
    found = json.loads((shop.home / "runs" / job.result["run"] / "search.json").read_text())
    assert [len(fold["trials"]) for fold in found["folds"]] == [6, 6, 6]
    assert len(found["final"]["trials"]) == 6
