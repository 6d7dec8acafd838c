"""What a worker says to its supervisor: one JSON object a line, through a pipe that it alone writes.

Its warden says two of these.

==========  ==================================================================================
``type``    further keys
==========  ==================================================================================
progress    ``stage``, ``done``, ``total``, ``message``, ``values`` (figures)
log         ``level``, ``text``
ask         ``id`` (counts up), ``question``, ``arguments``; the supervisor sends back
            ``{"id": ..., "value": ...}`` or ``{"id": ..., "error": {...}}``
result      ``manifest``: the task has ended regularly, everything is on the disk (fsynced)
error       ``error``: parts of an `OnwardError` or ``{"error": type, "what": text}``,
            ``traceback``; ``memory`` true when the error says that memory ran out
suspended   by the warden: no lease was renewed for the time of the fence
resumed     by the warden: it was; ``seconds`` for which the attempt stood still
==========  ==================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from onward.errors import OnwardError

__all__ = ["MAX_LINE_BYTES", "decode", "encode", "error_message", "is_out_of_memory"]

MAX_LINE_BYTES = 4_000_000
"""A longer line is a worker gone wrong."""

OUT_OF_MEMORY_TEXTS = ("bad_alloc", "Unable to allocate", "Cannot allocate memory", "out of memory")


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the message of a line.

    Raises
    ------
    ValueError
        When it is no JSON object with a ``type``.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ValueError("a worker's message is a JSON object with a type")  # noqa: TRY004
    return message


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory ran out.

    Native libraries raise errors of their own: LightGBM's says ``std::bad_alloc``.
    """
    return isinstance(error, MemoryError) or any(text in str(error) for text in OUT_OF_MEMORY_TEXTS)


def error_message(error: BaseException, traceback: str) -> dict[str, Any]:
    """Return the message that tells of an exception."""
    parts = (
        error.to_dict()
        if isinstance(error, OnwardError)
        else {"error": type(error).__name__, "what": str(error) or type(error).__name__}
    )
    return {"type": "error", "error": parts, "traceback": traceback, "memory": is_out_of_memory(error)}
