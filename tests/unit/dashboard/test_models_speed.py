"""The pages of models and reports stay quick with many models and runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.dashboard import create_site
from onward.settings import load_settings
from onward.testing.registry import stage_bundle
from onward.wiring import Application, build_application
from tests.unit.dashboard.test_report_views import a_run
from tests.unit.server.client import Client

N_MODELS, N_RUNS = 200, 2000
LIMIT_SECONDS = 0.3


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A home with many models, each in use, and many runs."""
    home: Path = tmp_path_factory.mktemp("many")
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    for number in range(N_MODELS):
        staged = application.home.models / ".staging" / f"many-{number}"
        stage_bundle(staged, name=f"model-{number:03}", seed=number)
        application.registry.publish(staged)
        for alias in ("champion", "challenger"):
            application.registry.set_alias(f"model-{number:03}", alias, 1)
    for number in range(N_RUNS):
        application.runs.record(a_run(model_ref=f"models:/model-{number % N_MODELS:03}/1").record)
    yield application
    application.close()


@pytest.mark.slow
def test_pages_are_quick_with_many_models(application: Application) -> None:
    with Client(create_site(application)) as client:
        took = {}
        for path in (
            "/",
            "/models",
            "/models?q=model-1",
            "/models?page=4",
            "/models/model-007",
            "/models/model-007/1",
            "/reports",
        ):
            client.get(path)  # templates, imports, manifests
            took[path] = min(_seconds(client, path) for _ in range(3))
        older = client.get("/reports").text.partition("/reports?before=")[2].partition('"')[0]
        assert client.get(f"/reports?before={older}").status_code == 200
        assert "model-000" in client.get("/models").text
        assert "model-000" not in client.get("/models?page=2").text
        print(took)
        assert max(took.values()) < LIMIT_SECONDS, took


def _seconds(client: Client, path: str) -> float:
    """Return the processor time of a request: server and client are one process, others are not counted."""
    begin = time.process_time()
    assert client.get(path).status_code == 200
    return time.process_time() - begin
