"""What happens when a server starts and ends."""

from __future__ import annotations

from onward.errors import OnwardError
from onward.jobs.logs import job_logger
from onward.server.serving.warming import warm_in_background
from onward.server.state import ServerState

__all__ = ["begin", "finish"]


def begin(state: ServerState) -> None:
    """Open the database, begin to run jobs if this server does, and to load models; once until `finish`.

    Raises
    ------
    OnwardError, OSError
        When the database cannot be opened, or the home not be written to: better not to start than
        to look alive.
    """
    if state.begun.is_set():
        return
    state.provider.build("job_store")
    if state.config.run_jobs:
        state.provider.build("job_manager").start()
    warm_in_background(
        state.config.preload,
        provider=state.provider,
        shelf=state.shelf,
        markets=state.markets,
        readiness=state.readiness,
    )
    state.begun.set()


def finish(state: ServerState) -> None:
    """Give running jobs back, and let go of the database."""
    state.begun.clear()
    try:
        state.provider.services.close()
    except OnwardError as error:
        job_logger().warning("server_closed_with_error", error=str(error))
