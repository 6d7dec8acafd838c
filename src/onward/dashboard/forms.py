"""Forms that only our own pages can send.

Besides the check of ``Origin`` that every request passes (`onward.server.guard`), a form carries a
token that equals a cookie: a page of another site can neither read nor set it.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

__all__ = ["CSRF_COOKIE", "SafeForm", "csrf_token", "safe_form"]

CSRF_COOKIE = "onward_csrf"
FIELD = "csrf"
HEADER = "x-csrf-token"
MOST_FIELDS = 500
MOST_FILES = 100


def csrf_token(request: Request) -> str:
    """Return the token of a browser, a new one when it has none."""
    token = getattr(request.state, "csrf", None) or request.cookies.get(CSRF_COOKIE, "")
    if not (token.isascii() and token.isalnum() and len(token) == 32):
        token = secrets.token_hex(16)
    request.state.csrf = token  # the same for everything on one page
    return str(token)


async def safe_form(request: Request) -> FormData:
    """Return the fields of a form that one of our pages sent.

    Raises
    ------
    HTTPException
        403 when the token is missing or another.
    """
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    given = request.headers.get(HEADER) or str(form.get(FIELD, ""))
    held = request.cookies.get(CSRF_COOKIE, "")
    if not held or not hmac.compare_digest(given.encode(), held.encode()):
        raise HTTPException(403, "the form is not from a page of this server, or the page is too old")
    return form


SafeForm = Annotated[FormData, Depends(safe_form)]
