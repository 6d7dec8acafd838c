"""The page of predictions comes before a model that has to be loaded; whoever has no scripts waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from onward.dashboard import create_site
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.testing.registry import stage_bundle
from onward.wiring import build_application
from tests.unit.server.client import Client

ASK = "model=light%2F1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A site with a model that can be named but not loaded, and bars of a market."""
    home: Path = tmp_path_factory.mktemp("pending")
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    staged = application.home.models / ".staging" / "light"
    stage_bundle(staged, name="light")
    application.registry.publish(staged)
    staged = application.home.models / ".staging" / "unproven"
    stage_bundle(staged, name="unproven", certificate="not_run")
    application.registry.publish(staged)
    bars = random_walk(40, seed=0).bars.reset_index().drop(columns="symbol")
    application.repositories.candles("1h").upsert("X/Y", bars.rename(columns={"open_time": "timestamp"}))
    with Client(create_site(application)) as client:
        yield client
    application.close()


def test_the_page_says_where_its_answer_is(client: Client) -> None:
    page = client.get(f"/predict?{ASK}")
    assert page.status_code == 200
    assert 'aria-busy="true"' in page.text
    assert 'id="said"' not in page.text
    (source,) = re.findall(r'hx-get="(/ui/predict/answer[^"]*)"', page.text)
    answer = client.get(unescape(source))
    assert answer.status_code == 200
    assert 'class="card problem"' in answer.text, "this one cannot be loaded"
    assert "aria-busy" not in answer.text
    assert "<html" not in answer.text


def test_without_scripts_the_answer_is_waited_for(client: Client) -> None:
    page = client.get(f"/predict?{ASK}&symbol=X/Y")
    (refresh,) = re.findall(r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)">', page.text)
    whole = client.get(unescape(refresh))
    assert whole.status_code == 200
    assert 'class="card problem"' in whole.text
    assert "http-equiv" not in whole.text, "or browsers would ask for ever"
    assert '<option value="X/Y" selected>' in whole.text
    assert "X/<wbr>Y</dd>" in page.text, "where it is divided it may break, and nowhere else"


def test_a_name_alone_means_the_version_that_may_be_used(client: Client) -> None:
    (source,) = re.findall(r'hx-get="(/ui/predict/answer[^"]*)"', client.get("/predict?model=light").text)
    assert "model=light%2F1" in unescape(source)
    unproven = client.get("/predict?model=unproven&symbol=X/Y")
    assert unproven.status_code == 200
    assert "No version of this model may be used" in unproven.text
    for address in ("/models/unproven", "/models/unproven/1"):
        assert f'href="{address}"' in unproven.text
    assert '<option value="unproven/1">' in unproven.text


@pytest.mark.parametrize("query", ["model=light%2F9", "model=nobody%40champion", "model=%3Cb%3E"])
def test_what_is_not_there_is_not_waited_for(client: Client, query: str) -> None:
    page = client.get(f"/predict?{query}")
    assert page.status_code == 404
    assert "aria-busy" not in page.text
    assert client.get(f"/ui/predict/answer?{query}").status_code == 200


def test_of_a_model_of_one_market_every_stored_one_may_be_chosen_at_once(client: Client) -> None:
    page = client.get(f"/predict?{ASK}").text
    chosen = page.partition('<select id="symbol"')[2].partition("</select>")[0]
    assert re.findall(r'value="([^"]+)"', chosen) == ["BTC/USD", "X/Y"]
    assert "hx-swap-oob" not in client.get(f"/ui/predict/answer?{ASK}").text, "the answer knows no others"
