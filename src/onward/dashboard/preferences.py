"""Theme and language: kept in cookies, so that the first byte of a page is right already."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from onward.dashboard.forms import SafeForm
from onward.dashboard.i18n import LANGUAGES
from onward.server.authorisation import PUBLIC

__all__ = ["LANGUAGE_COOKIE", "THEMES", "THEME_COOKIE", "Theme", "keep", "local_path", "router"]

Theme: TypeAlias = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
THEME_COOKIE = "onward_theme"
LANGUAGE_COOKIE = "onward_language"
YEAR_SECONDS = 31_536_000
NO_PAGES = ("//", "/\\", "/ui/")

router = APIRouter(dependencies=[PUBLIC])


@router.post("/ui/preferences")
async def preferences(request: Request, form: SafeForm) -> Response:
    """Keep a choice, and go back to where it was made."""
    answer: Response
    if request.headers.get("accept", "").startswith("text/html"):
        answer = RedirectResponse(local_path(str(form.get("next", "/"))), 303)
    else:
        answer = Response(status_code=204)  # a script that changed the page itself
    for name, allowed in ((THEME_COOKIE, THEMES), (LANGUAGE_COOKIE, LANGUAGES)):
        value = form.get(name.removeprefix("onward_"))
        if value in allowed:
            keep(answer, name, str(value), secure=request.url.scheme == "https")
    return answer


def keep(answer: Response, name: str, value: str, *, secure: bool, seconds: int = YEAR_SECONDS) -> None:
    """Let the browser keep a value that no script and no other site needs."""
    answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=secure)


def local_path(text: str) -> str:
    """Return the path of a page of this site; what leads elsewhere or to a piece of one becomes ``/``."""
    safe = text.startswith("/") and not text.startswith(NO_PAGES) and text.isprintable()
    return text if safe and len(text) <= 2000 else "/"
