"""Logging in with an API key, and out. Where no key is needed there is nothing to log in to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from onward.access.values import Caller
from onward.dashboard.forms import SafeForm
from onward.dashboard.navigation import Page
from onward.dashboard.preferences import local_path
from onward.dashboard.rendering import Render
from onward.errors import RateLimitError, UnauthenticatedError
from onward.server.authorisation import PUBLIC, caller_of, requires
from onward.server.sessions import log_in, log_out

__all__ = ["PAGE", "router"]

PAGE = Page("login", None, shots=(("login", "/login"),))
LONGEST_KEY = 512

router = APIRouter()


@router.get("/login", dependencies=[PUBLIC])
async def login(
    render: Render, next_: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """Ask for a key."""
    return render.page("login", next=local_path(next_), error="", needed=_needed(render.request))


@router.post("/login", dependencies=[PUBLIC])
async def enter(request: Request, render: Render, form: SafeForm) -> Response:
    """Begin a session, and go where somebody wanted to go."""
    to, key = local_path(str(form.get("next", "/"))), str(form.get("key", "")).strip()[:LONGEST_KEY]
    try:
        session = await log_in(request, key)
    except UnauthenticatedError:
        error, status = render.t("login.wrong" if key else "login.missing"), 422
    except RateLimitError:
        error, status = render.t("login.too_often"), 429
    else:
        answer = render.redirect(to, toast="login.toast.welcome")
        session.attach(request, answer)
        return answer
    return render.page("login", status=status, next=to, error=error, needed=True)


@router.post("/ui/logout", dependencies=[requires("read")])
async def leave(request: Request, render: Render, form: SafeForm) -> Response:  # noqa: ARG001
    """End the session."""
    answer = render.redirect("/login", toast="login.toast.bye")
    await log_out(request, answer)
    return answer


def _needed(request: Request) -> bool:
    """Return whether a key is needed here: who is nobody, or is somebody by a session, needs one."""
    who: Caller = caller_of(request)
    return who.kind != "local"
