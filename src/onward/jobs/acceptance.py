"""What every request must keep to, whatever kind of job it asks for."""

from __future__ import annotations

from onward.errors import JobError
from onward.jobs.values import JobRequest

__all__ = ["BACKENDS", "check_request"]

BACKENDS = ("local", "ray")
"""Where attempts can run; a server takes those of its setting `jobs.backends`."""


def check_request(request: JobRequest) -> None:
    """Refuse a request whose conditions make no sense.

    Raises
    ------
    JobError
        Names the condition, what was given and what is allowed.
    """
    key = request.idempotency_key
    problems = {
        "max_attempts": (request.max_attempts, 1 <= request.max_attempts <= 100, "1 to 100"),
        "priority": (request.priority, abs(request.priority) <= 1_000_000, "-1,000,000 to 1,000,000"),
        "timeout_seconds": (
            request.timeout_seconds,
            request.timeout_seconds is None or 0 < request.timeout_seconds <= 1e8,
            "above 0, at most 1e8",
        ),
        "memory_limit_mb": (
            request.memory_limit_mb,
            request.memory_limit_mb is None or 64 <= request.memory_limit_mb <= 100_000_000,
            "64 to 100,000,000",
        ),
        "idempotency_key": (
            key,
            key is None or (0 < len(key) <= 200 and key.isprintable()),
            "1 to 200 characters that can be printed",
        ),
        "backend": (request.backend, request.backend in BACKENDS, " or ".join(BACKENDS)),
        "tenant": (request.tenant, 0 < len(request.tenant) <= 100, "1 to 100 characters"),
    }
    for name, (value, fine, allowed) in problems.items():
        if not fine:
            raise JobError(
                f"{name} of a job is out of range",
                got=repr(value),
                allowed=allowed,
                remedy=f"Correct {name}.",
            )
