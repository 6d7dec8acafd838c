"""One row of the fault matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.world import World

__all__ = ["BOTH", "Row", "possible"]

BOTH = ("sqlite", "postgresql")


def possible() -> str | None:
    """Return why a row cannot be run here; the usual row can."""
    return None


@dataclass(frozen=True)
class Row:
    """One row of the matrix.

    Attributes
    ----------
    name
        What is done.
    run
        Does it, and asserts what is special to it; the invariants are judged afterwards.
    count
        Runs that the full matrix wants on each database.
    databases
        On which.
    production
        Whether it is run with the waiting times of production only.
    company
        With whom it may run at the same time: ``all``, ``none`` (it is timed, or fills the
        machine), or else those alone that say the same.
    weight
        Places that it takes among the worlds that run at the same time.
    waits
        Seconds that a run waits for, roughly, at the waiting times of production.
    seconds
        Seconds that a run takes besides, roughly.
    own_server
        Whether it needs a PostgreSQL server for itself.
    namespace
        Whether it needs process numbers of its own.
    missing
        Tells why it cannot be run here; None when it can.
    """

    name: str
    run: Callable[[World], None]
    count: int
    databases: tuple[str, ...] = BOTH
    production: bool = False
    company: str = "all"
    weight: int = 1
    waits: float = 5.0
    seconds: float = 6.0
    own_server: bool = False
    namespace: bool = False
    missing: Callable[[], str | None] = possible

    def lasts(self, scale: float) -> float:
        """Return the seconds that a run takes, roughly."""
        return self.seconds + self.waits * scale
