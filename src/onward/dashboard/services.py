"""What the pages need beyond the API, and how a request gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

import anyio.to_thread
from fastapi import Depends, Request

from onward.dashboard.reports import ReportBook
from onward.server.dependencies import Book, State
from onward.server.services import ServerServices

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Book", "Reports", "Runs", "SiteServices", "report_book", "run_store"]


class SiteServices(ServerServices, Protocol):
    """The services of one home; `onward.wiring.Application` is one, a test may bring its own."""

    def kept_file(self, stored: str) -> Path:
        """Return where a file lies that a run or job wrote."""


async def run_store(state: State) -> Any:
    """Return the table of runs; it opens the database, hence the thread."""
    services = cast("SiteServices", state.provider.services)
    return await anyio.to_thread.run_sync(lambda: services.runs)


async def report_book(request: Request) -> ReportBook:
    """Return the reports of runs, each read once."""
    return cast("ReportBook", request.app.state.reports)


Runs = Annotated[Any, Depends(run_store)]  # its type brings SQLAlchemy
Reports = Annotated[ReportBook, Depends(report_book)]
