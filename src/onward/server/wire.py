"""HTTP/1.1 on a connection: httptools parses it, and nobody can send a head without an end."""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from onward.server.silence import Attentive

__all__ = ["MOST_HEAD_BYTES", "BoundedHttp"]

MOST_HEAD_BYTES = 64 * 1024


class BoundedHttp(Attentive, HttpToolsProtocol):
    """Uvicorn's protocol on httptools, without three of its traps.

    The parser takes headers, trailers and extensions of chunks of any length and keeps what has not
    ended yet; headers are read before anybody knows who sends them. Here a request is refused (400,
    and the connection closed) once it has sent 64 KiB in a row that brought neither a byte of a body
    nor the end of the head or of the message.

    It also loses the body of a request that offers another protocol (``Upgrade: h2c``, which Java's
    client sends with its first request). Such a connection goes on with the slower parser h11.
    And it waits for ever for a client that fell silent; see `onward.server.silence`.
    """

    _idle_bytes = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless there is too much head in it."""
        self._heard = self.loop.time()
        self._unset_keepalive_if_required()
        self._idle_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._go_on_with_h11(data[offered.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        else:
            if self._idle_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers, which come when the request is being answered, are dropped."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        self._idle_bytes, self._in_head = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Say that the request is whole."""
        self._idle_bytes = 0
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        """Keep requests that offer another protocol from being answered here."""
        return True

    def _go_on_with_h11(self, rest: bytes) -> None:
        if not getattr(self.cycle, "response_complete", True):  # there is no cycle before the first request
            self.transport.close()  # two that answer on one connection would mix their answers
            return
        self.connections.discard(self)
        self.look_away()
        head = [self.scope["method"].encode(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        other = _QuietH11(config=self.config, server_state=self.server_state, app_state=self.app_state)
        other.silence_seconds, other.stuck_seconds = self.silence_seconds, self.stuck_seconds
        other.connection_made(self.transport)
        self.transport.set_protocol(other)
        other.data_received(b"".join([*head, b"\r\n", rest]))


class _QuietH11(Attentive, H11Protocol):
    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever offers another protocol gets an answer in this one."""
