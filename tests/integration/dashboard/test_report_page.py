"""Reports in a real browser: the verdict first, candles that load what is seen, a file to keep."""

from __future__ import annotations

import re
import shutil

from playwright.sync_api import expect

from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site

NOT_SAID = re.compile(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{3,}")
UNSPOKEN = "[lang=en], [translate=no], script, noscript, svg, .chart"
SEEN = """(unspoken) => [...document.querySelectorAll("main *")].filter((one) => !one.closest(unspoken))
  .flatMap((one) => [...one.childNodes]).filter((one) => one.nodeType === 3)
  .map((one) => one.textContent.trim()).filter(Boolean)"""


@each_reader
def test_they_are_without_fault(site: Site, open_page: Open, reader: dict[str, object]) -> None:
    page = open_page(site, "/reports", **reader)
    check_axe(page)
    for run in (site.here.run, site.here.other_run):
        expect(page.locator(f'a[href="/reports/{run}"]')).to_be_visible()
    badges = page.locator("#comparing .both .badge").all()
    assert len(badges) >= 4, "two runs, each with two verdicts"
    for badge in badges:
        place = badge.bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= int(str(reader["width"])), (
            "the verdict is seen without scrolling"
        )
    page.locator(f'a[href="/reports/{site.here.run}"]').click()
    page.wait_for_url(f"**/reports/{site.here.run}")
    settled(page)
    folded = page.locator("details").all()
    assert len(folded) > 1
    for details in folded:
        details.evaluate("(one) => { one.open = true; }")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    assert page.evaluate("document.querySelectorAll('main h2')[0].id") == "verdict-title"
    for canvas in ("#report-candles", "#report-equity", "#report-falls"):
        assert page.locator(f"{canvas} canvas").count()
    if reader["language"] == "ja":
        seen = page.evaluate(SEEN, UNSPOKEN)
        assert len(seen) > 50
        left = [text for text in seen if NOT_SAID.search(text)]
        assert not left, "left in English"


def test_candles_move_by_keyboard_and_the_file_is_there(site: Site, open_page: Open) -> None:
    page = open_page(site, f"/reports/{site.here.run}")
    said = page.locator("#report-candles-said")
    whole = said.text_content()
    with page.expect_response("**/ui/reports/*/candles*from=*"):
        page.get_by_role("button", name="Bar by bar").press("Enter")
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    assert said.text_content() != whole
    with page.expect_response("**/ui/reports/*/candles*from=*"):
        page.get_by_role("button", name="Earlier").press("Enter")
    wait_until(page, "!document.querySelector('[aria-busy=true]')")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as one file").click()
    assert download.value.suggested_filename == f"report-{site.here.run}.html"
    kept = site.home / "runs" / site.here.run / "report.html"
    assert download.value.path().read_bytes() == kept.read_bytes()
    page.goto(kept.as_uri())
    assert page.locator(".chart canvas").count() > 1
    check_axe(page)
    source = f"/ui/reports/{site.here.run}/candles"
    for query in ("symbol=NO/PE", "symbol=BTC/USD&points=9", "symbol=BTC/USD&from=1e99", ""):
        assert page.request.get(f"{source}?{query}").status in (400, 422)


def test_tables_of_folds_and_regimes_are_whole_on_a_desk_and_show_on_a_phone_where_they_go_on(
    site: Site, open_page: Open
) -> None:
    cut = "(all) => all.map((one) => one.scrollWidth - one.clientWidth)"
    for width in (1280, 3840):
        page = open_page(site, f"/reports/{site.here.run}", width=width)
        cuts = page.locator("#scores .scroll").evaluate_all(cut)
        assert cuts
        assert set(cuts) == {0}, width
    page = open_page(site, f"/reports/{site.here.run}", width=360)
    boxes = page.locator("#scores .pair .scroll").all()
    assert boxes
    for box in boxes:
        assert box.evaluate("(one) => one.scrollWidth > one.clientWidth && one.tabIndex === 0")
        assert "gradient" in box.evaluate("(one) => getComputedStyle(one).backgroundImage")


def test_equity_has_a_log_scale_and_says_what_became_of_each_line(site: Site, open_page: Open) -> None:
    page = open_page(site, f"/reports/{site.here.run}")
    chart = page.locator("#report-equity")
    row = chart.locator(".u-legend .u-series").nth(1)
    final = page.evaluate(
        "JSON.parse(document.getElementById('equity-data').textContent).curves[0].equity.at(-1)"
    )
    part = round(100 * (final - 1), 1)
    shown = f"{final:.2f} ({'−' if part < 0 else '+' if part > 0 else ''}{abs(part):.1f} %)"
    expect(row).to_contain_text(shown)
    before = chart.screenshot()
    log = page.get_by_role("button", name="Log scale", pressed=False)
    log.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log scale", pressed=True)).to_be_focused()
    expect(row).to_contain_text(shown)
    assert chart.locator(".uplot").count() == 1
    assert chart.screenshot() != before
    page.goto((site.home / "runs" / site.here.run / "report.html").as_uri())
    expect(page.locator("#equity-keys")).to_contain_text(f"{final:.2f} (")
    page.get_by_role("button", name="Log scale", pressed=False).press("Enter")
    expect(page.get_by_role("button", name="Log scale", pressed=True)).to_be_focused()


def test_what_is_gone_says_so(own_site: Site, open_page: Open) -> None:
    """The version and the file were deleted; the run stays."""
    run = own_site.here.run
    shutil.rmtree(own_site.home / "runs" / run)
    shutil.rmtree(own_site.home / "models" / own_site.here.model)
    page = open_page(own_site, f"/reports/{run}", language="ja", allow=("404",))
    expect(page.get_by_role("heading", level=2).first).to_contain_text("もうありません")
    expect(page.locator("#known")).to_be_visible()
    check_axe(page)
    assert page.request.get(f"/reports/{run}/file").status == 404
    page.goto("/reports/never-was")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    other = own_site.home / "runs" / own_site.here.other_run
    (other / "report.html").write_text("<html>a report of another version</html>")
    page.goto(f"/reports/{own_site.here.other_run}")
    expect(page.locator("#missing-title")).to_contain_text("Onward")
