"""Chromium, and pages that are watched: what goes wrong on one fails the test that opened it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

__all__ = [
    "Watched",
    "check_axe",
    "chromium",
    "each_reader",
    "launched",
    "settled",
    "wait_until",
    "watched_page",
]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SERIOUS = ("serious", "critical")
SKELETON = """() => ({
  mains: document.querySelectorAll("main").length,
  headings: document.querySelectorAll("h1").length,
  unnamed: [...document.querySelectorAll("nav")].filter(
    (one) => !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby")).length,
})"""
SHIFT_ALLOWED = 0.0
"""Nothing moves by itself; 0.1 is what Web Vitals call good."""
PAINTED = """document.fonts.ready.then(() =>
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))"""
WATCH = """
window.__seen = { violations: [], shifts: [] };
addEventListener("securitypolicyviolation", (e) =>
  window.__seen.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
new PerformanceObserver((list) => { for (const e of list.getEntries())
  if (!e.hadRecentInput)
    window.__seen.shifts.push([e.value, e.sources.map((s) => s.node?.outerHTML?.slice(0, 120))]);
}).observe({ type: "layout-shift", buffered: true });
"""

BLANKS = """document.documentElement.lang === "ja"
  ? (document.body?.innerText ?? "").match(/.{0,20}[。、] \\S.{0,20}/g) ?? [] : []"""
"""Places of a Japanese page where a blank stands between two sentences."""

each_reader = pytest.mark.parametrize(
    "reader",
    [
        {"language": "en", "theme": "light", "width": 1280},
        {"language": "ja", "theme": "dark", "width": 360},
    ],
    ids=lambda reader: "-".join(map(str, reader.values())),
)
"""Opens a page as two readers see it: both languages, both themes, a desk and a phone."""


def chromium() -> str:
    """Return the browser of this machine; without one skip, or fail where tests must not be skipped."""
    named = os.environ.get("ONWARD_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "NO CHROMIUM: the pages were not tested. Install one (make browser), or set ONWARD_CHROMIUM."
        if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """Run the browser."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


class Watched:
    """What went wrong on a page.

    Parameters
    ----------
    page
        To be watched, before it goes anywhere.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.allowed: list[str] = []
        self._said: list[str] = []
        page.add_init_script(WATCH)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._said.append(f"error: {error}"))

    def allow(self, *parts: str) -> None:
        """Expect messages that contain these."""
        self.allowed += parts

    def check(self) -> None:
        """Fail when something went wrong."""
        seen: dict[str, Any] = self.page.evaluate("window.__seen ?? { violations: [], shifts: [] }")
        wrong = [text for text in self._said if not any(part in text for part in self.allowed)]
        wrong += [f"policy: {text}" for text in seen["violations"]]
        wrong += [
            f"layout shift {value:.4f}: {nodes}" for value, nodes in seen["shifts"] if value > SHIFT_ALLOWED
        ]
        wrong += [f"a blank between sentences: {text}" for text in self.page.evaluate(BLANKS)]
        assert not wrong, f"{self.page.url}\n" + "\n".join(wrong)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = message.location
            place = f"{where.get('url')}:{where.get('lineNumber')}"
            self._said.append(f"{message.type}: {message.text} ({place}, on {self.page.url})")


@contextmanager
def watched_page(
    browser: Browser,
    address: str,
    *,
    language: str = "en",
    theme: str = "light",
    width: int = 1280,
    height: int = 860,
    **options: Any,
) -> Iterator[Page]:
    """Open a page of a reader; at the end it must have been without fault.

    ``page.watched`` (a `Watched`) takes what is to be expected.
    """
    context = browser.new_context(
        base_url=address,
        locale={"en": "en-GB", "ja": "ja-JP"}[language],
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(60_000)  # a busy machine is no fault of the page
    page = context.new_page()
    watched = Watched(page)
    page.watched = watched  # type: ignore[attr-defined]
    try:
        yield page
        watched.check()
    finally:
        context.close()


def settled(page: Page) -> None:
    """Wait until nothing is loading any more: fonts, scripts, charts."""
    page.wait_for_load_state("load")
    wait_until(page, "!document.querySelector('[aria-busy=true], .htmx-request')")
    page.evaluate(PAINTED)


def wait_until(page: Page, expression: str, *, seconds: float = 60.0) -> None:
    """Wait until an expression holds; ``page.wait_for_function`` needs ``eval``, which pages forbid."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({expression})"):
        assert time.monotonic() < deadline, f"{page.url}: {expression} did not come about"
        page.wait_for_timeout(30)


def check_axe(page: Page) -> None:
    """Fail on what keeps people who cannot see or use a mouse from using the page, or from finding their way.

    Landmarks, headings and roles are what axe calls best practice, and rates as moderate or minor.
    """
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    found = [
        _told(one)
        for one in result["violations"]
        if one["impact"] in SERIOUS or "best-practice" in one["tags"]
    ]
    assert not found, f"{page.url}\n" + "\n".join(found)
    assert page.evaluate(SKELETON) == {"mains": 1, "headings": 1, "unnamed": 0}, page.url


def _told(violation: dict[str, Any]) -> str:
    nodes = "\n    ".join(node["html"][:160] for node in violation["nodes"][:5])
    return f"{violation['impact']}: {violation['id']}: {violation['help']}\n    {nodes}"
