"""Clients that fall silent: half a request and nothing more, or answers that nobody takes.

A client that closes its connection is noticed at once. One that vanished without a word (a laptop
asleep, a network that is gone), or that keeps a connection open out of spite, would hold a descriptor
and what was to be sent to it for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["SILENCE_SECONDS", "STUCK_SECONDS", "Attentive"]

SILENCE_SECONDS = 75.0
"""How long a client may say nothing in the middle of a request; an upload is told so after a minute."""
STUCK_SECONDS = 120.0
"""How long a client may take nothing of what is sent to it."""


class Attentive:
    """Mixed in before a protocol of uvicorn: closes a connection that has waited too long for its client.

    While the server is at work on an answer, or has no room for more of a body, nobody is silent.
    """

    silence_seconds = SILENCE_SECONDS
    stuck_seconds = STUCK_SECONDS

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: Any
    cycle: Any

    _heard = 0.0
    _stuck_since: float | None = None
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch."""
        super().connection_made(transport)  # type: ignore[misc]
        self._heard = self.loop.time()
        self._look_later()

    def data_received(self, data: bytes) -> None:
        """Note that the client is there."""
        self._heard = self.loop.time()
        super().data_received(data)  # type: ignore[misc]

    def pause_writing(self) -> None:
        """Note that the client takes nothing at the moment."""
        self._stuck_since = self.loop.time()
        super().pause_writing()  # type: ignore[misc]

    def resume_writing(self) -> None:
        """Note that it goes on."""
        self._stuck_since = None
        super().resume_writing()  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None) -> None:
        """End watching."""
        self.look_away()
        super().connection_lost(exc)  # type: ignore[misc]

    def look_away(self) -> None:
        """Watch no longer: the connection is closed, or somebody else's."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look_later(self) -> None:
        pause = min(self.silence_seconds, self.stuck_seconds) / 5
        self._watch = self.loop.call_later(pause, self._look)

    def _look(self) -> None:
        now = self.loop.time()
        if not self._is_awaited():
            self._heard = now
        stuck = self._stuck_since is not None and now - self._stuck_since >= self.stuck_seconds
        if stuck or now - self._heard >= self.silence_seconds:
            self.transport.abort()  # what waits to be sent would keep a mere close waiting
            return
        self._look_later()

    def _is_awaited(self) -> bool:
        """Return whether the client owes a request, or the rest of one."""
        if self.flow.read_paused:
            return False
        return self.cycle is None or bool(self.cycle.more_body or self.cycle.response_complete)
