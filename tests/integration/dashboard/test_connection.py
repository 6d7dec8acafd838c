"""A server that is killed under open pages, all there are: each says so, loses nothing, goes on by itself."""

from __future__ import annotations

import signal
from dataclasses import asdict
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, Route, expect

from onward.dashboard.pages import entries
from tests.integration.dashboard.browsing import Watched, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site, served

GONE = ("ERR_CONNECTION", "ERR_INCOMPLETE", "net::", "htmx:")
LOOK = "dispatchEvent(new Event('offline'))"
"""What a browser says when it loses a network: pages look at once."""
HIDDEN = """(hidden) => {
  Object.defineProperty(document, "visibilityState",
    { value: hidden ? "hidden" : "visible", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
STEP_MS = 4_000
"""Shorter than a heartbeat waits for its answer, which comes in the time of the machine."""


def test_every_page_says_that_the_server_went_away_and_recovers(own_site: Site, open_page: Open) -> None:
    tabs = _all_pages(own_site, open_page)
    for page in tabs.values():
        expect(page.locator("#connection")).to_be_hidden()
    new, jobs, models = tabs["new-run"], tabs["jobs"], tabs["models"]
    wait_until(new, "document.querySelector('#check .verdict.good')")
    own_site.process.send_signal(signal.SIGKILL)
    own_site.process.wait()

    new.locator("[id='evaluation.fee_bps']").fill("77")
    verdict = new.locator("#check .verdict")
    expect(verdict).to_have_text("Not checked.")
    expect(new.locator("#folded-copy")).to_be_hidden()
    new.get_by_role("button", name="Start the run").click()
    expect(new.locator(".toast")).to_contain_text("The server did not answer")
    expect(new.locator("#run-form")).not_to_have_attribute("aria-busy", "true")
    beating = tabs.pop("report")
    for page in tabs.values():
        page.evaluate(LOOK)
    for name, page in tabs.items():
        expect(page.locator("#connection"), name).to_be_visible()
        expect(page.locator("#connection")).to_contain_text("Connection lost")
    models.get_by_role("link", name="Data", exact=True).click()
    expect(models.locator(".toast")).to_contain_text("The server did not answer")
    expect(beating.locator("#connection"), "found out by its heartbeat").to_be_visible()
    tabs["report"] = beating
    jobs.wait_for_timeout(3500)  # longer than it asks by itself
    for name, page in tabs.items():
        told = 1 if page in (new, models) else 0
        expect(page.locator(".toast"), f"{name}: what nobody asked for fails silently").to_have_count(told)

    port = urlsplit(own_site.address).port
    assert port is not None
    with served(own_site.home, own_site.things, port=port):
        with jobs.expect_response("**/ui/jobs*"):
            for name, page in tabs.items():
                expect(page.locator("#connection"), name).to_be_hidden()
        expect(verdict).to_have_text("Ready to start.")
        assert "fee_bps=77" in (new.locator("#copy-command").text_content() or "")
        new.get_by_role("button", name="Start the run").click()
        expect(new.get_by_text("The run was started.")).to_be_visible()
        models.get_by_role("link", name="Data", exact=True).click()
        models.wait_for_url("**/data")
        for page in tabs.values():
            page.watched.check()  # type: ignore[attr-defined]


def test_the_heartbeat_costs_next_to_nothing(site: Site, open_page: Open) -> None:
    page = open_page(site, "/settings")
    page.clock.install()
    page.reload()
    settled(page)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108
    _pass(page, minutes=10)
    assert {urlsplit(one.url).path for one in asked} == {"/api/v1/health/live"}
    assert 5 <= len(asked) <= 13, "once a minute, and somewhat more often at first"
    assert page.context.cookies()
    assert not any("cookie" in one.all_headers() for one in asked), "it keeps no session alive"
    asked.clear()
    page.evaluate(HIDDEN, True)
    _pass(page, minutes=5)
    assert not asked, "a page that nobody sees asks for nothing"
    page.evaluate(HIDDEN, False)
    page.wait_for_timeout(100)
    assert len(asked) == 1, "and looks at once when it is seen again"
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    _pass(page, minutes=1)
    assert 2 <= len(asked) <= 5


def test_a_server_that_answers_nothing_is_away_as_well(own_site: Site, open_page: Open) -> None:
    page = open_page(own_site, "/runs/new", allow=GONE)
    wait_until(page, "document.querySelector('#check .verdict.good')")
    own_site.process.send_signal(signal.SIGSTOP)
    try:
        page.locator("[id='evaluation.fee_bps']").fill("77")
        expect(page.locator("#connection")).to_be_visible(timeout=12_000)  # before its heartbeat would tell
        page.get_by_role("button", name="Start the run").click()
        expect(page.locator(".toast")).to_contain_text("The server did not answer")
    finally:
        own_site.process.send_signal(signal.SIGCONT)
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("[id='evaluation.fee_bps']")).to_have_value("77")


def test_a_server_that_asks_for_patience_gets_it(own_site: Site, open_page: Open) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        kind = {"Content-Type": "application/problem+json"}
        route.fulfill(status=429, headers={"Retry-After": "7", **kind}, body='{"detail": "too many"}')

    page = open_page(own_site, "/jobs", allow=("429",))
    page.route("**/ui/jobs*", refuse)
    expect(page.locator("#connection")).to_contain_text("cannot answer just now")
    expect(page.locator("#connection")).to_be_visible()
    page.wait_for_timeout(5000)
    assert len(asked) == 1
    page.unroute("**/ui/jobs*")
    with page.expect_response("**/ui/jobs*"):
        expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator(".toast")).to_have_count(0)


def test_what_a_ready_server_refuses_is_not_asked_for_without_end(own_site: Site, open_page: Open) -> None:
    page = open_page(own_site, "/models", allow=("503",))
    page.route("**/ui/broken", lambda route: route.fulfill(status=503, body=""))
    page.evaluate(
        """() => { window.n = 0;
          const ask = () => { n += 1; htmx.ajax("GET", "/ui/broken", { target: "#toasts", swap: "none" }); };
          document.body.addEventListener("again", ask); ask(); }"""
    )
    expect(page.locator("#connection")).to_be_visible()
    expect(page.locator("#connection")).to_be_hidden()
    page.wait_for_timeout(3000)
    expect(page.locator("#connection")).to_be_hidden()
    assert page.evaluate("n") == 2, "as it is, and once more when the server says that it is ready"


def test_a_page_that_could_not_be_made_stays_until_its_server_is_back(
    own_empty: Site, open_page: Open
) -> None:
    page = open_page(own_empty, "/models", allow=("503", *GONE))
    address = f"{own_empty.address}/models"
    made = page.request.get(f"{own_empty.address}/models/none").text()
    unready = made.replace('class="card problem"', 'class="card problem" data-unready')
    assert unready != made
    page.route(address, lambda route: route.fulfill(status=503, content_type="text/html", body=unready))
    page.goto("/models")
    own_empty.process.send_signal(signal.SIGKILL)
    own_empty.process.wait()
    page.unroute(address)
    expect(page.locator("#connection")).to_be_visible()
    page.wait_for_timeout(3000)
    expect(page.locator("[data-unready]")).to_be_visible()
    port = urlsplit(own_empty.address).port
    assert port is not None
    with served(own_empty.home, port=port):
        page.wait_for_url("**/models")
        expect(page.locator("[data-unready]")).to_have_count(0)


def _all_pages(site: Site, open_page: Open) -> dict[str, Page]:
    """Open a tab of each page there is, and of a job that is live."""
    things = asdict(site.here)
    shots = {name: path.format(**things) for entry in entries() for name, path in entry.page.shots}
    shots["live-job"] = f"/jobs/{site.here.queued_job}"
    del shots["new-run-copy"]
    first = open_page(site, "/", allow=GONE)
    tabs: dict[str, Page] = {}
    for name, path in shots.items():
        page = first if path == "/" else first.context.new_page()
        if page is not first:
            page.watched = Watched(page)  # type: ignore[attr-defined]
            page.watched.allow(*GONE)  # type: ignore[attr-defined]
            page.goto(path)
            settled(page)
        tabs[name] = page
    return tabs


def _pass(page: Page, *, minutes: int) -> None:
    """Let time go by for the timers of a page."""
    for _ in range(minutes * 60_000 // STEP_MS):
        page.clock.run_for(STEP_MS)
        page.wait_for_timeout(15)  # for answers
