"""A check of a series that is not stored is refused as one: 404, with what there is instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onward.server import create_app
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.wiring import build_application
from tests.unit.server.client import Client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("home")
    given = {"server.run_jobs": False}
    application = build_application(load_settings(home=home, cwd=home, environ={}, overrides=given))
    bars = random_walk(50).bars.droplevel("symbol").reset_index(names="timestamp")
    application.repositories.candles("1h").upsert("BTC/USD", bars)
    rates = bars[["timestamp"]].assign(funding_rate=1e-4)
    application.repositories.funding.upsert("XRP/USD:USD", rates)
    with Client(create_app(application)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "allowed"),
    [
        ("candles/BTC%2FUSD/quality", 200, None),
        ("candles/ETH%2FUSD/quality", 404, "BTC/USD"),
        ("candles/BTC%2FUSD/quality?timeframe=4h", 404, "1h"),
        ("open_interest/BTC%2FUSD/quality", 404, "no open_interest is stored"),
        ("funding/-/quality", 404, "XRP/USD:USD"),
        ("funding/XRP%2FUSD:USD/quality", 422, "1h"),
        ("dividends/BTC%2FUSD/quality", 422, None),
    ],
)
def test_what_is_not_stored_is_not_found(client: Client, path: str, status: int, allowed: str | None) -> None:
    """A side series that is there and has no candles beside it is another matter."""
    answer = client.get(f"/api/v1/data/series/{path}")
    assert answer.status_code == status, answer.text
    if allowed is not None:
        assert answer.json()["allowed"] == allowed
    if status == 404:
        assert "/api/v1/data/series" in answer.json()["remedy"]
