"""Models in a real browser: find, promote, be told why not, roll back, and what others did meanwhile."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site


@each_reader
def test_they_are_without_fault(site: Site, open_page: Open, reader: dict[str, object]) -> None:
    page = open_page(site, "/models", **reader)
    for path in (
        f"/models/{site.here.model}",
        f"/models/{site.here.model}/1",
        f"/models/{site.here.leaky_model}/1",
    ):
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
        page.goto(path)
        settled(page)
    check_axe(page)
    buttons = page.locator("main .page-header button")
    expect(buttons.first).to_be_disabled()  # promoting what failed its audit
    expect(page.locator("#barrier")).to_be_visible()
    answer = page.request.get(f"/ui/models/ask/promote?name={site.here.leaky_model}&version=1")
    assert "alias" not in answer.text().partition("<form")[2].partition("ask-title")[2]


def test_the_list_is_searched_while_typing_and_leads_on(site: Site, open_page: Open) -> None:
    page = open_page(site, "/models")
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Search").press_sequentially("leak", delay=5)
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{site.address}/models?q=leak")
    expect(rows).to_contain_text("leak audit failed")
    page.get_by_label("Search").fill("nothing like that")
    expect(page.get_by_text("No model is called like that")).to_be_visible()
    page.goto("/")
    page.locator(f'a[href="/models/{site.here.model}/1"]').click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{site.here.model} v1")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page).to_have_url(f"{site.address}/reports/{site.here.run}")


def test_promote_be_overtaken_roll_back_and_delete(own_site: Site, open_page: Open) -> None:
    model = own_site.here.model
    page = open_page(own_site, f"/models/{model}", allow=("409", "422"))
    page.get_by_role("button", name="Promote version 2").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    check_axe(page)
    beside = dialog.get_by_role("table")
    expect(beside.get_by_role("columnheader")).to_have_text(["v2", "v1 champion now"])
    expect(beside.get_by_role("row", name="Direction")).to_contain_text("AUC 0.")
    expect(beside.get_by_role("row", name="Leak audit").get_by_role("cell")).to_have_text(
        ["✓leak audit passed"] * 2
    )
    expect(page.locator("#versions tbody tr").nth(1)).to_contain_text("is the champion")
    expect(page.get_by_role("button", name="Promote version 1")).to_have_count(0)
    field = dialog.get_by_label("Alias")
    field.fill("7 of 9")
    dialog.get_by_role("button", name="Promote").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(beside).to_contain_text("champion now")
    field.fill("champion")
    dialog.get_by_label("Reason").fill("it held up")
    api = f"/api/v1/models/{model}/aliases/champion"
    moved = page.request.delete(f"{api}?reason=closed&actor=bob")  # somebody else, meanwhile
    assert moved.ok, moved.text()
    dialog.get_by_role("button", name="Promote").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed champion meanwhile")
    expect(dialog.get_by_role("alert")).to_contain_text("bob")
    expect(dialog.get_by_label("Reason")).to_have_value("it held up")
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("The version was promoted.")).to_be_visible()
    assert page.request.put(api, data={"version": 1}).ok
    page.reload()
    expect(page.locator("#history tbody tr").nth(1)).to_contain_text("it held up")
    page.get_by_role("button", name="Roll back to v2").click()
    expect(dialog).to_contain_text("goes back to v2")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Roll back to v2").click()
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("The alias was rolled back.")).to_be_visible()
    expect(page.locator("#history tbody tr").first).to_contain_text("v1 → v2")
    page.goto(f"/models/{model}/1")
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The version was deleted.")).to_be_visible()
    wait_until(page, "document.querySelectorAll('#versions tbody tr').length === 1")


@pytest.mark.parametrize(("language", "words"), [("en", "no such model"), ("ja", "ありません")])
def test_a_model_that_is_gone_says_so(site: Site, open_page: Open, language: str, words: str) -> None:
    page = open_page(site, f"/models/{site.here.model}/99", language=language, allow=("404",))
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
    assert page.request.get("/models/never-was").status == 404
    assert page.request.get("/models/..%2f..%2fetc").status == 404
