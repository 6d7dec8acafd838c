"""Served homes and a watched browser, for the tests of all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.integration.dashboard.browsing import chromium, launched, settled, watched_page
from tests.integration.dashboard.homes import Things, copy_home, shared_home, write_settings
from tests.integration.dashboard.serving import Site, served

Open = Callable[..., Page]

expect.set_options(timeout=30_000)  # a busy machine is no fault of the page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once a process."""
    chromium()
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Things]:
    """The home that all copies are made of, built once for all processes of the session."""
    chromium()  # without a browser nobody needs it
    place = tmp_path_factory.getbasetemp()
    return shared_home(place.parent if place.name.startswith("popen-gw") else place)


@pytest.fixture(scope="session")
def site(prepared: tuple[Path, Things], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with data, models and jobs, which runs jobs; whoever changes things tidies up."""
    home, things = prepared
    with served(copy_home(home, tmp_path_factory.mktemp("site") / "home"), things, jobs=True) as site:
        yield site


@pytest.fixture
def own_site(prepared: tuple[Path, Things], tmp_path: Path) -> Iterator[Site]:
    """A server of the test's own, without jobs that run: it may be changed and killed."""
    home, things = prepared
    with served(copy_home(home, tmp_path / "home"), things) as site:
        yield site


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with nothing in it, which runs no jobs."""
    chromium()
    home = tmp_path_factory.mktemp("empty") / "home"
    write_settings(home)
    with served(home) as site:
        yield site


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open pages: ``open_page(site, "/models", language="ja", theme="dark", width=360)``.

    When the test ends, none of them may have had an error, a violation of the content security
    policy or a layout shift. ``page.watched.allow("404")`` expects a message.
    """
    with ExitStack() as stack:

        def opened(site: Site, path: str, *, allow: tuple[str, ...] = (), **reader: Any) -> Page:
            page = stack.enter_context(watched_page(browser, site.address, **reader))
            page.watched.allow(*allow)  # type: ignore[attr-defined]
            page.goto(path)
            settled(page)
            return page

        yield opened


@pytest.fixture
def own_empty(tmp_path: Path) -> Iterator[Site]:
    """A server of the test's own with nothing in it, which runs no jobs."""
    write_settings(tmp_path / "home")
    with served(tmp_path / "home") as site:
        yield site
