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

    def slack(self) -> float:
        """Return by how many seconds a bound of time may be exceeded on this machine, busy as it is."""
        return 3.0 + min(MOST_FOR_LOAD, os.getloadavg()[0] / (os.cpu_count() or 1)) + 2.0 * self.stall()
