"""JSON lines over a socket, as nursery, warden, worker and supervisor speak them."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from onward.jobs.messages import MAX_LINE_BYTES, decode, encode

__all__ = ["LineSocket", "readable"]


def readable(ends: Iterable[LineSocket | socket.socket | int], timeout: float | None) -> bool:
    """Wait until one of these can be read, at most ``timeout`` seconds (None: for ever).

    By poll: select refuses descriptors above 1,023, which a server with many attempts has.
    """
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    return bool(poll.poll(None if timeout is None else max(0.0, timeout) * 1000))


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
        self._waiting = bytearray()
        self._sending = threading.Lock()
        self.ended = False

    def fileno(self) -> int:
        """Return the descriptor, for polling."""
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any]) -> bool:
        """Send a message; False when nobody is there any more.

        Raises
        ------
        JobError
            When it is too long.
        """
        line = encode(message)
        try:
            self._socket.sendall(line)
        except OSError:
            return False
        return True

    def post(self, message: Mapping[str, Any] | None = None, *, supersedes: bool = False) -> None:
        """Send as much as the other side takes, and keep the rest for the next call.

        A supervisor must never wait for a process that may be suspended. A side that posts does
        not `send`.

        Parameters
        ----------
        message
            None: only what is kept.
        supersedes
            The message is left out while others are kept: there will be a newer one.
        """
        with self._sending:
            if message is not None and not (supersedes and self._waiting):
                self._waiting += encode(message)
            try:
                while self._waiting:
                    del self._waiting[: self._socket.send(self._waiting, socket.MSG_DONTWAIT)]
            except BlockingIOError:
                pass
            except OSError:
                self._waiting.clear()  # nobody is there any more

    def receive(self, timeout: float | None = 0.0) -> list[dict[str, Any]]:
        """Return the messages that came within ``timeout`` seconds (None: wait for one).

        Raises
        ------
        ValueError
            When what came is no message.
        """
        if self.ended:
            return []
        if timeout is not None and not readable([self._socket], timeout):
            return []
        try:
            data = self._socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if any(len(line) > MAX_LINE_BYTES for line in (*lines, self._buffer)):
            raise ValueError(f"a line of more than {MAX_LINE_BYTES:,} bytes")
        return [decode(line) for line in lines if line]

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
        self.ended = True
