"""Running the application in this process: one socket, one event loop, a graceful end."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from onward.config.server import ServerConfig
from onward.errors import ConfigError, StorageError
from onward.server.app import create_app
from onward.server.services import ServerServices
from onward.server.state import ServerState

__all__ = ["bound_socket", "check_host", "serve"]

GRACEFUL_SECONDS = 10
BACKLOG = 2048


class _Server(uvicorn.Server):
    """A server whose streams end when it is told to end: a follower would keep it for ever."""

    def __init__(self, config: uvicorn.Config, state: ServerState, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._state = state
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.hub.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Not uvicorn's own, which raises the signal again at the end: to end when told is success.
        self._state.readiness.awaits("end", "the server is ending")
        self.force_exit = self.should_exit
        self.should_exit = True


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
        pages in front of it.

    Returns
    -------
    bool
        Whether the server had started.

    Raises
    ------
    ConfigError
        When the host is not of this machine alone, or cannot be listened on.
    """
    check_host(config.host)
    listening = bound_socket(config.host, config.port)
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    app = make_app(services, config)
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=30,
        backlog=BACKLOG,
    )
    server = _Server(settings, app.state.onward, lambda: on_ready(address))
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
    return bool(server.started)


def check_host(host: str) -> None:
    """Refuse to listen where others than the users of this machine could come from.

    Raises
    ------
    ConfigError
        Unless the host is a loopback address or ``localhost``.
    """
    try:
        safe = ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = host == "localhost"
    if not safe:
        raise ConfigError(
            "whoever reaches the server may use it, so it listens on this machine alone",
            got=f"server.host = {host}",
            allowed="127.0.0.1, ::1, localhost",
            remedy="Leave server.host as it is, and reach the server through a tunnel "
            "(ssh -L 8321:127.0.0.1:8321 HOST) or a proxy that checks who asks.",
        )


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
