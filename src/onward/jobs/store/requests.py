"""What a request must be before it is let in; the database should never be the one to refuse."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from onward.database.moments import require_utc
from onward.errors import JobError
from onward.jobs.values import JobRequest

__all__ = ["checked"]

TEXTS = {"kind": 64, "tenant": 100, "idempotency_key": 200, "backend": 32}
LARGEST_PRIORITY = 1_000_000
LARGEST_COUNT = 1_000_000_000


def checked(request: JobRequest) -> tuple[JobRequest, str]:
    """Return a request in its one spelling (moments in UTC), and its hash.

    Raises
    ------
    JobError
        When a field is not as it must be, or the spec is no plain JSON.
    UserError
        When ``run_after`` carries no time zone.
    """
    for name, longest in TEXTS.items():
        _check_text(name, getattr(request, name), longest)
    _check_number("priority", request.priority, -LARGEST_PRIORITY, LARGEST_PRIORITY)
    _check_number("max_attempts", request.max_attempts, 1, LARGEST_COUNT)
    if request.memory_limit_mb is not None:
        _check_number("memory_limit_mb", request.memory_limit_mb, 1, LARGEST_COUNT)
    seconds = request.timeout_seconds
    if seconds is not None and not (_is_number(seconds) and math.isfinite(seconds) and seconds > 0):
        raise JobError("The timeout of a job is a positive number of seconds", got=repr(seconds))
    if request.run_after is not None:
        request = dataclasses.replace(request, run_after=require_utc(request.run_after, "run_after"))
    if not isinstance(request.spec, Mapping):
        raise JobError("The spec of a job is a mapping", got=type(request.spec).__name__)
    try:
        return request, request.request_hash
    except (TypeError, ValueError, RecursionError) as error:
        raise JobError(
            "The spec of a job is not plain JSON",
            got=str(error),
            allowed="finite numbers, text, true, false, none, lists, mappings with text keys",
            remedy="Give its values in plain form.",
        ) from error


def _check_text(name: str, value: object, longest: int) -> None:
    if value is None and name == "idempotency_key":
        return
    # isprintable refuses NUL and lone surrogates too, which databases do not take.
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise JobError(
            f"The {name} of a job is not usable",
            got=ascii(value)[:80],
            allowed=f"1 to {longest} printable characters",
        )


def _check_number(name: str, value: object, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise JobError(
            f"The {name} of a job is not usable",
            got=repr(value),
            allowed=f"a whole number from {lowest} to {highest}",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
