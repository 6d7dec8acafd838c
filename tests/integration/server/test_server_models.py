"""A model trained, looked at, used and withdrawn over HTTP; predictions equal those of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.client import OnwardClient
from onward.errors import RegistryConflictError
from onward.server import create_app
from onward.testing.registry import stage_bundle
from tests.integration.server.houses import House, until
from tests.unit.server.client import Client

VERSION = "/models/btc-1h/versions/1"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    house.application.repositories.candles("1h").upsert("BTC/USD", stored_rows(house))
    body = {"data": "bars.parquet", "save": "btc-1h", "actor": "mira"}
    job = house.http.post("/training-jobs", json=body)
    assert job.status_code == 202, job.text
    ended = house.ended(job.json()["id"])
    assert ended["state"] == "succeeded", ended["error"]
    yield house
    house.close()


def stored_rows(house: House) -> pd.DataFrame:
    frame = house.market.bars.reset_index().rename(columns={"open_time": "timestamp"})
    return frame.drop(columns="symbol")


def sent(house: House, n_bars: int | None = None) -> list[dict[str, Any]]:
    bars = house.market.bars.iloc[-n_bars:] if n_bars else house.market.bars
    times = bars.index.get_level_values(1).as_unit("ms").asi8.tolist()
    rows = [[t, *map(float, v)] for t, v in zip(times, bars.to_numpy(), strict=True)]
    return [{"symbol": str(house.market.symbols[0]), "rows": rows}]


def test_a_version_tells_all_about_itself(house: House) -> None:
    (model,) = house.http.get("/models").json()["models"]
    assert (model["name"], model["n_versions"]) == ("btc-1h", 1)
    assert house.http.get("/models/btc-1h").json()["versions"][0]["number"] == 1
    answer = house.http.get(VERSION)
    said = answer.json()
    assert said["certificate"] == "passed"
    assert {"direction", "range"} <= set(said["verdicts"])
    assert said["card"].startswith("#")
    assert said["scores"]
    assert house.http.get("/models/btc-1h/versions/latest").json()["number"] == 1
    seen = {"If-None-Match": answer.headers["etag"]}
    assert house.http.get(VERSION, headers=seen).status_code == 304
    report = house.http.get(f"{VERSION}/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "</html>" in report.text


def test_aliases_move_and_return(house: House) -> None:
    here = "/models/btc-1h/aliases/champion"
    tag = house.http.get(VERSION).headers["etag"]
    said = house.http.put(here, json={"version": 1, "actor": "mira", "reason": "first"}).json()
    assert said["event"]["action"] == "set"
    assert house.http.put(here, json={"version": 1}).json() == {"event": None}
    assert house.http.get(VERSION).headers["etag"] != tag, "an alias is part of what is shown"
    assert house.http.put(here, json={"version": 99}).status_code == 404
    assert house.http.put("/models/btc-1h/aliases/latest", json={"version": 1}).status_code == 422
    assert house.http.post(f"{here}/rollback").status_code == 409
    assert house.http.delete(VERSION).status_code == 409
    events = house.http.get("/models/btc-1h/history").json()["events"]
    assert [(e["alias"], e["version"], e["actor"]) for e in events] == [("champion", 1, "mira")]
    live = house.http.get("/models/btc-1h/history", params={"at": "2100-01-01T00:00:00Z"}).json()
    assert [e["version"] for e in live["events"]] == [1]


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(house: House) -> None:
    """Over HTTP and with the client: what was seen must still hold."""
    registry = house.application.registry
    for seed in range(3):
        stage_bundle(house.directory / "seen", name="seen", seed=seed)
        registry.publish(house.directory / "seen")
    here = "/models/seen/aliases/champion"
    assert house.http.put(here, json={"version": 1, "seen": None}).status_code == 200
    refused = house.http.put(here, json={"version": 2, "seen": None})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:onward:problem:registry-conflict")
    assert (refused.json()["got"], refused.json()["allowed"]) == ("not set", "version 1")
    assert house.http.put(here, json={"version": 3, "seen": 2}).status_code == 409
    assert house.http.put(here, json={"version": 2, "seen": 1}).json()["event"]["previous"] == 1
    assert house.http.post(f"{here}/rollback", json={"seen": 1}).status_code == 409
    assert house.http.post(f"{here}/rollback", json={"seen": 2}).json()["event"]["version"] == 1
    assert house.http.delete(here, params={"seen": 2}).status_code == 409
    for wrong in (0, -1, "1", True, 1.5, 2**31):
        assert house.http.put(here, json={"version": 1, "seen": wrong}).status_code == 422, wrong
        assert house.http.post(f"{here}/rollback", json={"seen": wrong}).status_code == 422, wrong
    assert house.http.delete(here, params={"seen": 0}).status_code == 422

    with OnwardClient(house.address) as client:
        for refused_change in (
            lambda: client.set_alias("seen", "champion", 3, seen=None),
            lambda: client.set_alias("seen", "champion", 3, seen=2),
            lambda: client.rollback("seen", "champion", seen=3),
            lambda: client.delete_alias("seen", "champion", seen=3),
        ):
            with pytest.raises(RegistryConflictError, match="moved seen@champion meanwhile"):
                refused_change()
        moved = client.set_alias("seen", "champion", 3, seen=1)
        assert moved is not None
        assert (moved.previous, moved.version) == (1, 3)
        assert client.rollback("seen", "champion", seen=3).version == 1
        client.set_alias("seen", "champion", 2)
        assert client.delete_alias("seen", "champion", seen=2).previous == 2
        assert client.rollback("seen", "champion", seen=None).version == 2
        client.delete_alias("seen", "champion")
    for version in (1, 2, 3):
        registry.delete(f"models:/seen/{version}")


def test_predictions_equal_those_of_a_batch(house: House) -> None:
    house.http.put("/models/btc-1h/aliases/champion", json={"version": 1})
    model = house.application.prediction.load("btc-1h@champion")
    batch = model.predict(house.market)
    answer = house.http.post(
        "/models/btc-1h@champion/predictions", json={"bars": sent(house, model.lookback)}
    )
    assert answer.status_code == 200, answer.text
    said = answer.json()
    (row,) = said["predictions"]
    last = batch.iloc[-1]
    np.testing.assert_allclose(
        [row["down"], row["range"], row["up"]], last[["down", "range", "up"]].to_numpy(float), atol=1e-9
    )
    assert row["signal"] == last["signal"]
    assert pd.Timestamp(row["decision_time"]) == last["decision_time"]
    assert said["freshness"]["bars_missed"] == 0
    assert said["model"] == "models:/btc-1h/1"

    start = house.market.open_time[-50]
    many = house.http.post(
        f"{VERSION}/predictions", json={"bars": sent(house), "start": start.isoformat()}
    ).json()["predictions"]
    np.testing.assert_allclose([r["up"] for r in many], batch["up"].to_numpy()[-50:], atol=1e-9)

    at = house.market.decision_time[-3]
    stored = house.http.post(f"{VERSION}/predictions", json={"symbols": ["BTC/USD"], "at": at.isoformat()})
    assert stored.status_code == 200, stored.text
    np.testing.assert_allclose(stored.json()["predictions"][0]["up"], batch["up"].iloc[-3], atol=1e-9)


def test_bars_that_are_imported_count_from_the_next_request_on(house: House) -> None:
    candles = house.application.repositories.candles("1h")
    rows, here = stored_rows(house), f"{VERSION}/predictions"
    candles.upsert("NEW/USD", rows.iloc[:-40])
    model, known = house.application.prediction.load("btc-1h/1"), house.market
    batch = model.predict(known)["up"].to_numpy()

    def ask(at: pd.Timestamp) -> dict[str, Any]:
        answer = house.http.post(here, json={"symbols": ["NEW/USD"], "at": at.isoformat()})
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    at = known.decision_time[-40]
    for _ in range(2):
        said = ask(at)
        assert said["freshness"]["bars_missed"] == 1
        assert said["predictions"][0]["up"] == pytest.approx(batch[-41], abs=1e-9)
    for end in (-39, -38, -30):
        candles.upsert("NEW/USD", rows.iloc[:end])
        at = known.decision_time[end - 1]
        said = ask(at)
        assert said["freshness"]["bars_missed"] == 0
        assert said["predictions"][0]["up"] == pytest.approx(batch[end - 1], abs=1e-9)
        assert said["predictions"] == ask(at + pd.Timedelta(59, unit="min"))["predictions"]
    # Backwards is possible too: nothing of later bars stays behind.
    assert ask(known.decision_time[-60])["predictions"][0]["up"] == pytest.approx(batch[-60], abs=1e-9)
    larger = rows.iloc[[-40]].assign(high=rows["high"].iloc[-40] * 1.2, volume=rows["volume"].iloc[-40] * 9)
    candles.upsert("NEW/USD", larger)
    at = known.decision_time[-40]
    changed = ask(at)["predictions"][0]["up"]
    assert (
        changed
        == model.latest(house.application.repositories.market(["NEW/USD"]), now=at).frame["up"].iloc[0]
    )


def test_many_ask_while_bars_come_in(house: House) -> None:
    candles, rows = house.application.repositories.candles("1h"), stored_rows(house)
    candles.upsert("LIVE/USD", rows.iloc[:-30])
    batch = house.application.prediction.load("btc-1h/1").predict(house.market)["up"]
    right = dict(zip(house.market.open_time, batch.to_numpy(), strict=True))
    newest, wrong = [pd.Timestamp(0, tz="UTC")], []

    def ask(number: int) -> None:
        at = house.market.decision_time[-1]
        least = newest[0]
        answer = house.http.post(
            f"{VERSION}/predictions", json={"symbols": ["LIVE/USD"], "at": at.isoformat()}
        )
        if answer.status_code == 422 and "stale" in answer.text:
            return
        (row,) = answer.json()["predictions"]
        opened = pd.Timestamp(row["open_time"])
        if opened < least or abs(row["up"] - right[opened]) > 1e-9:
            wrong.append((number, row))

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(40)]
        for end in range(-29, 0, 4):
            candles.upsert("LIVE/USD", rows.iloc[:end])
            newest[0] = rows["timestamp"].iloc[end - 1]
        candles.upsert("LIVE/USD", rows)
        newest[0] = rows["timestamp"].iloc[-1]
        asked += [pool.submit(ask, number) for number in range(40, 50)]
        for one in asked:
            one.result()
    assert not wrong


def test_what_cannot_be_predicted_is_refused(house: House) -> None:
    here = f"{VERSION}/predictions"
    assert house.http.post("/models/btc-1h@nobody/predictions", json={}).status_code == 404
    assert house.http.post("/models/doge@champion/predictions", json={}).status_code == 404
    few = house.http.post(here, json={"bars": sent(house, 3)})
    assert few.status_code == 422
    assert "too little history" in few.json()["what"]
    stale = house.http.post(here, json={"symbols": ["BTC/USD"]})
    assert stale.status_code == 422
    assert "stale" in stale.json()["what"]
    begin, end = house.market.open_time[-3], house.market.decision_time[-1]
    batch = {"symbols": ["BTC/USD"], "start": begin.isoformat()}
    for at, said in ((None, True), ("2030-01-01T00:00:00Z", True), (end.isoformat(), False)):
        answer = house.http.post(here, json=batch | {"at": at}).json()
        assert len(answer["predictions"]) == 3
        assert any("the newest bar is stale" in warning for warning in answer["warnings"]) == said, answer
    (bars,) = sent(house, 300)
    for wrong in (
        {"bars": [bars | {"rows": bars["rows"][::-1]}]},
        {"bars": [bars, bars]},
        {"bars": [bars | {"rows": [[0, 1.0, 1.0, 1.0, 1.0, 0.0]] * 400}]},
        {"bars": [bars | {"rows": [[*row[:5], -1.0] for row in bars["rows"]]}]},
        {"bars": [bars], "symbols": ["BTC/USD"]},
        {"bars": [bars], "series": {"funding": [{"timestamp": "x", "funding_rate": 0.1}]}},
        {"bars": [bars], "series": {"odd": [{"timestamp": 1e300}]}},
        {"symbols": ["DOGE/USD"]},
    ):
        answer = house.http.post(here, json=wrong)
        assert answer.status_code == 422, (wrong.keys(), answer.text)


def test_an_alias_that_moves_moves_what_answers(house: House) -> None:
    registry = house.application.registry
    copy = house.directory / "copy.zip"
    registry.export_version("models:/btc-1h/1", copy)
    registry.import_version(copy, "moving")
    registry.set_alias("moving", "champion", 1)
    body = {"bars": sent(house)}
    assert house.http.post("/models/moving@champion/predictions", json=body).json()["model"] == (
        "models:/moving/1"
    )
    stage_bundle(house.directory / "staged", name="moving", seed=1)
    registry.publish(house.directory / "staged")
    registry.set_alias("moving", "champion", 2)
    answer = house.http.post("/models/moving@champion/predictions", json=body)
    assert answer.status_code == 503, "the new version is no real model, and nobody falls back to the old one"
    assert answer.json()["type"].endswith("bundle")
    registry.rollback("moving", "champion")
    assert house.http.post("/models/moving@champion/predictions", json=body).status_code == 200
    registry.delete("models:/moving/2")
    registry.delete_alias("moving", "champion")
    assert house.http.delete("/models/moving/versions/1").status_code == 204
    assert house.http.post("/models/moving/versions/1/predictions", json=body).status_code == 404
    assert house.http.post("/models/cleanup", json={"max_versions": 1, "dry_run": True}).json() == {
        "deleted": [],
        "dry_run": True,
    }


def test_models_are_warm_before_the_server_is_ready(house: House) -> None:
    services = house.application
    for reference, status in (("btc-1h/1", 200), ("doge@champion", 503)):
        config = services.settings.server.model_copy(update={"preload": (reference,), "run_jobs": False})
        app = create_app(_Kept(services), config)
        with Client(app) as client:

            def settled(client: Client = client) -> bool:
                return "being loaded" not in client.get("/health/ready").text

            until(settled)
            answer = client.get("/health/ready")
            assert answer.status_code == status, answer.text
            assert len(app.state.onward.shelf) == (status == 200)
            if status == 503:
                assert "doge" in answer.json()["got"]


class _Kept:
    """Services that outlive an application."""

    def __init__(self, services: Any) -> None:
        self._services = services

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)

    def close(self) -> None:
        """Leave them open."""
