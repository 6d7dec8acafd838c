"""Logging in with a key in a real browser: nobody sees anything, a wrong key says so, a session ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from onward.settings import load_settings
from onward.wiring import build_application
from tests.integration.dashboard.browsing import check_axe, chromium, settled
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.homes import write_settings
from tests.integration.dashboard.serving import Site, served


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A server that needs keys, and one that may read."""
    chromium()
    home: Path = tmp_path_factory.mktemp("locked") / "home"
    write_settings(home)
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    key = application.access.create_key("reader", "read")[1].text
    application.close()
    with served(home) as site:
        yield site, key


def test_nobody_is_sent_to_the_login_and_back(locked: tuple[Site, str], open_page: Open) -> None:
    site, key = locked
    page = open_page(site, "/?from=bookmark", allow=("422",))
    expect(page).to_have_url(f"{site.address}/login?next=/%3Ffrom%3Dbookmark")
    expect(page.locator(".side a")).to_have_count(0)
    check_axe(page)
    page.get_by_label("API key").fill("onward_wrong")
    page.get_by_role("button", name="Log in").click()
    settled(page)
    field = page.get_by_label("API key")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#key-error")).to_contain_text("not a key")
    check_axe(page)
    field.fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_text("You are logged in.")).to_be_visible()
    expect(page.get_by_role("button", name="Train on the sample")).to_have_count(0)  # a reader may not
    page.get_by_role("button", name="Dark", exact=True).click()  # a form of a session is taken
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{site.address}/login")
    page.goto("/")
    expect(page).to_have_url(f"{site.address}/login?next=/")


def test_the_login_leads_to_no_other_site(locked: tuple[Site, str], open_page: Open) -> None:
    site, key = locked
    page = open_page(site, "/login?next=//evil.example/", language="ja")
    page.get_by_label("APIキー").fill(key)
    page.get_by_role("button", name="ログイン").click()
    expect(page).to_have_url(f"{site.address}/")


def test_without_keys_nothing_asks_for_one(empty_site: Site, open_page: Open) -> None:
    page = open_page(empty_site, "/login")
    expect(page.get_by_text("No key is needed")).to_be_visible()
    expect(page.locator("input[type=password]")).to_have_count(0)
