"""Makes many runs at the same time: worlds wait far more than they compute."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onward.jobs.local.control import die_with_parent
from tests.faults.grounds import Grounds
from tests.faults.machine import Machine
from tests.faults.namespace import in_a_namespace
from tests.faults.plans import Plan, parties
from tests.faults.runner import run

__all__ = ["Crew"]

LONG_SECONDS = 30.0
"""Worlds that last longer wait for a lease: they need hardly anything, and half of the places."""
STRAIN = 0.1
"""Seconds that the auditor may wait for a processor each time, for another world to begin."""
START_SECONDS = 0.1
LOOK_SECONDS = 0.05
OVERTIME_SECONDS = 600.0


@dataclass
class _Running:
    plan: Plan
    since: float
    server: int
    file: Path


class Crew:
    """Carries out runs, each in a process of its own.

    Parameters
    ----------
    grounds
        Where worlds are made.
    places
        Worlds at the same time.
    seed
        The run with a number is seeded by ``seed * 1000 + number``.
    deadline
        Monotonic second after which nothing is begun that would not be over by then.
    tell
        Told of each result.
    """

    def __init__(
        self,
        grounds: Grounds,
        *,
        places: int,
        seed: int,
        deadline: float,
        tell: Callable[[Plan, dict[str, Any]], None],
    ) -> None:
        self._grounds, self._places, self._seed = grounds, places, seed
        self._deadline, self._tell = deadline, tell
        self._machine = Machine(grounds.directory)
        self._running: dict[int, _Running] = {}
        self._begun = 0
        self._started = float("-inf")  # wall second

    def work(self, plans: Sequence[Plan]) -> int:
        """Carry out runs; return how many there was no time for."""
        left = 0
        try:
            for party in parties(plans):
                left += self._party(party)
        finally:
            for pid in self._running:
                os.kill(pid, signal.SIGKILL)
        return left

    def _party(self, plans: Sequence[Plan]) -> int:
        waiting = list(plans)
        while waiting or self._running:
            self._collect()
            ready = self._next(waiting)
            if ready is not None:
                waiting.remove(ready)
                self._begin(ready)
            elif waiting and not self._running and time.monotonic() + waiting[-1].lasts > self._deadline:
                return len(waiting)
            else:
                time.sleep(LOOK_SECONDS)
        return 0

    def _next(self, waiting: Sequence[Plan]) -> Plan | None:
        """Return the run to begin now: the longest, unless as many long ones go on as may."""
        now = time.monotonic()
        free = self._places - sum(one.plan.row.weight for one in self._running.values())
        if free <= 0:
            return None
        strain, of = self._machine.strain()
        if self._running and (strain > STRAIN or of < self._started + START_SECONDS):
            return None  # too much already, or what the last one costs has not been seen
        long = sum(one.plan.lasts > LONG_SECONDS for one in self._running.values())
        fitting = [
            plan
            for plan in waiting
            if (plan.row.weight <= free or not self._running) and now + plan.lasts < self._deadline
        ]
        if long >= self._places // 2:
            return next((plan for plan in fitting if plan.lasts <= LONG_SECONDS), next(iter(fitting), None))
        return next(iter(fitting), None)

    def _begin(self, plan: Plan) -> None:
        self._begun += 1
        servers = [one.server for one in self._running.values() if one.plan.database == "postgresql"]
        server = min(range(self._grounds.servers), key=servers.count)
        file = self._grounds.directory / f"result-{self._begun}.json"
        seed = self._seed * 1_000 + plan.number
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)  # for the runner, which ends its worlds
            try:
                work = self._work(plan, seed, server, file)
                in_a_namespace(work) if plan.row.namespace else work()
            finally:
                os._exit(0)
        self._started = time.time()
        self._running[pid] = _Running(plan, time.monotonic(), server, file)

    def _work(self, plan: Plan, seed: int, server: int, file: Path) -> Callable[[], None]:
        def work() -> None:
            found = run(plan.row, plan.database, self._grounds, scale=plan.scale, seed=seed, server=server)
            file.with_suffix(".new").write_text(json.dumps(found))
            file.with_suffix(".new").rename(file)

        return work

    def _collect(self) -> None:
        """Read the results of worlds that are over, and end those that do not come to an end."""
        for pid, one in list(self._running.items()):
            if time.monotonic() - one.since > 3.0 * one.plan.lasts + OVERTIME_SECONDS:
                os.kill(pid, signal.SIGKILL)
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                continue
            del self._running[pid]
            self._tell(one.plan, self._result(one))
            one.file.unlink(missing_ok=True)

    def _result(self, one: _Running) -> dict[str, Any]:
        if one.file.exists():
            result: dict[str, Any] = json.loads(one.file.read_text())
            return result
        seconds = round(time.monotonic() - one.since, 2)
        return {
            "row": one.plan.row.name,
            "database": one.plan.database,
            "seed": self._seed * 1_000 + one.plan.number,
            "scale": one.plan.scale,
            "violations": [f"the world ended after {seconds} s without a result"],
            "figures": {},
            "seconds": seconds,
            "stall": 0.0,
            "strain": 0.0,
            "busy": [],
            "excused": False,
        }
