"""Every refusal as a problem document (RFC 9457): what was wrong, got, allowed, and the remedy."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from onward.errors import (
    BundleError,
    DataConflictError,
    DataNotFoundError,
    ForbiddenError,
    JobConflictError,
    JobError,
    JobNotFoundError,
    JobStateError,
    JobTooLargeError,
    KeyNotFoundError,
    OnwardError,
    RateLimitError,
    RegistryConflictError,
    RegistryNotFoundError,
    StorageError,
    StorageRefusedError,
    UnauthenticatedError,
    UserError,
)
from onward.server.responses import PROBLEM_TYPE
from onward.server.wording import over_http

__all__ = ["problem", "problem_of", "refuse_in_one_form", "refused", "status_of", "told"]

if TYPE_CHECKING:
    from onward.server.state import ServerState

Refusal = TypeVar("Refusal", bound=OnwardError)
_log = logging.getLogger(__name__)

STATUS: Mapping[type[OnwardError], int] = {
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    RateLimitError: 429,
    DataNotFoundError: 404,
    KeyNotFoundError: 404,
    JobNotFoundError: 404,
    RegistryNotFoundError: 404,
    DataConflictError: 409,
    JobConflictError: 409,
    JobStateError: 409,
    RegistryConflictError: 409,
    JobTooLargeError: 413,
    JobError: 400,
    BundleError: 503,  # what is stored is damaged: no fault of the client's
    UserError: 422,
    StorageRefusedError: 500,  # the database is there, and to ask again is of no use
    StorageError: 503,
    OnwardError: 500,
}
"""By the nearest class of an error."""

RETRY_SECONDS = 5
UNREADABLE = "There was an error parsing the body"
"""What FastAPI says of a body that is no UTF-8, or nested beyond what can be read."""
LONGEST = 200


def status_of(error: OnwardError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int,
    detail: str,
    *,
    instance: str,
    kind: str = "",
    title: str = "",
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> Response:
    """Return a problem document."""
    phrase = HTTPStatus(status).phrase
    content = {
        "type": f"urn:onward:problem:{kind or _kebab(phrase)}",
        "title": title or phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        **parts,
    }
    body = json.dumps(content, allow_nan=False).encode("ascii")
    return Response(body, status, dict(headers or {}), PROBLEM_TYPE)


def told(request: Request, error: Refusal) -> Refusal:
    """Return an error as whoever sent a request may read it: it names no place of the server's disk."""
    state: ServerState = request.app.state.onward
    return state.shown.error(error)


def refuse_in_one_form(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""
    app.add_exception_handler(OnwardError, _onward)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _onward(request: Request, error: Exception) -> Response:
    assert isinstance(error, OnwardError)
    if status_of(error) == 500:  # nobody's fault but ours: whoever asked is told what, the log where
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    own = request.headers.get("user-agent", "").startswith("onward/")
    return problem_of(told(request, error), request.url.path, commands=own)


def problem_of(error: OnwardError, instance: str, *, commands: bool = False) -> Response:
    """Return the problem document of an error.

    With ``commands`` its remedy may name some of the command line: it is shown there.
    """
    status, kind = status_of(error), type(error)
    parts = {name: value for name, value in error.to_dict().items() if name != "error"}
    detail = str(error)
    if not commands and error.remedy:
        remedy = over_http(error.remedy)
        parts["remedy"], detail = remedy, detail.removesuffix(error.remedy) + remedy
    return problem(
        status,
        detail,
        instance=instance,
        kind=_kebab(kind.__name__.removesuffix("Error")),
        title=(kind.__doc__ or "").strip().partition("\n")[0],
        headers=_headers(error, status),
        **parts,
    )


def _headers(error: OnwardError, status: int) -> dict[str, str]:
    if isinstance(error, RateLimitError):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_SECONDS)}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="onward"'}
    return {}


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(found) for found in error.errors()[:20]]
    malformed = any(found["type"] == "json_invalid" for found in error.errors())
    first = errors[0] if errors else {"field": "body", "what": "is not as it must be"}
    detail = f"{first['field']}: {first['what']}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(
        400 if malformed else 422,
        detail + more,
        instance=request.url.path,
        kind="malformed-body" if malformed else "validation",
        title="The body is not JSON." if malformed else "A value is not allowed.",
        what=detail,
        got=first.get("got"),
        allowed="what /api/v1/openapi.json says of this request" if not malformed else "JSON (RFC 8259)",
        remedy="Correct it; `errors` names every field that is wrong."
        if not malformed
        else "Send a body that is JSON, in UTF-8.",
        errors=errors,
    )


def _field_error(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is wrong with a field; of text that is no JSON, where it ceases to be."""
    if found["type"] == "json_invalid":
        why = str(found.get("ctx", {}).get("error", found["msg"]))
        return {"field": "body", "what": f"is no JSON: {why} at character {found['loc'][-1]}", "got": None}
    return {
        "field": ".".join(str(part) for part in found["loc"]),
        "what": found["msg"].removeprefix("Value error, "),
        "got": ascii(found.get("input"))[:LONGEST],
    }


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status, headers = error.status_code, error.headers
    path = request.url.path
    if status == HTTPStatus.NOT_FOUND:
        found = UserError(
            "There is nothing at this address",
            got=ascii(path)[1 : LONGEST + 1].rstrip("'"),
            allowed="the addresses in /api/v1/openapi.json",
            remedy="/api/v1/openapi.json lists what there is.",
        )
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        found = UserError(
            "This address does not take this method",
            got=ascii(request.method)[1:LONGEST].rstrip("'"),
            allowed=(headers or {}).get("Allow"),
            remedy="Use a method that is allowed there; /api/v1/openapi.json lists what there is.",
        )
    elif error.detail == UNREADABLE:
        found = UserError(
            "The body cannot be read as JSON",
            allowed="JSON (RFC 8259) in UTF-8, nested as deep as the request needs",
            remedy="Send a body that is JSON, in UTF-8.",
        )
    else:
        found = getattr(error, "refusal", None) or UserError(str(error.detail))
    return refused(status, found, path, headers=headers)


def refused(
    status: int, error: UserError, instance: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the problem document of what was refused before a route was asked."""
    parts: dict[str, Any] = {name: value for name, value in error.to_dict().items() if name != "error"}
    detail = error.what if error.remedy is None else f"{error.what}; {error.remedy}"
    return problem(status, detail, instance=instance, headers=headers, **parts)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(
        500,
        "Something went wrong in the server; its log says what.",
        instance=request.url.path,
        title="An error that nobody expected.",
    )


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).replace(" ", "-").lower()
