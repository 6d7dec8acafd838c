"""Sessions of browsers: logging in with a key, and out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from onward.access import values as access
from onward.server.bodies.access import LoginBody, SessionAnswer
from onward.server.dependencies import PUBLIC, Caller, requires
from onward.server.responses import answer, refusals
from onward.server.sessions import log_in, log_out

__all__ = ["router"]

router = APIRouter(tags=["access"], responses=refusals())


@router.post("/session", response_model=SessionAnswer, status_code=201, dependencies=[PUBLIC])
async def begin(request: Request, body: LoginBody) -> Response:
    """Log in: the session is in a cookie, what goes with unsafe requests (`X-CSRF-Token`) in the answer."""
    login = await log_in(request, body.key)
    response = answer(_view(login.caller, login.csrf_token, login.expires_at), 201)
    login.attach(request, response)
    return response


@router.get("/session", response_model=SessionAnswer, dependencies=[requires("read")])
async def show(caller: Caller) -> Response:
    """Say who asks, and with which scope."""
    session = caller.session
    if session is None:
        return answer(_view(caller, None, None))
    return answer(_view(caller, session.csrf_token, session.expires_at))


@router.delete("/session", status_code=204, response_class=Response, dependencies=[requires("read")])
async def end(request: Request) -> Response:
    """Log out; without a session there is nothing to end, and that is well too."""
    response = Response(status_code=204)
    await log_out(request, response)
    return response


def _view(caller: access.Caller, csrf_token: str | None, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "who": caller.who,
        "name": caller.name,
        "scope": caller.scope,
        "csrf_token": csrf_token,
        "expires_at": None if expires_at is None else expires_at.isoformat(),
    }
