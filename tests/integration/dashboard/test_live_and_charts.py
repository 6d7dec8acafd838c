"""The scripts that pages share, in a real browser: streams that break off, charts that load what is seen."""

from __future__ import annotations

import json
import signal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from onward.dashboard.assets import asset_url
from tests.integration.dashboard.browsing import check_axe, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site, served

FOLLOW = """async ([module, job]) => {
  const { follow } = await import(module);
  window.told = [];
  window.over = null;
  follow(job, { event: (e) => told.push(e.seq), end: (state) => { over = state; },
    gone: () => { over = "gone"; } });
}"""
CHARTS = """async ([scripts, style, module, source]) => {
  await new Promise((done) => document.head.append(
    Object.assign(document.createElement("link"), { rel: "stylesheet", href: style, onload: done })));
  for (const src of scripts) await new Promise((done) => {
    const script = Object.assign(document.createElement("script"), { src, onload: done });
    document.head.append(script);
  });
  const box = Object.assign(document.createElement("div"), { className: "chart candles", id: "c" });
  box.dataset.source = source;
  document.querySelector("main").replaceChildren(box);
  const { candleChart, lineChart } = await import(module);
  window.chart = candleChart(box, {});
  await window.chart.ready;
  const line = Object.assign(document.createElement("div"), { className: "chart line", id: "l" });
  document.querySelector("main").append(line);
  window.line = lineChart(line, { x: [1e9, 2e9, 3e9], series: [{ label: "a", values: [1, null, 3] }] });
}"""


def test_a_server_that_goes_away_shows_a_banner_and_recovers(own_site: Site, open_page: Open) -> None:
    page = open_page(own_site, "/nowhere", allow=("404", "ERR_CONNECTION", "ERR_INCOMPLETE", "net::"))
    page.evaluate(FOLLOW, [asset_url("live.js"), own_site.here.queued_job])
    wait_until(page, "told.length === 1")
    expect(page.locator("#connection")).to_be_hidden()
    own_site.process.send_signal(signal.SIGKILL)
    own_site.process.wait()
    expect(page.locator("#connection")).to_be_visible()
    port = urlsplit(own_site.address).port
    assert port is not None
    with served(own_site.home, own_site.things, port=port):
        expect(page.locator("#connection")).to_be_hidden()
        answer = page.request.post(f"/api/v1/jobs/{own_site.here.queued_job}/stop")
        assert answer.ok, answer.text()
        wait_until(page, "over !== null")
        assert page.evaluate("over") == "cancelled"
        assert page.evaluate("told") == [1, 2], "nothing is missed, nothing told twice"
        assert page.request.delete(f"/api/v1/jobs/{own_site.here.queued_job}").ok
        page.evaluate(FOLLOW, [asset_url("live.js"), own_site.here.queued_job])
        wait_until(page, "over === 'gone'")


def test_charts_draw_and_load_finer_bars_where_somebody_looks(site: Site, open_page: Open) -> None:
    page = open_page(site, "/nowhere", allow=("404",))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/ui/series" in request.url else None)
    scripts = [
        asset_url("vendor/lightweight-charts.standalone.production.js"),
        asset_url("vendor/uPlot.iife.min.js"),
    ]
    source = "/ui/series/candles?symbol=BTC%2FUSD&timeframe=1h"
    page.evaluate(CHARTS, [scripts, asset_url("vendor/uPlot.min.css"), asset_url("charts.js"), source])
    assert len(bars(page)) in (1500, 1501), "3,000 bars, two in one"
    newest = bars(page)[-1]["time"]
    with page.expect_response("**/ui/series/candles*from=*"):
        page.evaluate(
            "([from, to]) => chart.chart.timeScale().setVisibleRange({ from, to })",
            [newest - 200 * 3600, newest - 100 * 3600],
        )
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    seen = bars(page)
    assert seen[1]["time"] - seen[0]["time"] == 3600, "every bar of the stretch"
    assert len(seen) < 450, "and not many more"
    assert len(asked) == 2
    assert page.locator("#l canvas").count() == 1
    edge = page.evaluate(
        """() => { const scale = chart.chart.timeScale(), { from, to } = scale.getVisibleRange();
          const write = scale.options().tickMarkFormatter;
          const middle = Math.floor((from + to) / 7200) * 3600;
          return [from, middle, to].map((time) => write(time, 2).search(/\\d/)); }"""
    )
    assert edge[0] > 0, "a date at the edge is moved inwards"
    assert edge[1:] == [0, 0], "and no other"
    legend, place = page.locator("#l .u-legend"), page.locator("#l").bounding_box()
    assert place is not None
    height = legend.bounding_box()["height"]  # type: ignore[index]
    page.mouse.move(place["x"] + place["width"] / 3, place["y"] + 60)
    expect(legend.locator(".u-value").first).not_to_have_text("–")
    assert legend.bounding_box()["height"] == height  # type: ignore[index]
    assert page.evaluate("line.plot.axes[0].font[0]").startswith("12px")
    page.set_viewport_size({"width": 3840, "height": 2160})
    wait_until(page, "line.plot.axes[0].font[0].startsWith('20px')")
    assert page.evaluate("chart.chart.options().layout.fontSize") == 20, "letters of charts follow the page's"
    page.set_viewport_size({"width": 1280, "height": 860})
    wait_until(page, "line.plot.axes[0].font[0].startsWith('12px')")
    before = page.locator("#l").screenshot()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.wait_for_timeout(100)
    assert page.locator("#l").screenshot() != before, "charts follow the colours"
    page.wait_for_timeout(600)  # what moves right after a click is not counted
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert page.locator("#l canvas").count() == 1


