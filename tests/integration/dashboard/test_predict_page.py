"""The page of predictions in a real browser: what a model says, why, how fresh; what to do when it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from onward.data.repositories import DataStore
from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until, watched_page
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.homes import recent_bars
from tests.integration.dashboard.serving import Site

COPY = "COPY/USD"
ASK = "/predict?model=btc-usd-1h%40champion&symbol=COPY%2FUSD"


@pytest.fixture
def stale_site(site: Site) -> Iterator[Site]:
    """The site with another market whose newest five bars are not stored yet."""
    store = DataStore(site.home / "data").candles("1h")
    store.upsert(COPY, recent_bars(400).drop(columns="symbol").iloc[:-5])
    yield site
    shutil.rmtree(site.home / "data" / "candles" / "COPY%2FUSD")


@each_reader
def test_it_is_without_fault(
    site: Site, empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    for one, path in (
        (site, "/predict"),
        (site, f"/predict?model={site.here.leaky_model}/1"),
        (empty_site, "/predict"),
    ):
        page = open_page(one, path, **reader)
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_a_model_says_what_it_finds_and_why(site: Site, open_page: Open) -> None:
    page = open_page(site, "/predict")
    expect(page.get_by_label("Model", exact=True)).to_have_value(f"{site.here.model}@champion")
    expect(page.get_by_label("Market", exact=True)).to_have_value(site.here.symbol)
    shares = [float(text.rstrip(" %")) for text in page.locator(".classes .num").all_inner_texts()]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=0.2)
    expect(page.locator("#says")).to_contain_text("leak audit passed")
    assert page.locator(".parts li").count() >= 2
    expect(page.locator("#why")).to_contain_text("before any feature is looked at")
    expect(page.locator("#why")).to_contain_text("manual__")
    wait_until(page, "document.getElementById('chart').dataset.marks !== undefined")
    page.get_by_label("Model", exact=True).select_option(f"{site.here.model}@challenger")
    page.get_by_role("button", name="Ask").click()
    settled(page)
    expect(page.get_by_label("Model", exact=True)).to_have_value(f"{site.here.model}@challenger")
    answer = page.request.get(f"/ui/predict/past?model={site.here.model}/2&symbol=BTC/USD")
    assert answer.ok, answer.text()
    past = answer.json()
    assert len(past["time"]) == len(past["signal"]) == len(past["learnt"]) == 200
    assert past["learnt"].index(False) == 194, "bars of one horizon had no outcome to learn from"


def test_a_model_that_has_to_be_loaded_answers_after_its_page(own_site: Site, browser: Browser) -> None:
    held: list[Route] = []
    with watched_page(browser, own_site.address, language="ja") as page:
        page.watched.allow("ERR_FAILED", "htmx:", "503")  # type: ignore[attr-defined]
        page.route("**/ui/predict/answer*", lambda route: held.append(route))  # noqa: PLW0108
        page.goto("/predict")
        expect(page.locator(".pending[aria-busy=true]")).to_contain_text("モデルを読み込んでいます")
        expect(page.locator("#symbol")).to_have_value(own_site.here.symbol)
        check_axe(page)
        wait_until(page, "document.querySelector('.htmx-request')")
        away = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", "Content-Type": "text/html"}
        held.pop().fulfill(status=503, headers=away, body='<p class="toast bad">The database is away</p>')
        expect(page.locator("#connection")).to_be_visible()
        expect(page.locator(".toast")).to_have_count(0)
        expect(page.locator("#answer.htmx-request")).to_have_count(0)
        wait_until(page, "document.querySelector('.htmx-request')")  # it asks again by itself
        page.wait_for_timeout(100)
        held.pop().abort()  # as if the server went away
        expect(page.locator("#connection")).to_be_visible()
        page.unroute("**/ui/predict/answer*")
        expect(page.locator(".classes .num")).to_have_count(3)
        expect(page.locator("#connection")).to_be_hidden()
        wait_until(page, "document.getElementById('chart').dataset.marks !== undefined")
        page.reload()
        settled(page)
        assert "pending" not in page.request.get("/predict").text(), "it is loaded now"


def test_without_scripts_the_page_waits_for_the_answer(own_site: Site, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{own_site.address}/predict")
        page.wait_for_url("**wait=true")
        expect(page.locator(".classes .num")).to_have_count(3)


def test_stale_bars_are_told_and_new_ones_seen_by_themselves(stale_site: Site, open_page: Open) -> None:
    page = open_page(stale_site, ASK)
    warnings = page.locator(".warnings")
    expect(warnings).to_contain_text("bars have closed since and are not stored")
    expect(warnings).to_contain_text("at most 2 bars may be missing")
    expect(warnings).to_contain_text("COPY/USD was not among the symbols of training (BTC/USD)")
    expect(page.locator(".tiles")).to_contain_text("too old to act on")
    before = page.evaluate("JSON.parse(document.getElementById('said').dataset.forecast).to")
    DataStore(stale_site.home / "data").candles("1h").upsert(COPY, recent_bars(400).drop(columns="symbol"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as if somebody came back
    wait_until(page, f"JSON.parse(document.getElementById('said').dataset.forecast).to > {before}")
    expect(page.locator(".tiles")).not_to_contain_text("too old to act on")
    settled(page)


@pytest.mark.parametrize(
    ("query", "status", "title"),
    [
        ("model=nobody@champion", 404, "There is no such model, version or alias"),
        ("model=btc-usd-1h/99", 404, "There is no such model, version or alias"),
        ("model=leaky/1", 200, "The files of this model are damaged"),
        ("model=btc-usd-1h/1&symbol=NO/PE", 200, "No candles of this market are stored"),
        ("model=%3Cb%3E", 404, "There is no such model"),
    ],
)
def test_what_cannot_be_asked_says_how_to_mend_it(
    site: Site, open_page: Open, query: str, status: int, title: str
) -> None:
    page = open_page(site, "/predict")
    answer = page.request.get(f"/predict?{query}&wait=true")
    assert answer.status == status
    assert title in answer.text()
    assert "<b>" not in answer.text()


def test_too_few_bars_are_said_to_be_too_few(site: Site, open_page: Open) -> None:
    store = DataStore(site.home / "data").candles("1h")
    store.upsert("YOUNG/USD", recent_bars(5).drop(columns="symbol"))
    page = open_page(site, "/predict?model=btc-usd-1h/1&symbol=YOUNG/USD", language="ja")
    expect(page.get_by_role("heading", name="足の本数が足りません")).to_be_visible()
    expect(page.get_by_role("link", name="データ").first).to_be_visible()
    check_axe(page)
    shutil.rmtree(site.home / "data" / "candles" / "YOUNG%2FUSD")
