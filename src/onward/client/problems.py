"""Problem documents become the errors that they were made of."""

from __future__ import annotations

import json
from typing import Any

import httpx

from onward import errors
from onward.errors import OnwardError

__all__ = ["error_of"]

BY_STATUS: dict[int, type[OnwardError]] = {
    401: errors.UnauthenticatedError,
    403: errors.ForbiddenError,
    404: errors.UserError,
    413: errors.JobTooLargeError,
    429: errors.RateLimitError,
    503: errors.StorageError,
}
"""For refusals that are no `OnwardError` of the server: an address, a header, a proxy in between."""
PREFIX = "urn:onward:problem:"


def error_of(response: httpx.Response) -> OnwardError:
    """Return the error that a refusal tells of: same class, what, got, allowed, remedy and setting."""
    told = _problem(response)
    kind = _named(str(told.get("type", "")).removeprefix(PREFIX)) or _by_status(response.status_code)
    what = told.get("what") or told.get("detail") or f"the server answered {response.status_code}"
    parts: dict[str, Any] = {name: told.get(name) for name in ("got", "allowed", "remedy")}
    if isinstance(told.get("setting"), str):
        parts["settings"] = (told["setting"],)
    if issubclass(kind, errors.RateLimitError):
        return kind(str(what), retry_after=retry_after(response) or 1.0, **parts)
    return kind(str(what), **parts)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds after which the server wants to be asked again."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(name: str) -> type[OnwardError] | None:
    """Return the class that a problem's type names: ``job-not-found`` is `JobNotFoundError`."""
    camel = "".join(part.capitalize() for part in name.split("-"))
    found = getattr(errors, f"{camel}Error", None) or getattr(errors, camel, None)
    return found if isinstance(found, type) and issubclass(found, OnwardError) else None


def _by_status(status: int) -> type[OnwardError]:
    return BY_STATUS.get(status, errors.UserError if 400 <= status < 500 else OnwardError)