def bars(page: Page) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads(page.evaluate("JSON.stringify(chart.candles.data())"))
    return found


def test_candles_of_nothing_say_so(site: Site, open_page: Open) -> None:
    page = open_page(site, "/nowhere", allow=("404",))
    for query, status in (("symbol=NO/PE&timeframe=1h", 200), ("symbol=BTC/USD&timeframe=1x", 422)):
        answer = page.request.get(f"/ui/series/candles?{query}")
        assert answer.status == status, answer.text()
    for query in (
        "symbol=BTC/USD",
        "symbol=BTC/USD&timeframe=1h&points=9",
        "symbol=BTC/USD&timeframe=1h&from=1e99",
    ):
        assert page.request.get(f"/ui/series/candles?{query}").status == 422


DROP_FILE = """(selector) => {
  const files = new DataTransfer();
  files.items.add(new File(["a,b"], "bars.csv"));
  return ["dragover", "drop"].map((kind) => !document.querySelector(selector).dispatchEvent(
    new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true })));
}"""

DROP_TEXT = """() => {
  const given = new DataTransfer();
  given.setData("text/plain", "a");
  return document.body.dispatchEvent(
    new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
}"""


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_file_dropped_on_any_page_leads_to_where_files_are_taken(
    site: Site, open_page: Open, language: str
) -> None:
    for path in ("/", "/runs/new", "/data/series?kind=candles&symbol=BTC%2FUSD&timeframe=1h"):
        page = open_page(site, path, language=language)
        assert page.evaluate(DROP_FILE, "main") == [True, True], "the browser must not open it"
        link = page.locator(".toast").get_by_role("link")
        expect(link).to_have_attribute("href", "/data")
        assert page.evaluate(DROP_FILE, "main") == [True, True]
        expect(page.locator(".toast")).to_have_count(1)
        check_axe(page)
    link.click()
    page.wait_for_url("**/data")
    assert page.evaluate(DROP_TEXT), "text may be dropped into fields"


def test_toasts_keep_clear_of_the_banner_and_are_said_once(site: Site, open_page: Open) -> None:
    page = open_page(site, "/nowhere", allow=("404",), width=360)
    page.evaluate(
        """async (module) => {
          const { toast } = await import(module);
          for (const said of ["first", "other", "first why", "first", "first"])
            toast(...said.split(" ").toSpliced(1, 0, "bad"));
        }""",
        asset_url("app.js"),
    )
    expect(page.locator(".toast")).to_have_text(["other", "first why", "first"])
    banner = page.locator("#connection")
    banner.evaluate("(one) => { one.hidden = false; }")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    over, under = page.locator("#toasts").bounding_box(), banner.bounding_box()
    assert over is not None
    assert under is not None
    assert over["y"] + over["height"] <= under["y"]
    banner.evaluate("(one) => { one.hidden = true; }")
    wait_until(page, "innerHeight - document.getElementById('toasts').getBoundingClientRect().bottom < 30")
