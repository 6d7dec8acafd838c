"""What one application keeps for uploads: the directory of sent files and who sweeps it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, FastAPI, Request

from onward.server.state import ServerState
from onward.server.uploads.staging import Staging
from onward.server.uploads.sweeping import UploadSweeper

__all__ = ["UploadDesk", "Uploads", "sweeping", "upload_desk"]

DIRECTORY = "uploads"
_making = threading.Lock()


@dataclass(frozen=True)
class UploadDesk:
    """The directory of sent files, and who sweeps it."""

    staging: Staging
    sweeper: UploadSweeper


def desk_of(app: FastAPI) -> UploadDesk:
    """Return the upload desk of an application, made when it is first asked for."""
    with _making:
        found: UploadDesk | None = getattr(app.state, "uploads", None)
        if found is None:
            state: ServerState = app.state.onward
            staging = Staging(state.provider.services.home.root / DIRECTORY)
            found = UploadDesk(staging, UploadSweeper(staging, partial(state.provider.build, "job_store")))
            app.state.uploads = found
    return found


async def upload_desk(request: Request) -> UploadDesk:
    """Return the directory of sent files, and who sweeps it."""
    return desk_of(request.app)


@asynccontextmanager
async def sweeping(app: FastAPI) -> AsyncIterator[None]:
    """Remove what is left of uploads, from the start of a server to its end."""
    desk = desk_of(app)
    desk.sweeper.wake()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(desk.sweeper.close)


Uploads = Annotated[UploadDesk, Depends(upload_desk)]
