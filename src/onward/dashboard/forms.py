"""Forms that only our own pages can send.

Besides the check of ``Origin`` that every request passes (`onward.server.guard`), a form carries a
token: that of the session where somebody logged in, else one that equals a cookie, which a page of
another site can neither read nor set.
"""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from onward.access.secrets import same
from onward.server.authorisation import caller_of
from onward.server.csrf import form_of

__all__ = [
    "CSRF_COOKIE",
    "CSRF_FIELD",
    "CSRF_HEADER",
    "SafeForm",
    "csrf_token",
    "needs_cookie",
    "safe_form",
    "safe_header",
]

CSRF_COOKIE = "onward_csrf"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"
MOST_FIELDS = 500
MOST_FILES = 100
TOKEN_BYTES = 16


def csrf_token(request: Request) -> str:
    """Return the token that forms on a page carry in `CSRF_FIELD`, the same all over one page."""
    session = caller_of(request).session
    if session is not None:
        return session.csrf_token
    token = getattr(request.state, "csrf", None) or request.cookies.get(CSRF_COOKIE, "")
    if not (token.isascii() and token.isalnum() and len(token) == 2 * TOKEN_BYTES):
        token = secrets.token_hex(TOKEN_BYTES)
    request.state.csrf = token
    return str(token)


def needs_cookie(request: Request) -> bool:
    """Return whether a browser must be given the token of a page as a cookie."""
    no_session = caller_of(request).session is None
    return no_session and request.cookies.get(CSRF_COOKIE) != csrf_token(request)


async def safe_form(request: Request) -> FormData:
    """Return the fields of a form that one of our pages sent.

    Raises
    ------
    HTTPException
        403 when the token is missing or another; 400 and 415 as of `onward.server.csrf.form_of`.
    """
    form = await form_of(request, max_fields=MOST_FIELDS, max_files=MOST_FILES)
    _check(request, request.headers.get(CSRF_HEADER) or str(form.get(CSRF_FIELD, "")))
    return form


async def safe_header(request: Request) -> None:
    """Let a form through whose body is taken in as a stream: its token stands in the header.

    Raises
    ------
    HTTPException
        403 when the token is missing or another.
    """
    _check(request, request.headers.get(CSRF_HEADER, ""))


def _check(request: Request, given: str) -> None:
    session = caller_of(request).session
    held = request.cookies.get(CSRF_COOKIE, "") if session is None else session.csrf_token
    if not held or not same(given, held):
        raise HTTPException(403, "the form is not from a page of this server, or the page is too old")


SafeForm = Annotated[FormData, Depends(safe_form)]
