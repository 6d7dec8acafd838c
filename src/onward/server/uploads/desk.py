"""What one application keeps for uploads: the directory of sent files and who sweeps it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import Depends, FastAPI, Request

from onward.server.services import Provider
from onward.server.state import ServerState
from onward.server.uploads.staging import DIRECTORY, Staging, called
from onward.server.uploads.sweeping import UploadSweeper

if TYPE_CHECKING:
    from onward.jobs.manager import BackgroundTaskManager
    from onward.jobs.values import Submission
    from onward.storage import Artifacts, SharedUploads

__all__ = ["UploadDesk", "Uploads", "sweeping", "upload_desk"]

_making = threading.Lock()


@dataclass(frozen=True)
class UploadDesk:
    """The directory of sent files, who sweeps it, and how a job is told of a file.

    Attributes
    ----------
    staging, sweeper
        Files on this host.
    shared
        Gives the store from which any host can read them; None when only this one runs their jobs.
    """

    staging: Staging
    sweeper: UploadSweeper
    shared: Callable[[], SharedUploads | None] = field(default=lambda: None)

    def submit(
        self,
        manager: BackgroundTaskManager,
        file: Path,
        place: Callable[[], Path],
        spec: Mapping[str, Any],
        key: str | None = None,
    ) -> Submission:
        """Submit the job that stores a file; for threads.

        Parameters
        ----------
        manager
            Takes the job.
        file
            Whole, and looked at.
        place
            Puts it where it stays for its job, and says where: called where no store is shared, while
            the sweeper waits.
        spec
            What the job is told besides.
        key
            Of the request, when it may be sent again.
        """
        shared, name = self.shared(), called(file)
        spec = spec if name == file.name else {**spec, "names": [name]}
        if shared is not None:
            told = {**spec, "uploads": [{"name": file.name, "sha256": shared.put(file)}]}
            return manager.submit("import", told, idempotency_key=key)
        with self.staging.lock:
            file = place()
            submission = manager.submit("import", {**spec, "files": [str(file)]}, idempotency_key=key)
            self.staging.belongs(file, submission.job.id)
        return submission


def desk_of(app: FastAPI) -> UploadDesk:
    """Return the upload desk of an application, made when it is first asked for."""
    with _making:
        found: UploadDesk | None = getattr(app.state, "uploads", None)
        if found is None:
            state: ServerState = app.state.onward
            staging = Staging(state.provider.services.home.root / DIRECTORY)
            sweeper = UploadSweeper(staging, partial(state.provider.build, "job_store"))
            found = UploadDesk(staging, sweeper, partial(_shared, state.provider))
            app.state.uploads = found
    return found


def _shared(provider: Provider) -> SharedUploads | None:
    # Services of one home need not know of stores.
    artifacts: Artifacts | None = getattr(provider.services, "artifacts", None)
    return None if artifacts is None else artifacts.uploads


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
