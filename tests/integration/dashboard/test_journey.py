"""The whole way through the pages, in both languages: from a file of bars to a model that is rolled back.

Nothing is prepared: the server starts with an empty home, and every step is done as a reader does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from onward.dashboard.i18n.languages import Language
from onward.dashboard.i18n.texts import Texts, texts_of
from onward.dashboard.i18n.words import Words
from tests.integration.dashboard.browsing import settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.homes import SYMBOL, recent_bars, write_settings
from tests.integration.dashboard.serving import Site, served

N_BARS = 900
MODEL = "journey"
READY = "document.querySelector('#check .verdict')"
ENDLESS = "10000"
"""Boosting rounds that nobody waits for."""


@pytest.fixture
def fresh_site(tmp_path: Path, browser: object) -> Iterator[Site]:
    """A server that runs jobs, with nothing in it."""
    home = tmp_path / "home"
    write_settings(home, jobs__concurrency=1)
    with served(home, jobs=True) as site:
        yield site


@pytest.mark.parametrize("language", ["en", "ja"])
def test_from_a_file_to_a_model_that_is_rolled_back(
    fresh_site: Site, open_page: Open, language: Language
) -> None:
    t = texts_of(language)
    words = Words(t)
    page = open_page(fresh_site, "/data", language=language)
    import_bars(page, t)
    first = start(page, t)
    ended(page, words)
    stop_another(page, t, words, first)
    page.goto(first)
    page.get_by_role("button", name=t("job.retry.once_more")).click()
    page.wait_for_url(re.compile(f"/jobs/(?!{id_in(first)})"))
    ended(page, words)
    read_report(page, words)
    for number in (1, 2):
        promote(page, t, number)
    predict(page)
    roll_back(page, t)


def import_bars(page: Page, t: Texts) -> None:
    content = recent_bars(N_BARS).drop(columns="symbol").to_csv(index=False).encode()
    page.locator("[data-dialog=import]").first.click()
    page.locator("#import-file").set_input_files(
        {"name": "bars.csv", "mimeType": "text/csv", "buffer": content}
    )
    dialog = page.get_by_role("dialog")
    page.watched.allow("422")  # type: ignore[attr-defined] # the symbol is asked for
    dialog.get_by_label(t("data.preview.symbol"), exact=True).fill(SYMBOL)
    dialog.get_by_role("button", name=t("data.preview.confirm", count=N_BARS)).click()
    expect(dialog.get_by_role("heading", name=t("data.outcome.succeeded"), exact=True)).to_be_visible()


def start(page: Page, t: Texts) -> str:
    page.goto("/runs/new")
    wait_until(page, READY)
    with page.expect_response("**/ui/runs/new/check"):
        page.locator("[name=save]").fill(MODEL)
    page.get_by_role("button", name=t("runs_new.start")).click()
    page.wait_for_url("**/jobs/*")
    settled(page)
    return page.url


def id_in(address: str) -> str:
    return address.rpartition("/")[2]


def ended(page: Page, words: Words, state: str = "succeeded") -> None:
    expect(page.locator("#job-state")).to_contain_text(words.job_state(state), timeout=120_000)


def stop_another(page: Page, t: Texts, words: Words, like: str) -> None:
    page.goto(f"/runs/new?job={id_in(like)}")
    wait_until(page, READY)
    page.evaluate("document.getElementById('advanced').open = true")
    with page.expect_response("**/ui/runs/new/check"):
        page.locator("[id='model.n_rounds']").fill(ENDLESS)
    page.get_by_role("button", name=t("runs_new.start")).click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("#job-state")).to_contain_text(words.job_state("running"))
    page.get_by_role("button", name=t("job.stop.button"), exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=t("job.stop.confirm")).click()
    ended(page, words, "cancelled")
    otherwise = page.get_by_role("link", name=t("job.retry.otherwise"))
    expect(otherwise).to_have_attribute("href", f"/runs/new?job={id_in(page.url)}")


def read_report(page: Page, words: Words) -> None:
    page.locator("main a[href^='/reports/']").first.click()
    page.wait_for_url("**/reports/*")
    settled(page)
    expect(page.locator("main")).to_contain_text(words.level("no evidence of skill"))


def promote(page: Page, t: Texts, number: int) -> None:
    page.goto(f"/models/{MODEL}/{number}")
    settled(page)
    page.get_by_role("button", name=re.compile("^" + t("models.action.promote").rstrip(" …"))).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=alias]:not([type=hidden])").fill("champion")
    dialog.locator("button.primary").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("main")).to_contain_text("champion")


def predict(page: Page) -> None:
    page.goto(f"/predict?model={MODEL}%40champion&symbol=BTC%2FUSD")
    settled(page)
    shares = [float(re.sub(r"[^\d.]", "", text)) for text in page.locator(".classes .num").all_inner_texts()]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=0.2)


def roll_back(page: Page, t: Texts) -> None:
    page.goto(f"/models/{MODEL}")
    settled(page)
    page.get_by_role("button", name=t("models.action.rollback_to", number=1)).click()
    page.get_by_role("dialog").locator("button.primary, button.danger").first.click()
    expect(page.locator("#history tbody tr")).to_have_count(3)
    history = page.request.get(f"/api/v1/models/{MODEL}/history").json()["events"]
    assert [event["version"] for event in history] in ([1, 2, 1], [1, 2, 1][::-1]), history
