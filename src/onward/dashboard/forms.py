"""Forms that only our own pages can send, and that count once however often they are sent.

Besides the check of ``Origin`` that every request passes (`onward.server.guard`), a form carries a
token: that of the session where somebody logged in, else one that equals a cookie, which a page of
another site can neither read nor set. A form that makes a job also carries a request key, another
one on every page: sent twice, it finds the job that it made.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from onward.access.secrets import same
from onward.errors import JobNotFoundError
from onward.server.authorisation import caller_of
from onward.server.csrf import form_of

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Submission

__all__ = [
    "CSRF_COOKIE",
    "CSRF_FIELD",
    "CSRF_HEADER",
    "REQUEST_KEY_FIELD",
    "SafeForm",
    "csrf_token",
    "idempotency_key",
    "is_gone",
    "needs_cookie",
    "new_request_key",
    "safe_form",
    "safe_header",
]

CSRF_COOKIE = "onward_csrf"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"
REQUEST_KEY_FIELD = "request_key"
MOST_FIELDS = 500
MOST_FILES = 100
TOKEN_BYTES = 16
REQUEST_KEY_BYTES = 12
LONGEST_REQUEST_KEY = 100


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


def new_request_key() -> str:
    """Return what tells one page, whose form may be sent twice, from the next one (`REQUEST_KEY_FIELD`)."""
    return secrets.token_hex(REQUEST_KEY_BYTES)


def idempotency_key(form: str, request_key: str, *asked: Any) -> str:
    """Return the key of the job that a form makes: the same form sent twice is one job.

    Parameters
    ----------
    form
        Name of the form, with which the key begins.
    request_key
        As the form carries it; what somebody else made up is as good as any.
    *asked
        What was filled in, as JSON values, where a form that was changed is to make another job.
    """
    whole = json.dumps([request_key[:LONGEST_REQUEST_KEY], *asked], sort_keys=True)
    return f"{form}-{hashlib.sha256(whole.encode()).hexdigest()[:40]}"


def is_gone(store: JobStore, submission: Submission) -> bool:
    """Return whether a form had made its job before, and that job was deleted since."""
    if submission.created:
        return False
    try:
        store.get(submission.job.id)
    except JobNotFoundError:
        return True
    return False


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
