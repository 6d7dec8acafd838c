"""Files that came through a page: read by the guarded reader, stored by the job that the API uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.errors import JobError
from onward.server.uploads.reading import read_guarded

if TYPE_CHECKING:
    from onward.config.server import ServerConfig
    from onward.dashboard.views.data_import import PreviewView
    from onward.jobs.values import Job
    from onward.server.uploads.desk import UploadDesk

__all__ = ["inspected", "submitted"]


def inspected(
    path: Path, config: ServerConfig, symbol: str | None, timeframe: str | None, format_: str | None
) -> dict[str, Any]:
    """Return what a file holds, and what stands in the way of storing it.

    Raises
    ------
    OnwardError
        When it cannot be read at all.
    """
    return read_guarded(
        path,
        {"symbol": symbol, "timeframe": timeframe, "format": format_, "detail": "yes"},
        seconds=config.upload_seconds,
        memory_bytes=config.upload_memory_mb * 10**6,
    )


def submitted(uploads: UploadDesk, manager: Any, upload: str, view: PreviewView) -> Job:
    """Submit the job that stores a file, under what was recognised and given.

    Raises
    ------
    JobError
        When the file was swept away meanwhile.
    """

    def kept() -> Path:
        placed = uploads.staging.find(upload)
        if placed is None:
            raise JobError("the file is not kept any more", remedy="Send it again.")
        return placed

    spec = {
        "symbol": view.symbol if view.takes_symbol and view.symbol else None,
        "timeframe": view.given_timeframe if view.kind == "candles" and view.given_timeframe else None,
        "format": view.format,
    }
    job: Job = uploads.submit(manager, kept(), kept, spec).job
    uploads.sweeper.wake()
    return job
