"""The pages of stored data in a real browser: what there is, files that come in, a chart that scrolls."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from onward.data.repositories import DataStore
from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site, served

LONG = "LONG/USD"
N_LONG = 70_000
SERIES = "/data/series?kind=candles&symbol=LONG%2FUSD&timeframe=1h"
HEADER = "timestamp,open,high,low,close,volume\n"
DROP = """([name, content]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
}"""
WATCH_FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const tick = () => { const now = performance.now(); frames_.push(now - last); last = now;
    requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


@pytest.fixture(scope="module")
def long_site(site: Site) -> Iterator[Site]:
    """The site with eight years of hours that have two gaps, and funding beside them."""
    store = DataStore(site.home / "data")
    times = pd.date_range("2018-01-01", periods=N_LONG, freq="h", tz="UTC")
    kept = ~((times > times[20_000]) & (times < times[20_030]) | (times == times[50_000]))
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.002, N_LONG)))
    close[60_000] *= 1.5
    bars = pd.DataFrame({"timestamp": times, "open": close, "high": close * 1.002, "low": close * 0.998})
    store.candles("1h").upsert(LONG, bars.assign(close=close, volume=1.0)[kept])
    rates = pd.DataFrame({"timestamp": times[::8], "funding_rate": 1e-4})
    store.funding.upsert(LONG, rates)
    yield site
    for kind in ("candles", "funding"):
        shutil.rmtree(site.home / "data" / kind / "LONG%2FUSD")


def csv(n: int = 48) -> bytes:
    return (HEADER + "".join(lines(n))).encode()


def lines(n: int) -> list[str]:
    times = pd.date_range("2026-01-01", periods=n, freq="h", tz="UTC")
    return [f"{t:%Y-%m-%dT%H:%M:%SZ},1,2,0.5,1.5,3\n" for t in times]


def drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def choose(page: Page, name: str, content: bytes) -> None:
    page.locator("#import-file").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


@each_reader
def test_they_are_without_fault(
    long_site: Site, empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    funding = "/data/series?kind=funding&symbol=LONG%2FUSD"
    for one, path in ((long_site, "/data"), (long_site, SERIES), (long_site, funding), (empty_site, "/data")):
        page = open_page(one, path, **reader)
        if path == funding:
            expect(page.locator("#line canvas").first).to_be_visible()
            none = page.request.get("/ui/series/values?kind=funding&symbol=NO%2FPE").json()
            assert none == {"time": [], "value": []}
            assert page.request.get("/ui/series/values?kind=candles&symbol=LONG%2FUSD").status == 422
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
        if path == "/data":
            page.locator("[data-dialog=import]").first.click()
            expect(page.locator("#import-file")).to_be_attached()
            check_axe(page)


def test_the_list_tells_of_reach_gaps_and_freshness(long_site: Site, open_page: Open) -> None:
    page = open_page(long_site, "/data")
    line = page.locator(".data-lines li").filter(has_text=LONG).filter(has_text="candles")
    expect(line).to_contain_text("2 gaps, 30 missing")
    expect(line).to_contain_text("ended")
    assert line.locator("rect.gap").count() == 2
    fresh = page.locator(".data-lines li").filter(has_text=f"{long_site.here.symbol} candles 1h")
    expect(fresh).to_contain_text("up to date")
    line.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("LONG/USD · candles")
    quality = page.locator("#quality")
    expect(quality).to_contain_text("2 returns lie far outside the rest")
    expect(quality).to_contain_text("2 gaps, 30 bars are missing")
    expect(quality.get_by_role("row").filter(has_text="29")).to_be_visible()
    with page.expect_response("**/ui/series/candles*from=*"):
        quality.get_by_role("button", name="Show").first.click()


def test_series_that_are_not_there_say_so(site: Site, open_page: Open) -> None:
    page = open_page(site, "/data/series?kind=candles&symbol=NO%2FPE&timeframe=1h", allow=("404",))
    expect(page.get_by_role("heading", level=1)).to_have_text("This series is not stored")
    check_axe(page)
    for query in ("kind=prices", f"kind=candles&symbol={'x' * 101}", "kind=candles&symbol=%00&timeframe=1x"):
        assert page.request.get(f"/data/series?{query}").status in (404, 422), query
    assert page.request.get("/data?search=nope&page=999999").ok
    assert "No stored symbol contains" in page.request.get("/data?search=n%3Cb%3E").text()


def test_a_file_is_looked_at_named_stored_and_shown(site: Site, open_page: Open) -> None:
    page = open_page(site, "/data", allow=("422",))
    drop(page, "bars.csv", csv())
    expect(page.get_by_role("heading", name="bars.csv")).to_be_visible()
    dialog = page.get_by_role("dialog")
    for words in ("Recognised candles", "48", "2026-01-01 00:00", "open, high, low, close, volume"):
        expect(dialog).to_contain_text(words)
    field = dialog.get_by_label("Symbol", exact=True)
    wrong = dialog.locator("#symbol-error")
    expect(field).to_be_focused()
    expect(dialog.locator("#symbol-help")).to_contain_text("of which symbol these candles are")
    expect(wrong).to_be_empty()
    field.press("Tab")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_contain_text("of which symbol these candles are")
    check_axe(page)
    field.press_sequentially("N")
    expect(wrong).to_be_empty()
    field.fill("")
    field.press("Enter")
    expect(wrong).to_contain_text("of which symbol these candles are")
    dialog.get_by_label("Timeframe").fill("2 parsecs")
    field.fill("NEW/USD")
    field.press("Enter")
    expect(dialog.locator("#timeframe-error")).to_contain_text("do not fit this length")
    dialog.get_by_label("Timeframe").fill("1h")
    dialog.get_by_role("button", name="Store 48 rows").click()
    expect(dialog.get_by_role("heading", name="Stored", exact=True)).to_be_visible()
    expect(dialog).to_contain_text("48 new rows.")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator(".data-lines")).to_contain_text("NEW/USD")
    settled(page)
    shutil.rmtree(site.home / "data" / "candles" / "NEW%2FUSD")


def test_files_that_cannot_be_taken_are_refused_in_words(site: Site, open_page: Open, tmp_path: Path) -> None:
    page = open_page(site, "/data", allow=("422",), language="ja")
    page.get_by_role("button", name="取り込む").click()
    pd.DataFrame({"timestamp": [1, 2], "open": [1.0, 2.0]}).to_parquet(tmp_path / "whole.parquet")
    cut = (tmp_path / "whole.parquet").read_bytes()[:-20]
    said = page.locator("#import-result")
    for name, content, words in (
        ("cut.parquet", cut, "壊れているか途中で切れています"),
        ("notes.txt", b"dear diary\nit rained\n", "この形式は認識できません"),
        ("X_Y-1h.csv", HEADER.encode(), "行がありません"),
        ("X_Y-1h.csv", csv(3).replace(b",1,2,", b",1,-2,"), "規則に反しています"),
    ):
        choose(page, name, content)
        expect(said).to_contain_text(words)
        expect(said).to_contain_text(name)
    page.evaluate("document.getElementById('import-form').dataset.most = 10")
    choose(page, "big.csv", csv())
    expect(page.locator("#file-error")).to_contain_text("上限")
    drop(page, "a.csv", b"")
    expect(said).to_contain_text("行がありません")
    check_axe(page)
    page.keyboard.press("Escape")
    expect(page.locator("#import")).not_to_be_visible()


def test_findings_name_their_symbol_where_a_file_has_several(site: Site, open_page: Open) -> None:
    page = open_page(site, "/data")
    full = lines(40)
    kept = {"ONE/USD": full[:9] + full[10:], "TWO/USD": full[:20] + full[24:]}
    text = "symbol," + HEADER + "".join(f"{name},{line}" for name in kept for line in kept[name])
    drop(page, "both.csv", text.encode())
    told = page.locator("#import-result .remarks li")
    for name in kept:
        expect(told.filter(has_text=f"{name}:").filter(has_text="gap")).to_have_count(1)
    drop(page, "ONE_USD-1h.csv", (HEADER + "".join(kept["ONE/USD"])).encode())
    expect(page.get_by_role("heading", name="ONE_USD-1h.csv")).to_be_visible()
    expect(told.filter(has_text="gap")).to_have_count(1)
    expect(told.filter(has_text="ONE/USD:")).to_have_count(0)


def test_an_import_is_listed_though_its_dialog_was_closed_while_it_waited(
    own_site: Site, open_page: Open
) -> None:
    page = open_page(own_site, "/data")
    page.locator("[data-dialog=import]").first.click()
    choose(page, "LATE_USD-1h.csv", csv())
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Store 48 rows").click()
    expect(dialog.locator("[data-outcome][data-job]")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    settled(page)
    expect(page.locator(".data-lines")).not_to_contain_text("LATE/USD")
    with served(own_site.home, jobs=True):  # which takes what waits
        expect(page.locator(".data-lines")).to_contain_text("LATE/USD", timeout=120_000)
        expect(page.locator(".toast")).to_contain_text("LATE_USD-1h.csv")
        settled(page)


def test_only_our_own_pages_send_files(site: Site, open_page: Open) -> None:
    page = open_page(site, "/data")
    file: dict[str, Any] = {"name": "a.csv", "mimeType": "text/csv", "buffer": csv(3)}
    for headers in ({}, {"X-CSRF-Token": "0" * 32}):
        answer = page.request.post("/ui/data/preview", multipart={"file": file}, headers=headers)
        assert answer.status == 403
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRF-Token']")
    for upload in ("0" * 40, "../../etc", ""):
        form = {"csrf_token": token, "upload": upload, "symbol": "A/B"}
        answer = page.request.post("/ui/data/import", form=form)
        assert answer.status == 422
        assert "kept for an hour only" in answer.text()


def told(page: Page, first: pd.Timestamp, last: pd.Timestamp, close: float) -> None:
    """Expect the line below the candles to tell of a stretch, and of the close of its last bar."""
    digits = page.evaluate("(close) => close.toLocaleString('en')", round(close, 10))
    expect(page.locator("#chart-said")).to_have_text(
        f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M} · {digits}"
    )


@pytest.mark.parametrize("width", [1280, 360])
def test_the_line_below_candles_tells_what_is_seen(long_site: Site, open_page: Open, width: int) -> None:
    page = open_page(long_site, SERIES, width=width)
    closes = DataStore(long_site.home / "data").candles("1h").read(LONG).set_index("timestamp")["close"]
    newest = closes.index[-1]
    pressed = page.locator("[data-bars][aria-pressed=true]")
    for name, first in (
        ("100 bars", closes.index[-100]),
        ("10,000 bars", None),  # many bars in one
        ("1,000 bars", None),
        ("All", closes.index[0]),
    ):
        if name != "100 bars":  # it is what the page begins with
            page.get_by_role("button", name=name, exact=True).click()
        wait_until(page, "!document.querySelector('[aria-busy=true]')")
        expect(pressed).to_have_text(name)
        if first is None:
            digits = page.evaluate("(close) => close.toLocaleString('en')", round(closes.iloc[-1], 10))
            expect(page.locator("#chart-said")).to_contain_text(f"– {newest:%Y-%m-%d %H:%M} · {digits}")
        else:
            told(page, first, newest, closes.iloc[-1])
    page.get_by_role("button", name="100 bars", exact=True).click()
    told(page, closes.index[-100], newest, closes.iloc[-1])
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator("#chart-said")).not_to_contain_text(f"{newest:%m-%d %H:%M}")
    line = page.locator("#chart-said").inner_text()
    last = pd.Timestamp(line.split(" – ")[1][:16], tz="UTC")
    assert 75 <= (newest - last) / pd.Timedelta("1h") <= 82
    told(page, last - pd.Timedelta("99h"), last, closes[last])
    expect(pressed).to_have_text("100 bars")
    place = page.locator("#chart").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 120)
    page.mouse.wheel(0, -400)  # looks closer
    expect(pressed).to_have_count(0)


def test_seventy_thousand_bars_scroll_without_stutter(long_site: Site, open_page: Open) -> None:
    page = open_page(long_site, SERIES)
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer) if "/ui/series" in answer.url else None)
    page.get_by_role("button", name="All", exact=True).click()
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    page.get_by_role("button", name="1,000 bars", exact=True).click()
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    place = page.locator("#chart").bounding_box()
    assert place is not None
    x, y = place["x"] + 300, place["y"] + 120
    page.evaluate(WATCH_FRAMES)
    page.wait_for_timeout(300)
    idle = sorted(page.evaluate("frames_.splice(0)"))  # what this machine can do just now
    for _ in range(5):
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 16):
            page.mouse.move(x + 40 * step, y)
            page.wait_for_timeout(8)
        page.mouse.up()
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    frames = sorted(page.evaluate("frames_"))
    assert len(answers) >= 3, "scrolling loads what comes into view"
    assert all(len(answer.json()["time"]) <= 1600 for answer in answers)
    assert max(len(answer.body()) for answer in answers) < 200_000
    assert frames[len(frames) // 2] < max(34, 2 * idle[len(idle) // 2]), (idle, frames)
    assert frames[int(0.95 * len(frames))] < max(150, 4 * idle[int(0.95 * len(idle))]), (idle, frames)
