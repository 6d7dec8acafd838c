"""`create_site`: the HTTP API with the pages in front of it."""

from __future__ import annotations

from fastapi import FastAPI

from onward.config.server import ServerConfig
from onward.dashboard import assets, preferences, series
from onward.dashboard.digests import Digests
from onward.dashboard.pages import entries
from onward.dashboard.problems import answer_in_words
from onward.dashboard.refusals import RefusalsInWords
from onward.dashboard.reports import ReportBook
from onward.dashboard.services import SiteServices
from onward.dashboard.warming import chores
from onward.server.app import create_app

__all__ = ["create_site"]


def create_site(services: SiteServices, config: ServerConfig | None = None) -> FastAPI:
    """Return the HTTP API of some services together with the pages.

    Pages ask for the same services as the API, by the same dependencies, and never send a request
    to the server that they are part of.

    Parameters
    ----------
    services
        `onward.wiring.Application`, or anything else of that shape.
    config
        How much is taken; default is that of the services' settings.
    """
    app = create_app(services, config, uploads=[path for one in entries() for path in one.page.uploads])
    app.state.login_page = "/login"
    app.state.chores = chores(app)
    app.state.digests = Digests()
    app.state.reports = ReportBook(services)
    for entry in entries():
        app.include_router(entry.router, include_in_schema=False)
    for module in (assets, preferences, series):
        app.include_router(module.router, include_in_schema=False)
    answer_in_words(app)
    app.add_middleware(RefusalsInWords)
    return app
