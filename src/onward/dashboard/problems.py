"""Errors as pages in words, where a person asked; programs keep their problem documents."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from onward.dashboard.preferences import local_path
from onward.dashboard.rendering import Renderer, renderer
from onward.dashboard.ways import page_of
from onward.errors import JobNotFoundError, OnwardError, RegistryNotFoundError, StorageError
from onward.server.problems import status_of, told

__all__ = ["FOR_PROGRAMS", "KNOWN", "answer_in_words", "in_words"]

FOR_PROGRAMS = ("/api/", "/health", "/metrics", "/static/")
KINDS = (OnwardError, RequestValidationError, HTTPException, Exception)
KEPT = frozenset({"allow", "retry-after"})
"""Headers that a page keeps of the answer whose place it takes."""
READING = ("GET", "HEAD")
KNOWN = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503})
"""Statuses with texts of their own."""
OF_RUNS = ("/reports", "/compare", "/runs", "/ui/reports", "/ui/compare", "/ui/runs")

Handler = Callable[[Request, Exception], Awaitable[Response] | Response]


def answer_in_words(app: FastAPI) -> None:
    """Let an application answer people with pages and everybody else as before."""
    for kind in KINDS:
        app.add_exception_handler(kind, _for_people(app.exception_handlers[kind]))


def _for_people(otherwise: Any) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        plain = otherwise(request, error)  # also writes what is unexpected into the log
        answer: Response = await plain if inspect.isawaitable(plain) else plain
        if request.url.path.startswith(FOR_PROGRAMS):
            return answer
        return await _page(request, error, answer.status_code, dict(answer.headers))

    return handle


async def _page(request: Request, error: Exception, status: int, headers: dict[str, str]) -> Response:
    render = await renderer(request)
    in_place = "hx-request" in request.headers
    if status == HTTPStatus.UNAUTHORIZED:
        to = f"/login?next={quote(_way_back(request))}"
        return render.redirect(to) if in_place else RedirectResponse(to, 303)
    if status == HTTPStatus.METHOD_NOT_ALLOWED and request.method in READING and not in_place:
        return render.redirect(page_of(request.url.path), toast="problem.toast.button", tone="fair")
    name = _name(error, status, request.url.path)
    details = told(request, error).to_dict() if isinstance(error, OnwardError) else {}
    if isinstance(error, HTTPException) and status not in (404, 500) and error.detail:
        details = {"what": str(error.detail)}
    answer = in_words(render, name, status, details, in_place=in_place)
    for kept in KEPT & headers.keys():
        answer.headers[kept] = headers[kept]
    return answer


def in_words(
    render: Renderer, name: str, status: int, details: Mapping[str, Any], *, in_place: bool
) -> Response:
    """Return an error as a page, or as a toast for a page that asked in place.

    Parameters
    ----------
    render
        Of whoever asked.
    name
        Of its texts in ``problem.toml``.
    status
        Of the answer.
    details
        Its parts (``what``, ``got``, ``allowed``, ``remedy``) as far as there are any, in English.
    in_place
        Whether HTMX asked.
    """
    view: dict[str, Any] = {"name": name, "code": status, "details": details}
    if not in_place:
        return render.page("problem", status=status, **view)
    answer = render.fragment("fragments/problem.html", status=status, **view)
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#toasts", "beforeend"
    return answer


def _way_back(request: Request) -> str:
    """Return the page that a request belongs to, with its query: where somebody wants to be after logging in.

    A piece of a page says in ``HX-Current-URL`` which page it is of. Of that address only what follows
    the host counts, so it leads to no other site.
    """
    address = request.headers.get("hx-current-url") if "hx-request" in request.headers else None
    if address is None:
        address = str(request.url) if request.method == "GET" else page_of(request.url.path)
    try:
        found = urlsplit(address)
    except ValueError:  # nobody's browser sends that
        return "/"
    return local_path(f"{found.path}?{found.query}" if found.query else found.path)


def _name(error: Exception, status: int, path: str) -> str:
    """Return which texts of ``problem.toml`` tell of an error."""
    if isinstance(error, JobNotFoundError):
        return "job_gone"
    if isinstance(error, RegistryNotFoundError):
        return "run_gone" if path.startswith(OF_RUNS) else "model_gone"
    if isinstance(error, StorageError):
        return "storage"
    if isinstance(error, OnwardError):
        status = status_of(error)
    return f"status_{status if status in KNOWN else 500}"
