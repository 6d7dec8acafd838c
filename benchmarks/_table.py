"""One measured figure, and how a benchmark prints its figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real market files beside the repository; benchmarks that need one say so when it is absent."""


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes
    ----------
    name
        What was measured.
    value
        The figure; NaN when it could not be taken, and then ``note`` says why.
    unit
        ``s``, ``ms``, ``x``, ``GB`` ...; empty for a pure number.
    target
        What it should be, such as ``<= 0.6``; empty when there is none.
    note
        A few words of circumstance.
    """

    name: str
    value: float
    unit: str = ""
    target: str = ""
    note: str = ""

    def met(self) -> bool | None:
        """Return whether the target is met; None without a target or figure."""
        if not self.target or self.value != self.value:
            return None
        comparison, limit = self.target.split()
        return self.value <= float(limit) if comparison == "<=" else self.value >= float(limit)


def best_of(function: Callable[[], object], repetitions: int = 3) -> float:
    """Return the shortest of some runs, in seconds."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def show(rows: Iterable[Row]) -> None:
    """Print figures as a Markdown table."""
    print("| what | figure | target | met | note |")
    print("|---|---|---|---|---|")
    for row in rows:
        figure = "-" if row.value != row.value else f"{row.value:.4g} {row.unit}".strip()
        met = {True: "yes", False: "NO", None: ""}[row.met()]
        print(f"| {row.name} | {figure} | {row.target} | {met} | {row.note} |")
