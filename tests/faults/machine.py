"""How the machine itself behaved during a run, as the auditor noticed it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

__all__ = ["STOOD_STILL", "Machine"]

STOOD_STILL = 1.0
"""Seconds for which nobody got a processor: a run that failed in such company proves nothing."""

AUDITED_SECONDS = 10.0
TURNS = 10
"""How often whatever is timed wants a processor before it is over: server, warden, worker, database."""
MOST_FOR_LOAD = 6.0


class Machine:
    """Reads what the auditor of a runner tells of the machine.

    Parameters
    ----------
    directory
        Of the runner.
    """

    def __init__(self, directory: Path) -> None:
        self._stalls = directory / "stalls.jsonl"
        self._pulse = directory / "pulse"
        self._pulses = directory / "pulses.txt"
        self._read_from = self._pulses.stat().st_size if self._pulses.exists() else 0
        self.since = time.time()

    def stall(self) -> float:
        """Return the longest time for which the machine stood still since this began."""
        worst = 0.0
        for line in self._stalls.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # being written just now
            if entry["at"] + entry["seconds"] >= self.since:
                worst = max(worst, entry["seconds"])
        return worst

    def watched(self) -> bool:
        """Return whether the auditor still looks."""
        try:
            return time.time() - self._pulse.stat().st_mtime < AUDITED_SECONDS + 2.0 * self.stall()
        except OSError:
            return False

    def strain(self) -> tuple[float, float]:
        """Return for how many seconds the auditor waits whenever it wants a processor, and as of when."""
        try:
            return float(self._pulse.read_text()), self._pulse.stat().st_mtime
        except (OSError, ValueError):
            return 0.0, 0.0

    def strained(self) -> tuple[float, float]:
        """Return for how many seconds the auditor waited for a processor since this began: mean, largest."""
        try:
            with self._pulses.open() as file:
                file.seek(self._read_from)
                waited = [float(line) for line in file if line.endswith("\n")]
        except OSError:
            waited = []
        return (sum(waited) / len(waited), max(waited)) if waited else (0.0, 0.0)

    def slack(self) -> float:
        """Return by how many seconds what happens once may be late on this machine, as busy as measured."""
        return 2.0 * self.stall() + TURNS * self.strained()[1]

    def drag(self) -> float:
        """Return by how many seconds all of many short things may be late on this machine.

        Each of them wants a processor here and in the database, no more: a small strain explains little.
        """
        return 2.0 * self.strained()[0]

    @staticmethod
    def generosity() -> float:
        """Return what is allowed besides where a figure is not what a test is about."""
        return 3.0 + min(MOST_FOR_LOAD, os.getloadavg()[0] / (os.cpu_count() or 1))
