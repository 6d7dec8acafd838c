"""Which runs the matrix consists of, and in which order they are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.faults.row import Row

__all__ = ["PRODUCTION_RUNS", "Key", "Plan", "parties", "planned", "wanted"]

PRODUCTION_RUNS = 3
SCALE = 0.1

Key = tuple[str, str, float, int]
"""Row, database, scale, number."""


@dataclass(frozen=True)
class Plan:
    """One run: the row, on which database, at which scale, and the how many-th of its kind."""

    row: Row
    database: str
    scale: float
    number: int

    @property
    def key(self) -> Key:
        return (self.row.name, self.database, self.scale, self.number)

    @property
    def lasts(self) -> float:
        return self.row.lasts(self.scale)


def wanted(row: Row, scale: float = SCALE) -> list[tuple[float, int]]:
    """Return at which scales a row is run, and how often."""
    return [(1.0, row.count)] if row.production else [(scale, row.count), (1.0, PRODUCTION_RUNS)]


def planned(
    rows: Iterable[Row], *, scale: float = SCALE, count: int | None = None, production: int | None = None
) -> list[Plan]:
    """Return every run; rows take turns, so that each shard has something of every row.

    Parameters
    ----------
    scale
        Of those runs that are not at the waiting times of production.
    count, production
        At most so many runs a row and database, at either scale; None = as many as are wanted.
    """
    plans = [
        Plan(row, database, factor, number)
        for row in rows
        for database in row.databases
        for factor, often in wanted(row, scale)
        for number in range(often)
        if (limit := production if factor == 1.0 and not row.production else count) is None or number < limit
    ]
    return sorted(plans, key=lambda plan: (plan.number, -plan.scale))


def parties(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Divide runs into those that may go on at the same time.

    Most go first, longest first; then, one by one and shortest first, those that are timed or fill
    the machine; then those that keep to themselves. So what is left when time is up is little.
    """
    longest = sorted(plans, key=lambda plan: -plan.lasts)
    alone = [[plan] for plan in reversed(longest) if plan.row.company == "none"]
    others = sorted({plan.row.company for plan in plans} - {"none", "all"})
    together = [[p for p in longest if p.row.company == name] for name in ("all", *others)]
    return [together[0], *alone, *together[1:]]
