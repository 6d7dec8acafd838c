"""Requests that a browser sends along with its cookie must show that they come from our pages."""

from __future__ import annotations

from email.message import Message
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from onward.access.secrets import same
from onward.access.values import LoginSession
from onward.errors import ForbiddenError

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "check_csrf", "form_of"]

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
"""In which forms come; browsers name none, and send UTF-8."""


async def form_of(request: Request, **limits: Any) -> FormData:
    """Return the form in the body of a request; read once, whoever asks for it.

    Parameters
    ----------
    request
        What came.
    **limits
        As of `starlette.requests.Request.form`.

    Raises
    ------
    HTTPException
        415 when it says that it is in another encoding than UTF-8: Python knows some, as
        ``punycode`` and ``unicode_escape``, that fail in ways of their own, or make text that
        nothing can write down. 400 when it is no form.
    """
    said = Message()
    said["content-type"] = request.headers.get("content-type", "")
    charset = said.get_param("charset", "")
    if not isinstance(charset, str) or charset.lower() not in CHARSETS:
        raise HTTPException(415, "forms are taken in UTF-8 only")
    try:
        return await request.form(**limits)
    except UnicodeError as error:
        raise HTTPException(400, "the form holds text that cannot be read") from error


async def check_csrf(request: Request, session: LoginSession, *, stream: bool = False) -> None:
    """Refuse an unsafe request of a session without the session's token.

    ``SameSite=Strict`` keeps other sites from sending the cookie at all; this holds for browsers
    and subdomains that do not keep to it.

    Parameters
    ----------
    request, session
        What came, and what it belongs to.
    stream
        Whether the route takes the body in as a stream, within limits of its own: then nothing of
        it is read here, and only the header counts.

    Raises
    ------
    ForbiddenError
        Unless the token is in the header `CSRF_HEADER` or, without ``stream``, in the form field
        `CSRF_FIELD`.
    """
    if request.method in SAFE_METHODS:
        return
    given: object = request.headers.get(CSRF_HEADER)
    if given is None and not stream and request.headers.get("content-type", "").startswith(FORMS):
        given = (await form_of(request)).get(CSRF_FIELD)  # kept: whoever reads the form gets the same one
    if not isinstance(given, str) or not same(given, session.csrf_token):
        raise ForbiddenError(
            "the request does not carry the token of its session",
            allowed=f"the header {CSRF_HEADER}" + ("" if stream else f" or the form field {CSRF_FIELD}"),
            remedy="GET /api/v1/session returns the token; load the page again.",
        )
