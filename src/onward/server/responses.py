"""Answers in JSON, and what every route's documentation says about refusals."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import JSONResponse
from starlette.responses import Response

from onward.server.bodies.problem import Problem

__all__ = ["AsciiJson", "answer", "refusals"]

PROBLEM_TYPE = "application/problem+json"
ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))  # `json.dumps` makes one a call

MEANINGS = {
    400: "The request is not understood.",
    401: "A key is needed, or the one that was sent does not work.",
    403: "The key's scope does not suffice, or the request comes from a page of another site.",
    404: "There is no such thing.",
    405: "The address knows other methods.",
    409: "The state of things does not allow it.",
    413: "The request is too large.",
    415: "The body is of another type.",
    421: "The Host header names another server.",
    422: "A value is not allowed.",
    429: "Too many requests within a minute; `Retry-After` says when to come again.",
    503: "The database or the disk is away; try again.",
}
ALWAYS = (400, 401, 403, 405, 413, 421, 422, 429, 503)


class AsciiJson(JSONResponse):
    """JSON that any text survives: half a surrogate pair in a log line must not end in an error."""

    def render(self, content: Any) -> bytes:
        """Return the bytes; NaN is refused, since JSON has no word for it."""
        return ENCODER.encode(content).encode("ascii")


def answer(content: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """Return a value that is plain JSON already."""
    return AsciiJson(content, status_code=status, headers=headers)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of refusals: those of any route, and these."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {
        status: {"description": MEANINGS[status], "content": {PROBLEM_TYPE: schema}}
        for status in sorted({*ALWAYS, *statuses})
    }
