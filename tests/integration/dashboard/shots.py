"""``make screenshots``: every page of the navigation in light, dark, on a phone and in Japanese.

Bars are those of the bundled sample, moved in time so that the newest has just closed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from onward.dashboard.pages import entries
from tests.integration.dashboard.browsing import launched, settled, watched_page
from tests.integration.dashboard.homes import build_home, write_settings
from tests.integration.dashboard.serving import Site, served

READERS = {
    "light": {"theme": "light", "width": 1280, "height": 860},
    "dark": {"theme": "dark", "width": 1280, "height": 860},
    "phone": {"theme": "light", "width": 390, "height": 844},
    "ja": {"theme": "light", "language": "ja", "width": 1280, "height": 860},
}
TALLEST = 2400


def main(target: Path, wanted: list[str]) -> None:
    """Write pictures of the pages that are wanted, of all when none is named."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        full, empty = Path(place) / "full", Path(place) / "empty"
        things = build_home(full)
        write_settings(empty)
        with launched(playwright) as browser, served(full, things) as site, served(empty) as bare:
            for entry in entries():
                if not wanted or entry.page.name in wanted:
                    for name, path in entry.page.shots:
                        _shoot(browser, site, name, path.format(**asdict(things)), target)
            if not wanted or "overview" in wanted:
                _shoot(browser, bare, "overview-empty", "/", target)


def _shoot(browser: Browser, site: Site, name: str, path: str, target: Path) -> None:
    for reader, options in READERS.items():
        with watched_page(browser, site.address, **options) as page:  # type: ignore[arg-type]
            page.goto(path)
            settled(page)
            tall = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
            page.set_viewport_size({"width": int(str(options["width"])), "height": max(600, tall)})
            settled(page)
            file = target / f"{name}-{reader}.png"
            page.screenshot(path=file)
            print(f"{file} {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
