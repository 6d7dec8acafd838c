"""The pages, one a file: each has a ``PAGE`` and a ``router``."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec

from onward.dashboard.navigation import Entry, Page

__all__ = ["ORDER", "entries", "pages"]

ORDER = (
    "overview",
    "data",
    "runs_new",
    "job",
    "report",
    "compare",
    "models",
    "predict",
    "settings",
    "login",
)
"""Modules in the order of the navigation."""


@cache
def entries() -> tuple[Entry, ...]:
    """Return the pages with their routes, in the order of the navigation."""
    found = []
    for name in ORDER:
        address = f"{__name__}.{name}"
        if find_spec(address) is not None:
            module = importlib.import_module(address)
            found.append(Entry(module.PAGE, module.router))
    return tuple(found)


def pages() -> tuple[Page, ...]:
    """Return the pages that stand in the navigation."""
    return tuple(entry.page for entry in entries() if entry.page.path is not None)
