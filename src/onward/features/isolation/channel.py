"""What parent and child say to each other: lines of JSON through pipes."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Mapping
from typing import Any

__all__ = ["Channel"]


class Channel:
    """Three pipes: the life line, of which the parent only holds an end; requests; replies.

    Attributes
    ----------
    theirs
        The child's ends: life line, requests, replies. Close them here (`hand_over`) once the
        child has them.
    """

    def __init__(self) -> None:
        self.theirs: list[int] = []
        self._life = self._requests = self._replies = -1
        self._buffer = b""
        try:
            life, self._life = os.pipe()
            self.theirs.append(life)
            requests, self._requests = os.pipe()
            self.theirs.append(requests)
            self._replies, replies = os.pipe()
            self.theirs.append(replies)
            os.set_blocking(self._replies, False)
        except OSError:
            self.hand_over()
            self.close()
            raise

    def hand_over(self) -> None:
        """Close the child's ends on this side."""
        while self.theirs:
            os.close(self.theirs.pop())

    def close(self) -> None:
        """Close our ends, which breaks the life line; twice does no harm."""
        for descriptor in (self._life, self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._life = self._requests = self._replies = -1

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        line = json.dumps(message).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._requests, line) :]
        except BrokenPipeError:
            pass  # it has ended; reading its messages finds out why

    def received(self) -> dict[str, Any] | None:
        """Return the next message that has come whole, if any; does not wait."""
        head, separator, rest = self._buffer.partition(b"\n")
        if not separator:
            return None
        self._buffer = rest
        message: dict[str, Any] = json.loads(head)
        return message

    def listen(self, seconds: float) -> bool:
        """Wait for the child to say something, so long at most; False when it has closed its end."""
        if select.select([self._replies], [], [], seconds)[0]:
            part = os.read(self._replies, 1 << 16)
            self._buffer += part
            return bool(part)
        return True
