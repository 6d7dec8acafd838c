"""The product without one of its guards: the invariants must notice each."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["GUARDS", "weaken"]

GUARDS = ("attempt_guard", "claim_lock", "warden")


def weaken(guard: str | None) -> None:
    """Take a guard out of this process, and of what it forks from afterwards."""
    if guard == "attempt_guard":
        _without_the_attempt_guard()
    elif guard == "claim_lock":
        _without_the_claim_lock()
    elif guard == "warden":
        _without_the_warden()
    elif guard is not None:
        raise ValueError(f"there is no guard {guard}; there are {', '.join(GUARDS)}")


def _without_the_attempt_guard() -> None:
    """Let every owner write who once held the job."""
    from onward.database.tables import ml_jobs
    from onward.jobs.store import fence, owning
    from onward.jobs.values import Lease

    def held_by(lease: Lease) -> Any:
        return ml_jobs.c.id == lease.job_id

    fence.held_by = held_by
    owning.held_by = held_by


def _without_the_claim_lock() -> None:
    """Look first and take later, as a claim without lock and second look does."""
    from onward.jobs.store import claims

    def unlocked(query: Any) -> Any:
        return query

    claims.locked = unlocked
    original = claims.due

    def due(*asked: Any) -> Any:
        time.sleep(0.02)
        return original(*asked)

    claims.due = due


def _without_the_warden() -> None:
    """Start workers below nobody: no life line, no fence, no adoption."""
    from onward.jobs.local import backend

    original = backend.subprocess.Popen

    def popen(command: list[str], **named: Any) -> Any:
        given = [
            part if part != "onward.jobs.local.nursery" else "tests.faults.idle_nursery" for part in command
        ]
        return original(given, **named)

    class Subprocess:
        Popen = staticmethod(popen)
        DEVNULL = backend.subprocess.DEVNULL
        TimeoutExpired = backend.subprocess.TimeoutExpired

    backend.subprocess = Subprocess  # type: ignore[assignment]
