"""From a view to HTML: one environment, one policy, one place that knows who reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onward._version import __version__
from onward.dashboard.assets import asset_url
from onward.dashboard.forms import CSRF_COOKIE, csrf_token, needs_cookie
from onward.dashboard.i18n import LANGUAGES, Figures, Language, Texts, Words, preferred, texts_of
from onward.dashboard.i18n.said import Said
from onward.dashboard.marking import marked
from onward.dashboard.pages import pages
from onward.dashboard.preferences import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Theme, keep
from onward.server.authorisation import caller_of

__all__ = ["POLICY", "Render", "Renderer", "Tone", "environment", "renderer"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TOAST_COOKIE = "onward_toast"
TOAST_SECONDS = 30
GAPS: dict[Language, str] = {"en": " ", "ja": ""}
"""What stands between two sentences."""
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}

Tone = Literal["good", "fair", "bad", "calm"]


@dataclass(frozen=True, eq=False)
class Renderer:
    """Writes pages for whoever sent a request.

    Attributes
    ----------
    request
        The request.
    language, theme
        Of the reader.
    """

    request: Request
    language: Language
    theme: Theme

    @property
    def t(self) -> Texts:
        """Texts in the reader's language."""
        return texts_of(self.language)

    @property
    def words(self) -> Words:
        """Words for values of the code in the reader's language."""
        return Words(self.t)

    @property
    def fmt(self) -> Figures:
        """Figures in the reader's language."""
        return Figures(self.language)

    def page(self, name: str, /, *, status: int = 200, template: str | None = None, **view: Any) -> Response:
        """Return a whole page.

        Parameters
        ----------
        name
            Of the page, whose template is ``pages/<name>.html`` unless another one is named.
        **view
            What the template shows, besides what every template has (`context`).
        """
        secure = self.request.url.scheme == "https"
        kept = self.request.cookies.get(TOAST_COOKIE, "")
        toast = self._toast(kept)
        answer = self._answer(
            f"pages/{template or name}.html", status, {"here": name, "toast": toast, **view}
        )
        if needs_cookie(self.request):
            keep(answer, CSRF_COOKIE, csrf_token(self.request), secure=secure)
        if kept:
            answer.delete_cookie(TOAST_COOKIE, path="/")
        return answer

    def fragment(
        self, template: str, /, *, status: int = 200, toast: str = "", tone: Tone = "good", **view: Any
    ) -> Response:
        """Return a piece of a page, which HTMX puts in place.

        ``toast`` is a text that is shown for a moment besides.
        """
        answer = self._answer(template, status, view)
        if toast:
            answer.headers["HX-Trigger"] = json.dumps({"toast": {"text": toast, "tone": tone}})
        return answer

    def redirect(self, path: str, *, toast: str = "", tone: Tone = "good", **values: str | int) -> Response:
        """Return the way to another page after a form was taken, plain or sent by HTMX.

        Parameters
        ----------
        path
            Of this site.
        toast
            Key of a text (``<page>.toast.<name>``) that is shown there for a moment.
        tone
            Of that text.
        **values
            For its placeholders.
        """
        if "hx-request" in self.request.headers:
            answer = Response(status_code=204, headers={"HX-Redirect": path})
        else:
            answer = RedirectResponse(path, 303)
        if toast:
            secure = self.request.url.scheme == "https"
            told = f"{tone}:{toast}" + (f":{urlencode(values)}" if values else "")
            keep(answer, TOAST_COOKIE, told, secure=secure, seconds=TOAST_SECONDS)
        return answer

    def html(self, template: str, /, **view: Any) -> str:
        """Return what a template makes of a view."""
        return environment().get_template(template).render(self.context() | view)

    def context(self) -> dict[str, Any]:
        """Return what every template has."""
        return {
            "t": self.t,
            "words": self.words,
            "say": Said(self.t),
            "fmt": self.fmt,
            "gap": GAPS[self.language],
            "asset": asset_url,
            "csrf": csrf_token(self.request),
            "language": self.language,
            "languages": LANGUAGES,
            "theme": self.theme,
            "themes": THEMES,
            "navigation": pages(),
            "reader": caller_of(self.request),
            "address": self.request.url.path,
            "whole_address": _whole(self.request),
            "now": datetime.now(UTC),
            "version": __version__,
        }

    def _toast(self, kept: str) -> dict[str, str] | None:
        """Return the text that a page before left; None when it left none that there is."""
        tone, _, rest = kept.partition(":")
        key, _, query = rest.partition(":")
        if ".toast." not in key or key not in self.t:
            return None
        values: dict[str, Any] = dict(parse_qsl(query))
        try:
            if "count" in values:
                values["count"] = int(values["count"])
            return {"tone": tone, "text": self.t(key, **values)}
        except (KeyError, ValueError):  # a browser may send what it likes
            return None

    def _answer(self, template: str, status: int, view: dict[str, Any]) -> Response:
        headers = {
            "Content-Security-Policy": POLICY,
            "Content-Language": self.language,
            "Referrer-Policy": "same-origin",  # without any, browsers send forms with Origin: null
            "Vary": "Cookie, Accept-Language, HX-Request",
        }
        return HTMLResponse(self.html(template, **view), status, headers)


async def renderer(request: Request) -> Renderer:
    """Return the renderer for a request."""
    cookies = request.cookies
    language = preferred(cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    theme = cookies.get(THEME_COOKIE, "auto")
    return Renderer(request, language, theme if theme in THEMES else "auto")


Render = Annotated[Renderer, Depends(renderer)]


@cache
def environment() -> Environment:
    """Return the templates, each compiled once."""
    made = Environment(
        loader=PackageLoader("onward.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["embedded"] = _embedded
    made.filters["marked"] = marked
    return made


def _embedded(value: Any) -> Markup:
    """Return JSON that may stand inside an element: no ``<``, ``>``, ``&`` and no NaN."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for character, escape in UNSAFE.items():
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704


def _whole(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
