"""Running the application in this process: one socket, one event loop, a graceful end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from onward.config.server import ServerConfig
from onward.database.moments import utc_now
from onward.errors import ConfigError, StorageError
from onward.server.app import create_app
from onward.server.chores import do_chores
from onward.server.hosts import is_loopback
from onward.server.lifetime import begin, finish
from onward.server.services import ServerServices
from onward.server.state import ServerState
from onward.server.tls import tls_files
from onward.server.wire import BoundedHttp

__all__ = ["bound_socket", "check_host", "has_working_key", "serve"]

GRACEFUL_SECONDS = 10
ECHO_SECONDS = 1.0
"""Within which a second signal says what the first one said: `timeout` tells a process and its group."""
BACKLOG = 2048
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
"""Seconds of silence, seconds between questions, and how many of them a host may leave unanswered;
milliseconds after which what was sent and never received ends a connection."""


class _Server(uvicorn.Server):
    """A server whose streams end when it is told to end: a follower would keep it for ever."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        on_ready: Callable[[], None],
        chores: Iterable[Callable[[], object]] = (),
    ) -> None:
        super().__init__(config)
        self._state = state
        self._chores = chores
        self._on_ready = on_ready
        self._told_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Here and not by the application, of which uvicorn would print a traceback.
        await anyio.to_thread.run_sync(begin, self._state)
        await super().startup(sockets)
        if self.started:
            self._on_ready()
            do_chores(self._chores, self._state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.hub.close()
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn would leave the application without a word: jobs are given back still
            await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Not uvicorn's own, which raises the signal again at the end: to end when told is success.
        now = time.monotonic()
        if not self.should_exit:
            self._state.readiness.awaits("end", "the server is ending")
            self.should_exit, self._told_at = True, now
        elif now - self._told_at >= ECHO_SECONDS:
            self.force_exit = True
            manager = self._state.provider.built("job_manager")
            if manager is not None:
                manager.hurry()


def serve(
    services: ServerServices,
    config: ServerConfig,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
    make_app: Callable[[Any, ServerConfig], FastAPI] = create_app,
) -> bool:
    """Serve until told to end (SIGTERM, Ctrl-C).

    Parameters
    ----------
    services
        What is served; closed at the end.
    config
        Where to listen, and how much to take.
    on_ready
        Told the address once requests are taken.
    make_app
        Makes the application of services and configuration: that of the HTTP API, or one with
        pages in front of it. What its state calls ``chores`` is done while nobody waits for an answer.

    Returns
    -------
    bool
        Whether the server had started.

    Raises
    ------
    ConfigError
        When the host is not of this machine alone and there is no key, or the certificate cannot
        be used.
    StorageError
        When the address cannot be listened on, or the database is away or of another version.
    OSError
        When the home cannot be written to.
    """
    if not is_loopback(config.host):
        check_host(config.host, has_key=has_working_key(services))
    tls = tls_files(config)
    listening = bound_socket(config.host, config.port)
    host, port = listening.getsockname()[:2]
    scheme = "https" if tls else "http"
    address = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    app = make_app(services, config)
    state: ServerState = app.state.onward
    state.shelf.keep_small()  # here alone: this process does nothing but serve
    settings = uvicorn.Config(
        app,
        http=BoundedHttp,
        loop="auto",  # uvloop, except on Windows
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application reads them, from proxies that it trusts
        ssl_certfile=tls and tls.certificate,
        ssl_keyfile=tls and tls.private_key,
        lifespan="on",
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=30,
        backlog=BACKLOG,
    )
    server = _Server(settings, state, lambda: on_ready(address), getattr(app.state, "chores", ()))
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
        if not server.started:
            finish(state)
    return bool(server.started)


def check_host(host: str, *, has_key: bool = False) -> None:
    """Refuse to listen where others could come from, as long as they would need no key.

    Parameters
    ----------
    host
        ``server.host``.
    has_key
        Whether there is a key that works.

    Raises
    ------
    ConfigError
        Unless there is a key, or the host is a loopback address or ``localhost``.
    """
    if has_key or is_loopback(host):
        return
    raise ConfigError(
        "without an API key the server listens on this machine alone",
        got=f"server.host = {host}",
        allowed="127.0.0.1, ::1, localhost; any address once there is a key",
        remedy="Make a key (`onward keys create NAME --scope admin`), or leave server.host as it is and "
        "reach the server through a tunnel (ssh -L 8321:127.0.0.1:8321 HOST).",
    )


def has_working_key(services: ServerServices) -> bool:
    """Return whether there is a key that opens anything now."""
    now = utc_now()
    return any(key.works(now) for key in services.access.list_keys())


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises
    ------
    StorageError
        When the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, or asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it: a host that is gone never closes one.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            if hasattr(socket, option):
                listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise StorageError(
            "the server cannot listen there",
            got=f"{host}:{port} ({error.strerror or error})",
            allowed="a port that nobody uses; 0 takes any",
            remedy="Name another one with --port, or end the server that is there.",
        ) from error
    return listening
