"""The overview in a real browser: empty, full, in both languages, by keyboard, while jobs move."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.integration.dashboard.browsing import check_axe, each_reader, settled
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site

AS_IF_AT_WORK = """() => {
  const time = document.querySelector("#jobs li .line-time");
  const bar = Object.assign(document.createElement("span"), { className: "line-bar" });
  bar.innerHTML = '<progress max="1" value=".5"></progress><span class="quiet">3 min</span>';
  time?.replaceWith(bar);
  return Boolean(time);
}"""
"""Shows the job that ended last as one that works."""


@each_reader
def test_it_is_without_fault(
    site: Site, empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    for one in (site, empty_site):
        page = open_page(one, "/", **reader)
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_models_in_use_are_shown_with_verdicts_and_freshness(site: Site, open_page: Open) -> None:
    page = open_page(site, "/")
    row = page.get_by_role("row").filter(has_text=f"{site.here.model} @champion")
    expect(row).to_contain_text("v1")
    expect(row).to_contain_text(site.here.symbol)
    expect(row.get_by_text("skill").or_(row.get_by_text("weak")).first).to_be_visible()
    expect(page.locator("#coverage")).to_contain_text("ETH/USD")
    expect(page.get_by_text("failed. It met an error.")).to_be_visible()


@each_reader
def test_a_job_that_ends_leaves_everything_in_its_place(
    site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    page = open_page(site, "/", **reader, height=2400)
    high = "document.getElementById('jobs').getBoundingClientRect().height"
    ended = page.evaluate(high)
    assert page.evaluate(AS_IF_AT_WORK)
    assert page.evaluate(high) == ended
    with page.expect_response("**/ui/overview"):
        page.evaluate("document.body.dispatchEvent(new Event('refresh'))")
    expect(page.locator("#jobs .line-bar")).to_have_count(0)
    settled(page)
    assert page.evaluate(high) == ended


def test_an_empty_home_offers_the_first_steps_and_one_button(own_empty: Site, open_page: Open) -> None:
    page = open_page(own_empty, "/")
    expect(page.get_by_role("heading", name="Three steps to your first model")).to_be_visible()
    page.get_by_role("button", name="Train on the sample").click()
    page.wait_for_load_state()
    expect(page.get_by_text("The training was started.")).to_be_visible(timeout=30_000)
    page.goto("/")
    expect(page.locator("#jobs")).to_contain_text("Training")
    expect(page.locator("#coverage")).to_contain_text("20,111 rows")


def test_language_and_colours_are_kept(site: Site, open_page: Open) -> None:
    page = open_page(site, "/")
    page.get_by_role("button", name="日本語").click()
    settled(page)
    assert page.locator("html").get_attribute("lang") == "ja"
    expect(page.get_by_role("heading", level=1)).to_have_text("概要")
    page.get_by_role("button", name="ダーク").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    with page.expect_response("**/ui/preferences"):
        page.get_by_role("button", name="ライト").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light", "the first byte is right"


def test_the_keyboard_reaches_the_content_first(site: Site, open_page: Open) -> None:
    page = open_page(site, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_form_of_somebody_else_is_refused(site: Site, open_page: Open) -> None:
    page = open_page(site, "/", allow=("403",))
    form = {"csrf_token": "0" * 32}
    answer = page.request.post("/ui/overview/train-sample", form=form)
    assert answer.status == 403
    assert "not allowed" in answer.text()
    assert page.request.post("/ui/preferences", form={"theme": "dark"}).status == 403


@pytest.mark.parametrize(("language", "words"), [("en", "no such page"), ("ja", "このページはありません")])
def test_an_address_that_leads_nowhere_says_so(
    site: Site, open_page: Open, language: str, words: str
) -> None:
    page = open_page(site, "/nowhere", language=language, allow=("404",))
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
    check_axe(page)
