"""``onward serve``: the pages, the HTTP API, and what runs jobs, in one process."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from onward.cli.interrupt import unhurried
from onward.cli.session import Session, command, verb

app = command()


@verb(app)
def serve(
    session: Session,
    *,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on, else server.host.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 takes any; else server.port."),
    ] = None,
    jobs: Annotated[bool | None, typer.Option("--jobs/--no-jobs", help="Run jobs here as well.")] = None,
) -> None:
    """Serve the pages and the HTTP API until told to end, and run jobs.

    Listens on this machine alone until there is an API key (`onward keys create`). SIGTERM or
    Ctrl-C: nothing more is taken, running jobs get jobs.shutdown_seconds to finish, and those that
    have not are queued again without spending an attempt. A second Ctrl-C gives them back at once.
    """
    from onward.dashboard import create_site
    from onward.server.hosts import is_loopback
    from onward.server.running import serve as run

    given = {"host": host, "port": port, "run_jobs": None if jobs is None else str(jobs).lower()}
    session = session.also(*(f"server.{name}={value}" for name, value in given.items() if value is not None))
    application = session.application()
    config = application.settings.server

    def ready(address: str) -> None:
        if session.as_json:
            session.show({"address": address}, lambda: None)
            sys.stdout.flush()  # whoever started the server waits for it
        else:
            if not (is_loopback(config.host) or config.certificate or config.trusted_proxies):
                typer.echo("Without server.certificate keys and data travel unencrypted.", err=True)
            typer.echo(f"Serving {address} (pages), {address}/api/v1 (HTTP API)", err=True)

    with unhurried():  # the server hears its own signals, and gives running jobs time
        started = run(application, config, on_ready=ready, make_app=create_site)
    if not started:
        raise typer.Exit(1)
