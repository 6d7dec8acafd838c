"""``onward worker``: a process that runs jobs and does nothing else."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from onward.cli.session import Session, command, verb
from onward.errors import JobError

if TYPE_CHECKING:
    from onward.cli.jobs.ending import Ending
    from onward.cli.jobs.idleness import Idleness
    from onward.jobs.manager import BackgroundTaskManager
    from onward.jobs.presence import Presence
    from onward.wiring import Application

app = command()

LOOK_SECONDS = 0.1
IDLE_LOOK_SECONDS = 0.5
PATIENT_SECONDS = 1e6
"""For what was claimed in the very moment in which an idle worker ends."""


@verb(app)
def worker(
    session: Session,
    *,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", metavar="N", help="Jobs at the same time, else jobs.concurrency."),
    ] = None,
    global_limit: Annotated[
        int | None,
        typer.Option(
            "--global-limit", metavar="N", help="Jobs of all workers at a time, else jobs.global_limit."
        ),
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", "--once", help="End when nothing is queued or running.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port", metavar="PORT", min=0, max=65535, help="Serve Prometheus text on 127.0.0.1."
        ),
    ] = None,
) -> None:
    """Run jobs until told to end.

    Logs one JSON object a line to standard error. SIGTERM or Ctrl-C: nothing more is taken, running
    jobs get jobs.shutdown_seconds to finish, and those that have not are queued again without
    spending an attempt. A second Ctrl-C gives them back at once.
    """
    from onward.cli.jobs.ending import told_to_end

    limits = {"concurrency": concurrency, "global_limit": global_limit}
    session = session.also(*(f"jobs.{name}={n}" for name, n in limits.items() if n is not None))
    with told_to_end() as ending:
        application = session.application()
        manager = application.job_manager
        try:
            if metrics_port is not None:
                _serve_metrics(manager, metrics_port)
            manager.start()
            idle = _run(application, ending, until_idle=until_idle)
            _close(manager, ending, idle=idle)
        finally:
            application.close()
    if session.as_json:
        session.show({"owner": manager.owner, "ended": "idle" if idle else "told to"}, lambda: None)


def _run(application: Application, ending: Ending, *, until_idle: bool) -> bool:
    """Return when the worker is to end: True when because nothing is left to do."""
    from onward.cli.jobs.idleness import Idleness
    from onward.errors import StorageError

    manager, jobs = application.job_manager, application.settings.jobs
    silence = 3 * jobs.heartbeat_seconds
    idleness = Idleness(application.job_store, manager.owner, silence, jobs.backends, manager.kinds)
    looked = time.monotonic()
    while not ending.asked:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        if until_idle and now - looked >= IDLE_LOOK_SECONDS and not manager.running:
            looked = now
            try:
                if idleness.reached(now) and _left(manager.presence, idleness):
                    return True
            except StorageError:  # the manager logs it; an unread queue is not an empty one
                continue
    return False


def _left(presence: Presence, idleness: Idleness) -> bool:
    """Leave, unless something came while nobody could know that this worker was about to."""
    presence.leave()
    if idleness.reached(time.monotonic()):
        return True
    presence.take()
    return False


def _close(manager: BackgroundTaskManager, ending: Ending, *, idle: bool) -> None:
    """Shut down, listening for somebody who has no patience."""
    patience = PATIENT_SECONDS if idle else None
    closing = threading.Thread(target=manager.close, kwargs={"finish_within": patience}, name="closing")
    closing.start()
    while closing.is_alive():
        closing.join(LOOK_SECONDS)
        if ending.times > (0 if idle else 1):
            manager.hurry()


def _serve_metrics(manager: BackgroundTaskManager, port: int) -> None:
    from prometheus_client import start_http_server

    from onward.jobs.logs import job_logger

    try:
        server, _ = start_http_server(port, addr="127.0.0.1", registry=manager.metrics.registry)
    except OSError as error:
        raise JobError(
            "metrics cannot be served there",
            got=f"127.0.0.1:{port} ({error.strerror or error})",
            allowed="a port that nobody uses; 0 takes any",
            remedy="Name another --metrics-port.",
        ) from error
    address = f"http://127.0.0.1:{server.server_port}/metrics"
    job_logger().info("metrics", address=address, owner=manager.owner)
