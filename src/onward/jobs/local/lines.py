"""JSON lines over a socket, as nursery, warden, worker and supervisor speak them."""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from typing import Any

from onward.jobs.messages import MAX_LINE_BYTES, decode, encode

__all__ = ["LineSocket"]


class LineSocket:
    """One end of a pair.

    Parameters
    ----------
    end
        Connected stream socket.

    Attributes
    ----------
    ended
        Whether the other side has closed.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._buffer = b""
        self.ended = False

    def fileno(self) -> int:
        """Return the descriptor, for polling."""
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any]) -> bool:
        """Send a message; False when nobody is there any more."""
        try:
            self._socket.sendall(encode(message))
        except OSError:
            return False
        return True

    def receive(self, timeout: float | None = 0.0) -> list[dict[str, Any]]:
        """Return the messages that came within ``timeout`` seconds (None: wait for one).

        Raises
        ------
        ValueError
            When what came is no message.
        """
        if self.ended:
            return []
        if timeout is not None and not select.select([self._socket], [], [], timeout)[0]:
            return []
        try:
            data = self._socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > MAX_LINE_BYTES:
            raise ValueError("a message without end")
        return [decode(line) for line in lines if line]

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
        self.ended = True
