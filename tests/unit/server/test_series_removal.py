"""Stored series are removed over HTTP: by those who may, once, and never another one than was seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from onward.access import SCOPES
from onward.data.repositories.files import locked
from onward.server import create_app
from onward.testing.repositories import rows_of
from onward.wiring import Application, build_application
from tests.unit.server.client import Client
from tests.unit.server.memory import settings_of

SERIES = "/api/v1/data/series"
BTC = f"{SERIES}/candles/BTC/USDT:USDT"
ROWS = rows_of("candles", 96)


class Door:
    """A server with stored data, and a key of each scope."""

    def __init__(self, application: Application, client: Client) -> None:
        self.application, self.client = application, client
        self.keys: dict[str, str] = {
            scope: application.access.create_key(scope, scope)[1].text for scope in SCOPES
        }

    def fill(self) -> None:
        store = self.application.repositories
        store.candles("1h").upsert("BTC/USDT:USDT", ROWS)
        store.fear_greed.upsert("", rows_of("fear_greed", 9))

    def send(self, method: str, path: str, *, scope: str = "admin", **asked: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}
        return self.client.request(method, path, params=asked, headers=headers)

    def stored(self) -> dict[str, int]:
        series = self.send("GET", SERIES, scope="read").json()["series"]
        return {one["symbol"]: one["rows"] for one in series}

    def refused(self, status: int, path: str, **asked: Any) -> dict[str, Any]:
        response = self.send("DELETE", path, **asked)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        return response.json()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    directory: Path = tmp_path_factory.mktemp("removal")
    application = build_application(settings_of(directory))
    with Client(create_app(application)) as client:
        yield Door(application, client)


@pytest.fixture
def door(open_door: Door) -> Door:
    open_door.fill()
    return open_door


def test_a_series_is_looked_at_and_removed(door: Door) -> None:
    dry = door.send("DELETE", BTC, dry_run="true")
    assert dry.status_code == 200, dry.text
    told = dry.json()
    assert (told["rows"], told["left"], told["timeframe"]) == (96, 0, "1h")
    assert door.stored() == {"BTC/USDT:USDT": 96, "": 9}
    gone = door.send("DELETE", BTC.replace("/USDT", "%2FUSDT"), seen=told["state"], timeframe="1h")
    assert (gone.status_code, gone.json()) == (200, told)
    assert door.stored() == {"": 9}, "what is told of coverage follows"
    problem = door.refused(404, BTC)
    assert problem["type"] == "urn:onward:problem:data-not-found"
    assert "GET /api/v1/data/series" in problem["remedy"]
    entry = door.application.access.log(action="data.remove").entries[0]
    assert (entry.who[:4], entry.name, entry.subject) == ("key:", "admin", "candles BTC/USDT:USDT 1h")
    assert entry.detail["rows"] == 96


def test_a_part_is_removed(door: Door) -> None:
    gone = door.send("DELETE", BTC, timerange="20200101-").json()
    assert (gone["first"], gone["rows"], gone["left"]) == ("2020-01-01T00:00:00+00:00", 66, 30)
    assert door.stored()["BTC/USDT:USDT"] == 30
    assert door.send("DELETE", f"{SERIES}/fear_greed/-").json()["symbol"] == ""
    assert door.stored() == {"BTC/USDT:USDT": 30}


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        (f"{SERIES}/candles/NO/PE", {}, 404),
        (f"{SERIES}/candles/-", {}, 404),
        (f"{SERIES}/funding/BTC/USDT:USDT", {}, 404),
        (BTC, {"timeframe": "1d"}, 404),
        (f"{SERIES}/prices/BTC", {}, 422),
        (f"{SERIES}/candles/{'x' * 101}", {}, 422),
        (f"{SERIES}/candles/{'x' * 99}", {}, 404),
        (f"{SERIES}/candles/%00", {}, 404),
        (f"{SERIES}/candles/..%2F..%2Fmodels", {}, 404),
        (BTC, {"timeframe": "soon"}, 422),
        (BTC, {"timerange": ""}, 422),
        (BTC, {"timerange": "-"}, 422),
        (BTC, {"timerange": "20210101-20200101"}, 422),
        (BTC, {"timerange": "20300101-"}, 422),
        (BTC, {"timerange": "9" * 41}, 422),
        (BTC, {"dry_run": "perhaps"}, 422),
        (BTC, {"seen": "of another day"}, 409),
    ],
)
def test_what_cannot_be_removed_is_refused(door: Door, path: str, asked: dict[str, str], status: int) -> None:
    problem = door.refused(status, path, **asked)
    assert str(door.application.home.root) not in str(problem)
    assert door.stored() == {"BTC/USDT:USDT": 96, "": 9}


@pytest.mark.parametrize(("scope", "status"), [("", 401), ("read", 403), ("run", 403)])
def test_only_those_remove_who_may(door: Door, scope: str, status: int) -> None:
    for asked in ({}, {"dry_run": "true"}):
        assert door.send("DELETE", BTC, scope=scope, **asked).status_code == status
    assert door.stored()["BTC/USDT:USDT"] == 96


def test_a_removal_does_not_wait_for_ever_for_another_writer(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onward.data.repositories.removing.PATIENCE_SECONDS", 0.05)
    directory = next((door.application.home.data / "candles").rglob("manifest.json")).parent
    with locked(directory, timeout_seconds=1):
        problem = door.refused(503, BTC)
    assert "Another process is writing" in problem["what"]
    assert str(door.application.home.root) not in str(problem)


def test_bars_that_were_removed_are_served_no_more(door: Door) -> None:
    """Markets that were built before are not asked any more, since the files are others."""
    store = door.application.repositories
    before = store.state(["BTC/USDT:USDT"], timeframe="1h")
    door.send("DELETE", BTC, timerange=f"{ROWS['timestamp'][95]:%Y%m%dT%H%M}-")
    assert store.state(["BTC/USDT:USDT"], timeframe="1h") != before
    assert store.market(["BTC/USDT:USDT"]).open_time.max() == pd.Timestamp(ROWS["timestamp"][94])
