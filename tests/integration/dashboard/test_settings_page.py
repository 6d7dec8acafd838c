"""Settings and keys in a real browser: found, explained, made once, revoked for good."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.integration.dashboard.browsing import check_axe, each_reader, settled
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site


@each_reader
def test_it_is_without_fault(site: Site, open_page: Open, reader: dict[str, object]) -> None:
    page = open_page(site, "/settings", **reader)
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    if reader["width"] == 1280:
        box = page.locator("#field-scope").bounding_box()
        page.evaluate("document.getElementById('field-lasts').remove()")  # as while the page still arrives
        assert page.locator("#field-scope").bounding_box() == box, "a field that comes later moves no other"


def test_settings_are_found_with_their_origin(site: Site, open_page: Open) -> None:
    page = open_page(site, "/settings")
    row = page.get_by_role("row").filter(has_text="model.n_rounds")
    expect(row).to_contain_text("onward.toml")
    expect(row).to_contain_text("Boosting rounds")
    search = page.get_by_label("Find a setting")
    contents = page.get_by_role("navigation", name="Sections of the settings")
    contents.get_by_role("link", name="Judgement and costs").press("Enter")
    expect(page.get_by_role("heading", name="Judgement and costs")).to_be_in_viewport()
    expect(contents.get_by_role("link", name="Server", exact=True)).to_be_in_viewport()  # it goes along
    search.press_sequentially("fee_bps")
    expect(contents.get_by_role("link")).to_have_text(["Judgement and costs"])
    expect(page.get_by_role("row").filter(has_text="evaluation.fee_bps")).to_be_visible()
    expect(row).to_be_hidden()
    expect(page.get_by_text("1 settings shown")).to_be_visible()
    search.press_sequentially("zzzz")
    expect(page.get_by_text("No setting fits")).to_be_visible()
    search.press("ControlOrMeta+a")
    search.press("Delete")
    page.get_by_label("Only those that are not at their default").check()
    expect(row).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="server.session_hours")).to_be_hidden()
    plain = page.request.get("/settings?q=n_rounds&changed=1").text()
    assert "model.n_rounds" in plain
    assert "server.session_hours" not in plain


def test_a_key_is_made_shown_once_and_revoked(own_empty: Site, open_page: Open) -> None:
    page = open_page(own_empty, "/settings", allow=("422",))
    expect(page.get_by_text("There is no key yet")).to_be_visible()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#name-error")).to_contain_text("1 to 100 printable characters")
    page.get_by_label("Name", exact=True).fill("me")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#new-key").text_content() or ""
    assert secret.startswith("onward_")
    check_axe(page)
    page.get_by_role("link", name="Log in with it").click()
    page.get_by_label("API key").fill(secret)
    page.get_by_role("button", name="Log in").click()
    settled(page)
    page.goto("/settings")
    settled(page)
    assert secret not in page.content()
    mine = page.get_by_role("row").filter(has_text="yours")
    expect(mine).to_contain_text("admin")
    page.get_by_label("Name", exact=True).fill("me")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#name-error")).to_contain_text("works already")
    page.get_by_label("Name", exact=True).fill("bot " + "x" * 90)
    page.get_by_label("Lasts").select_option("30")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#new-key")).to_be_visible()
    bot = page.get_by_role("row").filter(has_text="bot xxx")
    bot.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("for good")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    bot.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The key was revoked.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="bot xxx")).to_contain_text("revoked")
