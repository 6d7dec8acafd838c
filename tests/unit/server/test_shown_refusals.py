"""Refusals of a real server, as programs and people read them: none says where its disk has what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from onward.dashboard import create_site
from onward.registry import RunRecord, RunStore
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.testing.registry import stage_bundle
from onward.wiring import build_application
from tests.unit.server.client import Client


@dataclass(frozen=True)
class House:
    """A server whose model was damaged, and the directories that it keeps everything in."""

    client: Client
    runs: RunStore
    home: Path
    models: Path

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Return an answer that names no directory."""
        answer = self.client.request(method, path, **({} if body is None else {"json": body}))
        for place in (self.home, self.models, self.home.parent):
            assert str(place) not in answer.text
        return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    home, models = place / "a home", place / "models"
    given = {"server.run_jobs": False, "registry.directory": str(models)}
    application = build_application(load_settings(home=home, cwd=place, environ={}, overrides=given))
    bars = random_walk(50).bars.droplevel("symbol").reset_index(names="timestamp")
    application.repositories.candles("1h").upsert("BTC/USD", bars)
    stage_bundle(place / "bundle", name="btc")
    application.registry.publish(place / "bundle")
    for file in models.rglob("model.txt"):
        file.chmod(0o644)
        file.write_text("damaged")
    with Client(create_site(application)) as client:
        yield House(client, application.runs, home, models)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("POST", "/api/v1/models/btc/versions/1/predictions", {}, 503, "btc"),
        ("GET", "/predict?model=btc/1&symbol=BTC/USD&wait=true", None, 200, "btc"),
        ("POST", "/api/v1/import-jobs", {"files": ["/etc/hostname"]}, 422, "inbox"),
    ],
)
def test_no_refusal_names_a_directory_of_the_server(
    house: House, method: str, path: str, body: object, status: int, named: str
) -> None:
    answer = house.ask(method, path, body)
    assert answer.status_code == status, answer.text
    assert named in answer.text, "what lies where is told by its name"


def test_a_damaged_file_is_named_by_its_place_in_the_home(house: House) -> None:
    (file,) = (house.home / "data" / "candles").rglob("*.parquet")
    file.write_bytes(b"damaged")
    page = "/data/series?kind=candles&symbol=BTC%2FUSD&timeframe=1h"
    for path in ("/api/v1/data/series/candles/BTC%2FUSD/quality?timeframe=1h", page):
        answer = house.ask("GET", path)
        assert answer.status_code == 503
        assert f"data/candles/BTC%2FUSD/1h/{file.name}" in answer.text


def test_a_run_that_failed_in_a_terminal_tells_pages_no_directory(house: House, tmp_path: Path) -> None:
    """The terminal named files anywhere on the machine; its reader sat there."""
    run = house.runs.record(RunRecord("train", {}, "p", "d" * 64, "threshold", status="running"))
    error = {
        "error": "StorageError",
        "what": f"{tmp_path}/plans/mine.toml cannot be read beside {house.home}/runs/last",
        "got": f"No such file or directory ({tmp_path}/elsewhere/bars.parquet)",
    }
    house.runs.update(run.id, status="failed", error=error)
    for path in ("/reports", f"/reports/{run.id}"):
        page = house.ask("GET", path)
        assert str(tmp_path) not in page.text
        assert "mine.toml cannot be read beside runs/last" in page.text
    assert "(bars.parquet)" in page.text
