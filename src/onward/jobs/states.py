"""The states of a job and the lawful steps between them, as plain decisions."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from onward.jobs.values import JobState, Reason

__all__ = ["HELD", "STATES", "STEPS", "TERMINAL", "after_loss", "lawful"]

STATES: tuple[JobState, ...] = (
    "queued",
    "starting",
    "running",
    "stopping",
    "succeeded",
    "failed",
    "cancelled",
)
TERMINAL: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job never leaves."""
HELD: frozenset[JobState] = frozenset({"starting", "running", "stopping"})
"""States in which an owner holds an attempt and sends heartbeats for it."""

STEPS: MappingProxyType[JobState, frozenset[JobState]] = MappingProxyType(
    {
        "queued": frozenset({"starting", "cancelled"}),
        "starting": frozenset({"running", "stopping", "queued", "failed", "cancelled"}),
        "running": frozenset({"stopping", "queued", "succeeded", "failed", "cancelled"}),
        "stopping": frozenset({"queued", "failed", "cancelled"}),
        "succeeded": frozenset(),
        "failed": frozenset(),
        "cancelled": frozenset(),
    }
)
"""State -> states that may follow. `stopping` never leads to `succeeded`: the stop came first."""


def lawful(before: JobState, after: JobState) -> bool:
    """Return whether a job may step from one state to another."""
    return after in STEPS[before]


def after_loss(
    *, attempt: int, max_attempts: int, stop_requested: bool, reason: Reason | None
) -> tuple[Literal["queued", "failed", "cancelled"], Reason | None]:
    """Return what becomes of a job whose worker is lost, and why.

    Parameters
    ----------
    attempt, max_attempts
        Attempts that were begun, the lost one included, and attempts in all.
    stop_requested
        Whether a person had asked for a stop: what he wanted has come about.
    reason
        Why it was being stopped, if it was (timeout, memory, stall): such a job is not tried again.
    """
    if stop_requested:
        return "cancelled", None
    if reason is not None:
        return "failed", reason
    if attempt < max_attempts:
        return "queued", None
    return "failed", "worker_lost"
