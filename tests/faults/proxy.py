"""A network between servers and PostgreSQL that can be cut: nothing comes through, nothing is closed."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

__all__ = ["Proxy"]

PIECE = 65_536
LOOK_SECONDS = 0.05


class Proxy:
    """Passes on what goes between a port of this machine and a server's Unix socket; a context manager.

    Parameters
    ----------
    url
        Of the database, on a Unix socket.

    Attributes
    ----------
    url
        Of the same database through this proxy.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parse_qs(parts.query)["host"][0] + "/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        port = self._listener.getsockname()[1]
        user = parts.netloc.partition("@")[0]
        self.url = f"{parts.scheme}://{user}@127.0.0.1:{port}{parts.path}"
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._open = threading.Event()
        self._open.set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._pass_on, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._open.set()
        self._thread.join()
        for end in (self._listener, *self._pairs):
            end.close()

    def cut(self) -> None:
        """Let nothing through; who connects is not answered."""
        self._open.clear()

    def mend(self) -> None:
        """Go on where it was."""
        self._open.set()

    def _pass_on(self) -> None:
        while not self._closing.is_set():
            self._open.wait()
            ready, _, _ = select.select([self._listener, *self._pairs], [], [], LOOK_SECONDS)
            if not self._open.is_set():
                continue
            for end in ready:
                if end is self._listener:
                    self._connect()
                elif end in self._pairs:
                    self._carry(end)

    def _connect(self) -> None:
        near, _ = self._listener.accept()
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self._target)
        except OSError:
            near.close()
            far.close()
            return
        self._pairs[near], self._pairs[far] = far, near

    def _carry(self, end: socket.socket) -> None:
        other = self._pairs[end]
        piece = b""
        with contextlib.suppress(OSError):
            piece = end.recv(PIECE)
            other.sendall(piece)
        if not piece:
            for side in (end, other):
                self._pairs.pop(side, None)
                side.close()
