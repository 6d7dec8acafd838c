"""Rows of a series are removed from its page: asked first, of the part that was shown, said afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from onward.data.repositories import DataStore
from onward.testing.repositories import rows_of
from tests.integration.dashboard.browsing import check_axe, each_reader, settled
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site

SYMBOL = "GONE/USD"
SERIES = "/data/series?kind=candles&symbol=GONE%2FUSD&timeframe=1h"
ASK = "/ui/data/ask?kind=candles&symbol=GONE%2FUSD&timeframe=1h"
ROWS = rows_of("candles", 96)
PICTURES = os.environ.get("PICTURES")
"""Directory for pictures of the question, for whoever wants to see it."""


@pytest.fixture
def stored(site: Site) -> Iterator[DataStore]:
    store = DataStore(site.home / "data")
    store.candles("1h").upsert(SYMBOL, ROWS)
    yield store
    shutil.rmtree(site.home / "data" / "candles" / "GONE%2FUSD")


def shot(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


@each_reader
def test_the_question_is_without_fault(
    site: Site, stored: DataStore, open_page: Open, reader: dict[str, object]
) -> None:
    own = f"/data/series?kind=candles&symbol={site.here.symbol}&timeframe={site.here.timeframe}"
    page = open_page(site, own, **reader)
    name = "-".join(map(str, reader.values()))
    page.locator("[hx-get^='/ui/data/ask']").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-close]")).to_be_focused()
    expect(dialog.get_by_role("link", name=site.here.model)).to_be_visible()
    expect(dialog).to_contain_text("@champion")
    shot(page, f"whole-{name}")
    check_axe(page)
    until = dialog.locator("[name=until]")
    for typed in ("2001-01-01", "yesterday"):
        until.fill(typed)
        until.press("Tab")
        expect(dialog.locator("#until-error")).not_to_be_empty()
        expect(dialog.locator("[name=seen]")).to_have_count(0)
    shot(page, f"wrong-{name}")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.locator("[hx-get^='/ui/data/ask']").click()
    expect(dialog.locator("[name=seen]")).to_have_count(1)  # asked anew, and left open for the last look


def test_a_part_and_then_the_whole_are_removed(site: Site, stored: DataStore, open_page: Open) -> None:
    page = open_page(site, SERIES, allow=("404",))
    page.get_by_role("button", name="Remove …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Remove GONE/USD candles 1h?")
    expect(dialog).to_contain_text("96 rows go. Nothing of the series stays.")
    dialog.get_by_label("From").fill("2020-01-01")
    dialog.get_by_label("Until").fill("2020/01/01 12:00")
    dialog.get_by_label("Until").press("Tab")
    expect(dialog).to_contain_text("12 rows go. 84 rows stay.")
    expect(dialog).to_contain_text("From 2020-01-01 00:00 to 2020-01-01 11:00")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Removed 12 rows: GONE/USD candles 1h.")
    expect(page.get_by_role("heading", level=1)).to_have_text("GONE/USD · candles")
    expect(page.locator(".tiles")).to_contain_text("84")
    settled(page)
    page.get_by_role("button", name="Remove …").click()
    dialog.get_by_role("button", name="Remove", exact=True).press("Enter")
    expect(page).to_have_url(f"{site.address}/data")
    expect(page.locator("#toasts")).to_contain_text("Removed 84 rows: GONE/USD candles 1h.")
    expect(page.locator("#series-list")).not_to_contain_text(SYMBOL)
    check_axe(page)
    page.goto(SERIES)
    expect(page.get_by_role("heading", level=1)).to_have_text("This series is not stored")
    answer = page.request.get(ASK)
    assert (answer.status, "not stored" in answer.text()) == (404, True)


def test_what_changed_meanwhile_is_shown_before_it_goes(
    site: Site, stored: DataStore, open_page: Open
) -> None:
    page = open_page(site, SERIES, allow=("409", "404"))
    page.get_by_role("button", name="Remove …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("96 rows go")
    stored.candles("1h").upsert(SYMBOL, rows_of("candles", 120))
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing was removed: the series has changed")
    expect(dialog).to_contain_text("120 rows go")
    check_axe(page)
    stored.candles("1h").remove(SYMBOL)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("heading")).to_have_text("This series is not stored")


def test_only_what_was_shown_goes_and_only_from_our_pages(
    site: Site, stored: DataStore, open_page: Open
) -> None:
    page = open_page(site, SERIES)
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRF-Token']")
    series = {"kind": "candles", "symbol": SYMBOL, "timeframe": "1h"}
    state = stored.candles("1h").removal(SYMBOL).state
    refused: tuple[tuple[dict[str, Any], int], ...] = (
        ({**series, "seen": state, "shown": "/"}, 403),
        ({**series, "seen": state, "shown": "/", "csrf_token": "0" * 32}, 403),
        ({**series, "csrf_token": token}, 409),
        ({**series, "csrf_token": token, "seen": state, "shown": "/", "begin": "2020-01-01T00:00"}, 409),
        ({**series, "csrf_token": token, "seen": state, "shown": "x/", "begin": "x"}, 422),
        ({**series, "csrf_token": token, "seen": "another", "shown": "/"}, 409),
        ({**series, "csrf_token": token, "seen": state, "shown": "/", "symbol": "../../models"}, 404),
        ({**series, "csrf_token": token, "seen": state, "shown": "/", "kind": "prices"}, 404),
    )
    for form, status in refused:
        assert page.request.post("/ui/data/remove", form=form).status == status, form
    for query in ("kind=prices", "kind=candles&symbol=%00&timeframe=1x", f"kind=candles&symbol={'x' * 101}"):
        assert page.request.get(f"/ui/data/ask?{query}").status in (404, 422)
    assert len(stored.candles("1h").read(SYMBOL)) == 96
    page.context.add_cookies(
        [{"name": "onward_toast", "value": "good:data.toast.removed:count=<b>", "url": site.address}]
    )
    page.goto("/data")
    expect(page.locator("#toasts")).to_be_empty()


def test_a_row_that_looks_wrong_leads_from_the_import_to_its_removal(site: Site, open_page: Open) -> None:
    rows = rows_of("candles", 400)
    rows["timestamp"] = pd.date_range("2025-01-01", periods=400, freq="h", tz="UTC")
    rows.loc[399, "timestamp"] = pd.Timestamp("2026-01-01", tz="UTC")
    page = open_page(site, "/data")
    file = {"name": "GONE_USD-1h.csv", "mimeType": "text/csv", "buffer": rows.to_csv(index=False).encode()}
    page.get_by_role("button", name="Import", exact=True).click()
    page.locator("#import-file").set_input_files(file)  # type: ignore[arg-type]
    dialog = page.locator("#import")
    expect(dialog).to_contain_text("One row lies far from all others, at 2026-01-01 00:00")
    dialog.get_by_role("button", name="Store 400 rows").click()
    expect(dialog.get_by_role("heading", name="Stored", exact=True)).to_be_visible()
    expect(dialog).to_contain_text("One row lies far from all others, at 2026-01-01 00:00")
    check_axe(page)
    dialog.get_by_role("link", name="Remove …").click()
    expect(page.locator("#ask")).to_contain_text("One row goes. 399 rows stay.")
    page.locator("#ask").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Removed one row: GONE/USD candles 1h.")
    expect(page.locator("#ask")).not_to_be_visible()
    shutil.rmtree(site.home / "data" / "candles" / "GONE%2FUSD")
