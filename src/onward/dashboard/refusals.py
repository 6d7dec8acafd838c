"""What is refused before any route is asked (`onward.server.guard`), said in words to people."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onward.dashboard.problems import FOR_PROGRAMS, KNOWN, in_words
from onward.dashboard.rendering import renderer
from onward.server.responses import PROBLEM_TYPE

__all__ = ["RefusalsInWords"]

AS_IT_IS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST)
"""Leads to the login, by the scripts of the page; came by a name that is not ours, and learns nothing."""
REPLACED = (b"content-type", b"content-length", b"content-security-policy", b"referrer-policy")


class RefusalsInWords:
    """ASGI middleware, the outermost: turns problem documents into pages, or toasts where HTMX asked.

    Routes have said theirs in words already; those of middleware would reach people as JSON.

    Parameters
    ----------
    app
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"].startswith(FOR_PROGRAMS):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def told(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_refusal(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._say(scope, start, body, receive, send)

        await self._app(scope, receive, told)

    async def _say(self, scope: Scope, start: Message, body: bytes, receive: Receive, send: Send) -> None:
        request, status, document = Request(scope), start["status"], json.loads(body)
        answer = in_words(
            await renderer(request),
            f"status_{status if status in KNOWN else 500}",
            status,
            {"what": document.get("what", document["detail"])},  # what helps is in the words of the page
            in_place="hx-request" in request.headers,
        )
        kept = [(name, value) for name, value in start["headers"] if name.lower() not in REPLACED]
        named = {name for name, _ in answer.raw_headers}
        answer.raw_headers += [(name, value) for name, value in kept if name.lower() not in named]
        await answer(scope, receive, send)


def _is_refusal(start: Message) -> bool:
    headers: dict[bytes, Any] = {name.lower(): value for name, value in start.get("headers", ())}
    return (
        headers.get(b"content-type", b"").startswith(PROBLEM_TYPE.encode())
        and start["status"] not in AS_IT_IS
    )
