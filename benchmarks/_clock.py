"""Shortest of some runs, and the growth of cost with rows."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._table import Row

__all__ = ["Growth", "best_of", "cpu_of", "growth", "slope"]


def best_of(function: Callable[[], object], repetitions: int = 3) -> float:
    """Return the shortest of some runs, in seconds: the one that neighbours disturbed least."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def cpu_of(function: Callable[[], object]) -> float:
    """Return the CPU seconds, of all threads, that one run takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


@dataclass(frozen=True)
class Growth:
    """Exponents of cost against rows: slopes of log seconds over log rows.

    Attributes
    ----------
    user
        By the CPU time of the computation itself.
    with_system
        By all CPU time, the system's clearing of fresh memory included: small matrices get pages
        that were used before, large ones get new ones.
    """

    user: float
    with_system: float

    def row(self, name: str) -> Row:
        """Return the figure as a row."""
        note = (
            "slope of log user CPU seconds over log rows at 1x, 2x, 4x, 8x; "
            f"{self.with_system:.2f} with the system's clearing of fresh memory"
        )
        return Row(f"{name}: exponent of cost", self.user, "", "<= 1.1", note)


def growth(compute: Callable[[Any], object], inputs: Mapping[int, Any], rounds: int) -> Growth:
    """Return how the cost of computing inputs, given by their number of rows, grows.

    CPU time, the least of some rounds, and sizes taken in turns: a neighbour on the machine tilts
    little.
    """
    user, total = (dict.fromkeys(inputs, np.inf) for _ in range(2))
    for _ in range(rounds):
        for rows, given in inputs.items():
            before = resource.getrusage(resource.RUSAGE_SELF)
            compute(given)
            after = resource.getrusage(resource.RUSAGE_SELF)
            spent = after.ru_utime - before.ru_utime
            user[rows] = min(user[rows], spent)
            total[rows] = min(total[rows], spent + after.ru_stime - before.ru_stime)
    return Growth(slope(user), slope(total))


def slope(costs: Mapping[int, float]) -> float:
    """Return the exponent of seconds against rows: 1 when twice the rows cost twice the seconds."""
    return float(np.polyfit(np.log(list(costs)), np.log(list(costs.values())), 1)[0])
