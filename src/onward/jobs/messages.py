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

from onward.errors import JobError, OnwardError

__all__ = [
    "LONGEST_TEXT",
    "MAX_LINE_BYTES",
    "answer_message",
    "decode",
    "encode",
    "error_message",
    "is_out_of_memory",
    "shortened",
]

MAX_LINE_BYTES = 4_000_000
"""Neither side says more at once; a longer line is a process gone wrong."""
LONGEST_TEXT = 4_000
"""Characters of a line of the log or a sentence about an error; the log file has all of it."""
LONGEST_TRACEBACK = 100_000

REMEDIES = {
    "result": "Write what is large into a file in the job's directory, and name that in the manifest.",
    "ask": "Write what is large into a file in the job's directory, and ask about that.",
    "answer": "Ask for less at once.",
    "progress": "Tell fewer figures at once.",
}

OUT_OF_MEMORY_TEXTS = ("bad_alloc", "Unable to allocate", "Cannot allocate memory", "out of memory")


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line.

    Raises
    ------
    JobError
        When it is too long.
    """
    line = json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        kind = str(message.get("type"))
        raise JobError(
            f"a message between worker and supervisor is too long ({kind})",
            got=f"{len(line):,} bytes",
            allowed=f"at most {MAX_LINE_BYTES:,} bytes",
            remedy=REMEDIES.get(kind),
        )
    return line


def answer_message(number: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message that answers a question, or says why it cannot be answered so.

    Whoever asked waits for it, so there is one whatever the answer is.

    Parameters
    ----------
    number
        Of the question.
    told
        ``value`` or ``error``.
    """
    try:
        message = {"type": "answer", "id": number, **told}
        json.dumps(message)  # without help: a worker must not be told the text of a set instead of it
        encode(message)
    except JobError as error:
        return {"type": "answer", "id": number, "error": error_message(error, "")["error"]}
    except (TypeError, ValueError, RecursionError) as error:
        refused = JobError(
            "the answer to a question of the worker is no plain JSON",
            got=str(error),
            allowed="texts, numbers, true, false, null, and lists and objects of them",
            remedy="Let the kind of the job answer with plain values.",
        )
        return {"type": "answer", "id": number, "error": error_message(refused, "")["error"]}
    return message


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
    """Return the message that tells of an exception; of long texts the part that says most."""
    parts = (
        error.to_dict()
        if isinstance(error, OnwardError)
        else {"error": type(error).__name__, "what": str(error) or type(error).__name__}
    )
    parts = {name: shortened(part) if isinstance(part, str) else part for name, part in parts.items()}
    if len(traceback) > LONGEST_TRACEBACK:
        traceback = "..." + traceback[-LONGEST_TRACEBACK:]
    return {"type": "error", "error": parts, "traceback": traceback, "memory": is_out_of_memory(error)}


def shortened(text: str) -> str:
    """Return the beginning of a text, and how long it is, when it is longer than what is kept of one."""
    if len(text) <= LONGEST_TEXT:
        return text
    told = f"... ({len(text):,} characters)"
    return text[: LONGEST_TEXT - len(told)] + told
