"""What the first view of a page takes time for, in small pieces that the server does beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from onward.dashboard.i18n import LANGUAGES, texts_of
from onward.dashboard.rendering import environment
from onward.server.state import ServerState

__all__ = ["chores"]

FIRST = ("macros/icons.html", "base.html", "macros/ui.html", "fragments/overview.html", "pages/overview.html")
"""Templates that every page needs, or the page that most people open first."""


def chores(app: FastAPI) -> Iterator[Callable[[], object]]:
    """Give what pages need that costs time but no memory to speak of: no library of data is imported."""
    for route in app.routes:  # what each depends on is found out when the first request is led to it
        yield partial(list, iter_route_contexts([route]))
    for language in LANGUAGES:
        yield partial(texts_of, language)
    for name in FIRST:
        yield partial(environment().get_template, name)
    state: ServerState = app.state.onward
    provider = state.provider
    # statements are compiled when they are run for the first time
    yield lambda: provider.build("access").list_keys()
    yield lambda: provider.build("registry").list_models()
    yield lambda: provider.build("job_store").counts()
    yield lambda: provider.build("job_store").find(limit=1)
    yield lambda: provider.services.runs.list(limit=1)
    for name in environment().list_templates():
        yield partial(environment().get_template, name)
